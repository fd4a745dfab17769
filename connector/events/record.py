"""An entry and its reading to the record's Avro body: the envelope around the event's own fields."""

from connector.avro.binary import NULL, PRESENT, long, optional_string, string
from connector.avro.normalise import Reading
from connector.events.entry import Entry, Origin, Source

_FROM_RECEIPT = string(b"receipt")
_MAX_KEPT = 4_096


class Records:
    """Writes records; keeps what repeats from one to the next."""

    def __init__(self) -> None:
        self._received = (-1, b"", b"")
        self._sources: dict[tuple[Source, bytes], bytes] = {}
        self._marks: dict[tuple[Origin, bool, str | None, bool], bytes] = {}
        self._roots: dict[str, bytes] = {}

    def body(self, entry: Entry, reading: Reading) -> bytes:
        """Return the record as Avro, without a wire prefix."""
        source, shape = entry.source, reading.shape
        system = reading.values[shape.system_at] if shape.system_at >= 0 else b""
        marks = (entry.origin, entry.flaw is not None, entry.snapshot_id, entry.recovered)
        sequence = long(entry.sequence)
        return b"".join(
            (
                string(entry.event_id.encode()),
                self._times(reading.time, entry.received_us),
                NULL if entry.root is None else self._call(entry.root),
                self._sources.get((source, system)) or self._source(source, system),
                sequence,
                self._marks.get(marks) or self._mark(marks),
                NULL if shape.sequence_at < 0 else reading.values[shape.sequence_at],
                reading.body(),
            )
        )

    def _times(self, time: bytes | None, received_us: int) -> bytes:
        if received_us != self._received[0]:
            both = long(received_us // 1000) + long(received_us)
            self._received = (received_us, both, both + _FROM_RECEIPT + both)
        return self._received[2] if time is None else time + self._received[1]

    def _call(self, root: str) -> bytes:
        encoded = self._roots.get(root)
        if encoded is None:
            if len(self._roots) >= _MAX_KEPT:
                self._roots.clear()
            encoded = self._roots[root] = PRESENT + string(root.encode())
        return encoded

    def _source(self, source: Source, system: bytes) -> bytes:
        if len(self._sources) >= _MAX_KEPT:
            self._sources.clear()
        encoded = self._sources[source, system] = b"".join(
            (
                string(source.pbx.encode()),
                system or optional_string(source.system_name),
                optional_string(source.asterisk_version),
                optional_string(source.ami_version),
                long(source.epoch),
            )
        )
        return encoded

    def _mark(self, marks: tuple[Origin, bool, str | None, bool]) -> bytes:
        if len(self._marks) >= _MAX_KEPT:
            self._marks.clear()
        origin, suspect, snapshot_id, recovered = marks
        encoded = self._marks[marks] = b"".join(
            (
                string(origin.value.encode()),
                string(b"suspect" if suspect else b"ok"),
                optional_string(snapshot_id),
                b"\x01" if recovered else b"\x00",
            )
        )
        return encoded
