"""What is there at a PBX by its events and lists, and what has ended while nobody read.

    interrupted -> listed, began, ended ... -> settle: what was there before the interruption, is in no
                                               list since and did not end in the stream has ended

A list is never behind the events read before it on its session, but may be ahead of those read
after it. So what is not listed has ended, and its end may still be on its way: that is waited for until
`settle`, and what then comes of it all the same brings nothing back to life.
"""

from collections.abc import Mapping


class Presence:
    """The living things of one kind, each with what is known of it.

    Args:
        most: how many are remembered; beyond it the oldest go.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._living: dict[bytes, bytes] = {}
        self._unsettled = False
        self._doubted: set[bytes] = set()
        self._ended: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._living)

    @property
    def living(self) -> Mapping[bytes, bytes]:
        """What is there, with what is known of it."""
        return self._living

    def began(self, key: bytes, known: bytes = b"") -> None:
        """Take an event or an item of a list that shows it alive."""
        if key in self._ended:
            return
        if key not in self._living and len(self._living) >= self._most:
            self.ended(next(iter(self._living)))
        self._living[key] = known

    def listed(self, key: bytes, known: bytes = b"") -> None:
        """Take an item of the list of all that are there."""
        self._doubted.discard(key)
        self.began(key, known)

    def renamed(self, key: bytes, known: bytes) -> None:
        """Take what is known of it by now, if it is there at all."""
        if key in self._living:
            self._living[key] = known

    def ended(self, key: bytes) -> None:
        """Take its end; until `settle` it cannot begin again."""
        self._living.pop(key, None)
        if self._unsettled:
            self._ended.add(key)

    def interrupted(self) -> None:
        """Doubt all that is there: nobody has read for a while."""
        self._unsettled = True
        self._doubted = {*self._living}
        self._ended.clear()

    def settle(self) -> Mapping[bytes, bytes]:
        """Return what has ended unread, in the order of its beginning, with what is known of it.

        To be called once a whole list was taken, some time after its end.
        """
        gone = {key: known for key, known in self._living.items() if key in self._doubted}
        for key in gone:
            del self._living[key]
        self.believe()
        return gone

    def believe(self) -> None:
        """Doubt nothing any more: there is no whole list to judge by."""
        self._unsettled = False
        self._doubted = set()
        self._ended.clear()
