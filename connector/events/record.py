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
        self._source: tuple[Source | None, bytes, bytes] = (None, b"", b"")
        self._roots: dict[str, bytes] = {}

    def body(self, entry: Entry, event_id: bytes, reading: Reading) -> bytes:
        """Return the record as Avro, without a wire prefix."""
        shape, values = reading.shape, reading.values
        system = values[shape.system_at] if shape.system_at >= 0 else b""
        source, named, front = self._source
        if source is not entry.source or named != system:
            front = _front(entry.source, system)
            self._source = (entry.source, system, front)
        plain = (
            entry.origin is Origin.AMI
            and entry.flaw is None
            and entry.snapshot_id is None
            and not entry.recovered
        )
        return b"".join(
            (
                long(len(event_id)),
                event_id,
                self._times(values[shape.time_at] if shape.time_at >= 0 else None, entry.received_us),
                NULL if entry.root is None else self._call(entry.root),
                front,
                long(entry.sequence),
                _PLAIN_MARKS if plain else _marks(entry),
                NULL if shape.sequence_at < 0 else values[shape.sequence_at],
                *reading.parts(),
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


def _front(source: Source, system: bytes) -> bytes:
    return b"".join(
        (
            string(source.pbx.encode()),
            system or optional_string(source.system_name),
            optional_string(source.asterisk_version),
            optional_string(source.ami_version),
            long(source.epoch),
        )
    )


def _marks(entry: Entry) -> bytes:
    return b"".join(
        (
            string(entry.origin.value.encode()),
            string(b"ok" if entry.flaw is None else b"suspect"),
            optional_string(entry.snapshot_id),
            b"\x01" if entry.recovered else b"\x00",
        )
    )


_PLAIN_MARKS = string(b"ami") + string(b"ok") + NULL + b"\x00"
