"""What is there at a PBX after a login: one list is asked after the other, and the items are published.

    ask -> items, items ... answered -> ask ... -> end
                                            `-> interrupted, where the session ends before

The lists are asked on the session that hears the events, since only there a list is in order with
them. A list that is refused costs itself alone. One that is never answered, or during which the
session ends time and again, is not asked any more: it would cost the events.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.reach import Reach, Result
from connector.events.entry import Entry
from connector.events.intake import Intake
from connector.events.lists import List

MAX_EACH: Final = 200
"""How often a list is asked that is asked for each item of another."""

MAX_LOSSES: Final = 3
"""Sessions in a row that may end during one list."""

COMPLETE: Final = "complete"
EMPTY: Final = "empty"
REFUSED: Final = "refused"
SUSPECT: Final = "suspect"
UNANSWERED: Final = "unanswered"

_REFUSALS: Final = ("permission denied", "unknown command")
"""By words of its text, what tells a refusal from an empty list where both are an Error."""


class _Asking:
    """One list: `values` are the parameters to ask with, of which the first is asked with now."""

    def __init__(self, each: List, values: Sequence[str]) -> None:
        self.list = each
        self.values = deque(values)
        self.read = 0
        self.genuine = True

    @property
    def action(self) -> AmiAction:
        each = self.list.each
        return AmiAction(self.list.action, ((each.parameter, self.values[0]),) if each else ())

    def judge(self, result: Result) -> str:
        """Return the word for what became of a question."""
        answer = result.answer
        if result.reach is not Reach.ANSWERED or answer is None:
            return UNANSWERED
        if not answer.success:
            said = answer.response.get("Message").lower()
            refused = any(words in said for words in _REFUSALS)
            return EMPTY if self.list.empty_is_error and not refused else REFUSED
        return COMPLETE if self.genuine and not result.reason else SUSPECT

    def names_all(self, result: Result) -> bool:
        """Say whether every item that Asterisk counted has been read."""
        events = result.answer.events if result.answer else ()
        return self.list.each is None and bool(events) and events[-1].get("ListItems") == str(self.read)


class Snapshot:
    """One snapshot, of one session.

    Args:
        intake: numbers what is published.
        lists: what is asked, in this order.
        snapshot_id: the id that its records bear.
    """

    def __init__(self, intake: Intake, lists: Sequence[List], snapshot_id: str) -> None:
        self._intake = intake
        self._lists = deque(lists)
        self._id = snapshot_id
        self._asking: _Asking | None = None
        self._found: dict[str, None] = {}
        self._whole: set[str] = set()
        self.waiting = False
        self.late: set[str] = set()
        self.missing: list[str] = []
        self.read = 0

    @property
    def action(self) -> str | None:
        """The list that is being read; None between two."""
        return self._asking.list.action if self._asking and self.waiting else None

    def ask(self) -> AmiAction | None:
        """Return what to ask next; None: all is asked."""
        while self._asking is None and self._lists:
            next_list, found = self._lists.popleft(), [*self._found]
            self._found = {}
            if next_list.each is None or found:
                self._asking = _Asking(next_list, found[:MAX_EACH])
        self.waiting = self._asking is not None
        return self._asking.action if self._asking else None

    def items(self, frames: Sequence[bytes], received_us: int) -> list[Entry]:
        """Take items of the list that was asked for, as they are read."""
        asking = self._asking
        if asking is None:
            return []
        entries: list[Entry] = []
        each = self._lists[0].each if self._lists else None
        for frame in frames:
            reading, more = self._intake.item(frame, received_us, self._id)
            entries += more
            asking.read += 1
            asking.genuine &= reading is not None
            if each and reading and (value := reading.text(each.header)):
                self._found[value] = None
        return entries

    def answered(self, result: Result, now_us: int) -> list[Entry]:
        """Take what became of the question; tell of the list's end where it was the last about it."""
        self.waiting = False
        asking = self._asking
        if asking is None:
            return []
        word = asking.judge(result)
        if word == COMPLETE and asking.names_all(result):
            self._whole.add(asking.list.action)
        if word == UNANSWERED:
            self.late.add(asking.list.action)
        if asking.values:
            asking.values.popleft()
        if word in (COMPLETE, EMPTY) and asking.values:
            return []
        self._asking = None
        return [self._end_of(asking, word, result, now_us)]

    def end(self, now_us: int) -> list[Entry]:
        """End, some time after the last answer: what is in no list, and has told no end meanwhile, has ended."""
        gone = self._intake.settle(self._whole, self._id, now_us)
        return [*gone, self._over("partial" if self.missing else COMPLETE, now_us)]

    def interrupted(self, now_us: int) -> list[Entry]:
        """End with the session."""
        self.read += self._asking.read if self._asking else 0
        return [self._over("interrupted", now_us)]

    def _end_of(self, asking: _Asking, word: str, result: Result, now_us: int) -> Entry:
        self.read += asking.read
        if word not in (COMPLETE, EMPTY):
            self.missing.append(asking.list.action)
        said = result.answer.response.get("Message") if result.answer else result.reason
        return self._intake.tell(
            "snapshot_end",
            now_us,
            Reason=word,
            SnapshotId=self._id,
            Action=asking.list.action,
            Response=said or None,
            Count=asking.read,
        )

    def _over(self, word: str, now_us: int) -> Entry:
        without = f"without {', '.join(self.missing)}" if self.missing else None
        return self._intake.tell(
            "snapshot_end", now_us, Reason=word, Message=without, SnapshotId=self._id, Count=self.read
        )


class Snapshots:
    """The snapshots of one PBX, one after each login.

    Args:
        intake: numbers what is published.
        lists: what is asked, in this order.
    """

    def __init__(self, intake: Intake, lists: Sequence[List]) -> None:
        self._intake = intake
        self._lists = [*lists]
        self._losses: Counter[str] = Counter()

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self._lists)

    def begin(self, now_us: int) -> tuple[Snapshot, list[Entry]]:
        """Begin the snapshot of a session that has just logged in; its id is that of its first record."""
        begin = self._intake.begin_snapshot(now_us)
        return Snapshot(self._intake, self._lists, begin.event_id), [begin]

    def learn(self, snapshot: Snapshot) -> None:
        """Take the news that a snapshot, or the session in the midst of it, is over."""
        if snapshot.action is None:
            self._losses.clear()
        else:
            self._losses[snapshot.action] += 1
        hopeless = snapshot.late | {action for action, losses in self._losses.items() if losses >= MAX_LOSSES}
        self._lists = [each for each in self._lists if each.action not in hopeless]
