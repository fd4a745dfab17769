"""What has ended unread: a machine against a PBX that lives on while nobody reads it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from connector.events.presence import Presence

IDS = st.integers(0, 7).map(lambda number: b"%d" % number)


class Reading(RuleBasedStateMachine):
    """A PBX whose things begin once and end once, its queue of events, and a reader who is sometimes away.

    The PBX writes its list at once; the reader has read all events of before, and reads those that were
    queued meanwhile behind it.
    """

    @initialize()
    def start(self) -> None:
        self.presence = Presence(100)
        self.there: set[bytes] = set()
        self.used: set[bytes] = set()
        self.queue: list[tuple[str, bytes]] = []
        self.up = False
        self.list: list[bytes] | None = None
        self.told: set[bytes] = set()
        self.ends_read: set[bytes] = set()
        self.begins_read: set[bytes] = set()

    @rule(key=IDS)
    def begins(self, key: bytes) -> None:
        if key not in self.used:
            self.used.add(key)
            self.there.add(key)
            self._happens("began", key)

    @rule(key=IDS)
    def ends(self, key: bytes) -> None:
        if key in self.there:
            self.there.remove(key)
            self._happens("ended", key)

    def _happens(self, what: str, key: bytes) -> None:
        if self.up:
            self.queue.append((what, key))

    @precondition(lambda self: not self.up)
    @rule()
    def comes(self) -> None:
        self.up = True
        self.presence.interrupted()

    @precondition(lambda self: self.up)
    @rule()
    def goes(self) -> None:
        self.up, self.list = False, None
        self.queue.clear()

    @precondition(lambda self: self.queue and not self.list)
    @rule()
    def reads(self) -> None:
        what, key = self.queue.pop(0)
        if what == "began":
            self.presence.began(key)
            self.begins_read.add(key)
        else:
            self.presence.ended(key)
            self.ends_read.add(key)
            assert key not in self.told, "ended, and was told to have ended before"

    @precondition(lambda self: self.up and self.list is None)
    @rule()
    def is_listed(self) -> None:
        self.list = sorted(self.there)

    @precondition(lambda self: self.list)
    @rule()
    def reads_an_item(self) -> None:
        assert self.list is not None
        key = self.list.pop(0)
        self.presence.listed(key)
        self.begins_read.add(key)

    @precondition(lambda self: self.list == [] and not self.queue)
    @rule()
    def settles(self) -> None:
        gone = set(self.presence.settle())
        assert not gone & self.there, "lives, and is told to have ended"
        assert not gone & self.ends_read, "ended in the stream"
        assert not gone & self.told
        self.told |= gone
        known_and_over = self.begins_read - self.there
        assert known_and_over <= self.told | self.ends_read, "ended unread, and is not told"
        assert len(self.presence) == len(self.there)
        self.list = None


Reading.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestReading = Reading.TestCase


def test_what_ends_during_the_list_does_not_come_back_by_it() -> None:
    presence = Presence(10)
    presence.began(b"1")
    presence.interrupted()
    presence.ended(b"1")
    presence.listed(b"1")
    assert (dict(presence.settle()), len(presence)) == ({}, 0)


def test_what_begins_during_the_list_is_not_ended_by_it() -> None:
    presence = Presence(10)
    presence.interrupted()
    presence.began(b"1", b"one")
    assert (dict(presence.settle()), len(presence)) == ({}, 1)


def test_what_is_known_of_it_comes_with_its_end() -> None:
    presence = Presence(10)
    presence.began(b"1", b"one")
    presence.began(b"2", b"two")
    presence.renamed(b"2", b"two<ZOMBIE>")
    presence.renamed(b"3", b"nothing")
    presence.interrupted()
    assert list(presence.settle().items()) == [(b"1", b"one"), (b"2", b"two<ZOMBIE>")]


def test_without_a_list_nothing_has_ended() -> None:
    presence = Presence(10)
    presence.began(b"1")
    presence.interrupted()
    presence.believe()
    assert (dict(presence.settle()), len(presence)) == ({}, 1)


def test_the_memory_is_bounded() -> None:
    presence = Presence(3)
    for number in range(9):
        presence.began(b"%d" % number)
    presence.interrupted()
    assert list(presence.settle()) == [b"6", b"7", b"8"]
