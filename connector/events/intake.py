"""Where a frame becomes an entry: selection, number, root and integrity are decided here, once.

All state of the road to Kafka lies here, before the journal; behind it everything is a function of
the entry.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from connector.ami.framing import Oversize
from connector.ami.message import Kind, kind_of
from connector.ami.steps import Start
from connector.avro.normalise import Normaliser, Reading
from connector.events import notices
from connector.events.calls import Calls, Memory, Merge
from connector.events.discretion import Discretion
from connector.events.entry import Entry, Flaw, Origin, Source, unforeseen
from connector.events.gaps.holes import Hole, Holes
from connector.events.gaps.interruption import Interruption, Node, compare, node, started_at
from connector.events.gaps.losses import GivenUp
from connector.events.integrity import Integrity
from connector.events.notices import Header, notice
from connector.events.selection import Selection
from connector.events.unresolved import Doubt, Sight, Unresolved
from connector.events.watching.canary import Canary
from connector.events.watching.delay import Delays
from connector.events.watching.heartbeat import Health

ORPHAN = "orphan"
OVERSIZE = "oversize"
UNAWAITED = "unawaited-response"
_MEMORY: Final = 1
"""The form of what outlives the process."""

SESSION_LOST = "session-lost"
RESTARTED = "connector-restarted"

_new: Final = tuple.__new__
"""A NamedTuple made without the function that checks its arguments' names: a third of its time."""

Unselected = Callable[[str], None]


