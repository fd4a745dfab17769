"""An entry and its reading to the record's Avro body: the envelope around the event's own fields."""

from connector.avro.binary import NULL, SIZES, instant, long, optional_string, string
from connector.avro.normalise import Reading
from connector.events.entry import Entry, Origin
from connector.events.records.login import Call, Login

_FROM_RECEIPT = string(b"receipt")


class Records:
    """Writes records; keeps the time of receipt, which those of one read share."""

    def __init__(self) -> None:
        self._received = (-1, b"", b"")

    def body(self, entry: Entry, event_id: bytes, reading: Reading, login: Login, call: Call | None) -> bytes:
        """Return the record as Avro, without a wire prefix."""
        _, sequence, received_us, origin, _, _, flaw, _, snapshot_id, recovered, _ = entry
        shape, values = reading.shape, reading.values
        if received_us != self._received[0]:
            self._receive(received_us)
        _, received, stand_in = self._received
        plain = origin is Origin.AMI and flaw is None and snapshot_id is None and not recovered
        return b"".join(
            (
                SIZES[len(event_id)],
                event_id,
                stand_in if shape.time_at < 0 else values[shape.time_at] + received,
                NULL if call is None else call.field,
                login.front(values[shape.system_at] if shape.system_at >= 0 else b""),
                long(sequence),
                _PLAIN_MARKS if plain else _marks(entry),
                NULL if shape.sequence_at < 0 else values[shape.sequence_at],
                *reading.parts(),
            )
        )

    def _receive(self, received_us: int) -> None:
        both = instant(received_us)
        self._received = (received_us, both, both + _FROM_RECEIPT + both)


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
