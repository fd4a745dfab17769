"""Entries as they may be told, by the rules of privacy: once for each, before the journal or behind it."""

from connector.avro.normalise import Normaliser, Reading
from connector.events.entry import Entry, Origin
from connector.privacy.privacy import Privacy

_SYNTHETIC_END = "Hangup"


class Discretion:
    """What the rules make of the entries of one PBX.

    Args:
        privacy: the rules.
        normaliser: reads frames.
        before_journal: whether the intake applies them, so that no covered value reaches a disk.
    """

    def __init__(self, privacy: Privacy, normaliser: Normaliser, *, before_journal: bool = False) -> None:
        self._privacy = privacy
        self._normaliser = normaliser
        self._by = privacy.fingerprint
        self.before_journal = before_journal
        self._recalls_told = False
        self.withholds = privacy.withholds

    @property
    def masked(self) -> str | None:
        """What the intake's entries say of themselves; None: nothing is done to them there."""
        return self._by if self.before_journal and self._privacy else None

    def covers(self, reading: Reading) -> bool:
        """Say whether any rule is about events of this schema."""
        return self._privacy.of(reading.shape.schema) is not None

    def told(self, entry: Entry) -> Entry:
        """Return an entry as it may be told; the very same where nothing of it is covered, or that is done."""
        if entry.masked == self._by or entry.origin is Origin.CONNECTOR:
            return entry
        if entry.flaw is not None:
            frame = self._privacy.fragment(entry.frame)
        else:
            reading = entry.reading or self._normaliser.read(entry.frame)
            mask = self._privacy.of(reading.shape.schema)
            if mask is None:
                return entry
            frame = mask.frame(reading)
            if frame is reading.frame:
                return entry
        if frame is entry.frame:
            return entry
        again = None if entry.flaw else self._normaliser.read(frame)
        return entry._replace(frame=frame, reading=again, masked=self._by)

    def journaled(self, entries: list[Entry]) -> list[Entry]:
        """Return entries as the journal may have them."""
        return entries if self.masked is None else [*map(self.told, entries)]

    def form(self, frame: bytes) -> bytes:
        """Return a genuine event as the journal has it."""
        if self.masked is None:
            return frame
        reading = self._normaliser.read(frame)
        mask = self._privacy.of(reading.shape.schema)
        return frame if mask is None else mask.frame(reading)

    def recalls(self, entry: Entry | None) -> None:
        """Take note of the entry of a process before that is recalled; None: none is any more."""
        self._recalls_told = entry is not None and entry.masked == self._by

    def name(self, channel: bytes) -> bytes:
        """Return a channel's name as the end that is made for it may tell it, where that is kept on a disk."""
        if not self.before_journal or self._recalls_told:
            return channel
        mask = self._privacy.of_event(_SYNTHETIC_END)
        return channel if mask is None else mask.value("Channel", channel)