class Intake:
    """One PBX's giver of numbers.

    Args:
        source: who speaks, until `up` says it better.
        normaliser: reads frames.
        selection: what is published.
        unselected: told the name of each event that the selection leaves out.
        interruption: what the first session ends; None: nothing was read before.
        holes: looks for what the PBX has sent and nobody has read.
        delays: measures how late events are.
        canary: takes our own events out, which show that events come.
        discretion: what may be told of entries, and whether they are changed here, before the journal.
    """

    def __init__(
        self,
        source: Source,
        normaliser: Normaliser,
        selection: Selection,
        unselected: Unselected,
        *,
        interruption: Interruption | None = None,
        holes: Holes | None = None,
        delays: Delays | None = None,
        canary: Canary | None = None,
        discretion: Discretion | None = None,
    ) -> None:
        self._source = source
        self._normaliser = normaliser
        self._selection = selection
        self._unselected = unselected
        self._sequence = 0
        self._unresolved = Unresolved()
        self._discretion = discretion
        self._masked = discretion.masked if discretion else None
        self._journaled = discretion.journaled if discretion else _as_they_are
        self._calls = Calls(self._unresolved.noticed, discretion.name if discretion else bytes)
        self._integrity = Integrity()
        self._interruption = interruption
        self._holes = holes
        self._delays = delays or Delays(source.pbx)
        self._canary = canary
        self._node: Node | None = None
        self._last_us = 0
        self._events = 0

    @property
    def sequence(self) -> int:
        """The last number that was given."""
        return self._sequence

    @property
    def calls(self) -> Calls:
        """The channels known and their roots."""
        return self._calls

    def up(self, source: Source, now_us: int, address: str, start: Start = Start()) -> list[Entry]:  # noqa: B008
        """Note a new session: SessionUp, and the Gap where an interruption ends here.

        Args:
            source: who speaks from now on.
            now_us: microseconds since 1970 (UTC).
            address: where the session is.
            start: since when the PBX runs.
        """
        self._source = source
        self._integrity = Integrity()
        self._delays.began()
        if self._canary is not None:
            self._canary.began(now_us)
        before, self._node = self._node, node(source.system_name, start, now_us)
        self._last_us, self._events = now_us, 0
        about: dict[str, Header] = {
            "Address": address,
            "StartedAt": started_at(self._node, self._normaliser.zone),
        }
        entries = [self._own(notice("session_up", about), now_us)]
        interruption, self._interruption = self._interruption, None
        if interruption is not None:
            change = compare(before, self._node, interruption.since_us)
            if self._holes is not None and change.another_process:
                self._holes.restarted()
            # A call that lived in a process which is gone has ended, and nobody read its Hangup.
            certain = change.another_process and bool(self._calls.living)
            entries.append(
                self._own(notices.gap(interruption, change, now_us, about, certain=certain), now_us)
            )
        return entries

    def down(self, now_us: int, reason: str, *, orderly: bool = False) -> list[Entry]:
        """Note the end of a session; what comes until the next one is not read."""
        stalled = self._canary.ended() if self._canary is not None else None
        if not orderly:
            self._interruption = stalled or Interruption(self._last_us, SESSION_LOST)
        entries = self._missing(self._holes.end(), now_us) if self._holes is not None else []
        return [
            *entries,
            self.tell("session_down", now_us, Reason="stopped" if orderly else "lost", Message=reason),
        ]

    def lost(self, loss: GivenUp, now_us: int) -> Entry:
        """Name entries that the journal has lost."""
        return self._own(notices.loss(loss, self._source.epoch), now_us)

    def journal(self, trouble: str | None, now_us: int) -> Entry:
        """Say that the journal's disk has failed, and why, or that it works again."""
        if trouble is None:
            return self.tell("journal_restored", now_us)
        return self.tell("journal_failed", now_us, Message=trouble)

    def memory(self) -> bytes:
        """Return what must outlive the process, for the next one's `recall`."""
        return json.dumps([_MEMORY, self._node, self._calls.memory(), self._masked]).encode()

    def recall(self, memory: bytes, since: Iterable[Entry]) -> None:
        """Take the memory of a process before, and what it has journaled since; one that cannot be read is left.

        Nothing is published by that.
        """
        try:
            version, node, calls, *rules = json.loads(memory)
            if version != _MEMORY:
                return
            self._node = Node(*node) if node else None
            # Names that other rules have changed, or none, are not known here.
            self._calls.recall(Memory(*calls), names=(rules or [None])[0] == self._masked)
        except (ValueError, TypeError):
            return
        for entry in since:
            if entry.origin in (Origin.AMI, Origin.SNAPSHOT) and entry.flaw is None:
                if self._discretion is not None:
                    self._discretion.recalls(entry)
                self._calls.root_of(self._normaliser.read(entry.frame), entry.received_us)
        if self._discretion is not None:
            self._discretion.recalls(None)

    def heartbeat(self, health: Health, now_us: int) -> Entry:
        """Say that the connector is alive and how it fares; the delay is the longest since the last heartbeat."""
        return self._own(notices.heartbeat(health, self._events, self._delays.told()), now_us)

    def frames(self, read_frames: Sequence[bytes], received_us: int) -> list[Entry]:
        """Take the frames of one read, in order, and return what is to be journaled."""
        entries: list[Entry] = []
        self._last_us = received_us
        frames = read_frames if self._canary is None else self._canary.sift(read_frames, received_us)
        read, judge, root_of = self._normaliser.read, self._integrity.judge, self._calls.root_of
        chosen = self._selection.chosen
        self._events += len(frames)
        reading = None
        for frame in frames:
            if frame[:7] != b"Event: " or type(frame) is Oversize:
                self._odd(frame, received_us, entries)
                continue
            try:
                reading = read(frame)
                flaw = judge(reading)
                if flaw is not None:
                    self._suspicious(frame, received_us, reading, flaw, entries)
                    continue
                # A forged Uniqueid must not bring a root into the world: hence only now.
                root, merge = root_of(reading, received_us)
            except Exception as error:  # noqa: BLE001 (one event would end the session, and come again in the next)
                reading = None
                entries.append(self._number(frame, received_us, None, unforeseen(error), None))
                continue
            if merge is not None:
                entries.append(self._merge(merge, received_us))
            schema = reading.shape.schema
            if schema in chosen:
                entries.append(self._number(frame, received_us, root, None, reading))
            else:
                self._unselected(schema.event)
        if self._unresolved.found:
            entries += self._resolved(received_us)
        if reading is not None and reading.stamp:
            self._delayed(reading.stamp, received_us)
        if self._holes is not None:
            entries += self._missing(self._holes.take(read_frames, received_us), received_us)
        return self._journaled(entries)

    def _delayed(self, stamp: bytes, received_us: int) -> None:
        """Take the Timestamp of the last event of a read: the delay of those before it is hardly longer."""
        made_us = self._delays.stamped(stamp, received_us)
        if self._canary is not None and made_us is not None:
            self._canary.heard(made_us)

    def begin_snapshot(self, now_us: int) -> Entry:
        """Return the record that begins a snapshot; what was there before is doubted until `settle`."""
        self._calls.interrupted()
        event_id = Entry(self._source, self._sequence + 1, now_us, Origin.CONNECTOR, None, b"").event_id
        return self.tell("snapshot_begin", now_us, SnapshotId=event_id)

    def item(self, frame: bytes, received_us: int, snapshot_id: str) -> tuple[Reading | None, list[Entry]]:
        """Take an item of a list, in its place among the frames; return its reading where it is genuine."""
        self._last_us = received_us
        entries: list[Entry] = []
        try:
            reading, flaw = self._judged(frame)
        except Exception as error:  # noqa: BLE001 (as in `frames`)
            entries.append(self._number(frame, received_us, None, unforeseen(error), None))
            return None, [_listed(entry, snapshot_id) for entry in self._journaled(entries)]
        if reading is None:
            self._odd(frame, received_us, entries)
        elif flaw is not None:
            self._suspicious(frame, received_us, reading, flaw, entries)
        else:
            root, merge = self._calls.root_of(reading, received_us)
            entries += [self._merge(merge, received_us)] if merge else []
            self._calls.listed(reading)
            if reading.shape.schema in self._selection.listed:
                entries.append(self._number(frame, received_us, root, None, reading))
            else:
                self._unselected(reading.shape.schema.event)
        listed = [_listed(entry, snapshot_id) for entry in self._journaled(entries)]
        return (None if flaw else reading), listed + self._resolved(received_us)

    def _judged(self, frame: bytes) -> tuple[Reading | None, Flaw | None]:
        reading = None if isinstance(frame, Oversize) else self._normaliser.read(frame)
        return reading, self._integrity.judge(reading) if reading else None

    def settle(self, whole: Collection[str], snapshot_id: str, now_us: int) -> list[Entry]:
        """Return the ends of what has ended unread, as far as these events are published.

        Args:
            whole: the actions whose lists have named all that is there.
            snapshot_id: the snapshot by which it is known.
            now_us: microseconds since 1970 (UTC).
        """
        entries = []
        for ended in self._calls.settle(whole, now_us):
            if self._normaliser.read(ended.frame).shape.schema in self._selection.chosen:
                entry = self._number(ended.frame, now_us, ended.root, None, None)
                origin, masked = Origin.SYNTHETIC, self._masked
                entries.append(entry._replace(origin=origin, snapshot_id=snapshot_id, masked=masked))
        return entries

    def tell(self, kind: str, now_us: int, **headers: Header) -> Entry:
        """Return a record of the connector's own."""
        return self._own(notice(kind, headers), now_us)

    def doubt(self, doubt: Doubt, now_us: int) -> tuple[bool, list[Entry]]:
        """Take a call of which it is not known whether it was made; say whether something was seen of it."""
        seen = self._unresolved.doubt(doubt, now_us)
        return seen, self._resolved(now_us)

    def saw(self, call_id: str, sight: Sight, now_us: int) -> list[Entry]:
        """Take what was seen of a call otherwise than by an event."""
        self._unresolved.saw(call_id, sight, now_us)
        return self._resolved(now_us)

    def _suspicious(
        self, frame: bytes, received_us: int, reading: Reading, flaw: Flaw, entries: list[Entry]
    ) -> None:
        entry = self._number(frame, received_us, None, flaw, reading)
        told = self._discretion.told(entry) if self._discretion else entry
        entries += [entry, self._own(notices.suspect(told, flaw), received_us)]

    def _odd(self, frame: bytes, received_us: int, entries: list[Entry]) -> None:
        kind = kind_of(frame)
        if isinstance(frame, Oversize):
            flaw = Flaw(OVERSIZE, f"{frame.size} bytes, SHA-256 {frame.sha256}")
        elif kind is Kind.GREETING:
            return
        elif kind is Kind.RESPONSE:
            flaw = Flaw(UNAWAITED, "a response that nobody waits for")
        else:
            self._integrity.fragment(frame)
            flaw = Flaw(ORPHAN, "begins neither with Event nor with Response")
        entries.append(self._number(frame, received_us, None, flaw, None))

    def _number(
        self, frame: bytes, received_us: int, root: str | None, flaw: Flaw | None, reading: Reading | None
    ) -> Entry:
        self._sequence += 1
        fields = (
            self._source,
            self._sequence,
            received_us,
            Origin.AMI,
            root,
            frame,
            flaw,
            reading,
            None,
            False,
            None,
        )
        return _new(Entry, fields)

    def _missing(self, found: Iterable[Hole], now_us: int) -> list[Entry]:
        return [self._own(notices.hole(each), now_us) for each in found]

    def _merge(self, merge: Merge, now_us: int) -> Entry:
        return self._own(notices.merge(merge), now_us)

    def _resolved(self, now_us: int) -> list[Entry]:
        found, self._unresolved.found = self._unresolved.found, []
        return [self._own(notices.resolved(doubt, sight), now_us) for doubt, sight in found]

    def _own(self, frame: bytes, now_us: int) -> Entry:
        self._sequence += 1
        return Entry(self._source, self._sequence, now_us, Origin.CONNECTOR, None, frame)


def _as_they_are(entries: list[Entry]) -> list[Entry]:
    return entries


def _listed(entry: Entry, snapshot_id: str) -> Entry:
    if entry.origin is not Origin.AMI:
        return entry
    return entry._replace(origin=Origin.SNAPSHOT, snapshot_id=snapshot_id)
