"""Kafka headers: CloudEvents 1.0 in binary mode."""

from datetime import UTC, datetime

from connector.avro.normalise import Reading
from connector.avro.schema import EventSchema
from connector.events.entry import Entry
from connector.events.records.login import Call, Login

Headers = list[tuple[str, bytes]]

_SPEC = ("ce_specversion", b"1.0")


class CloudEvents:
    """Writes the headers of records; keeps what repeats from one to the next."""

    def __init__(self, content_type: str) -> None:
        self._content_type = ("content-type", content_type.encode())
        self._types: dict[EventSchema, tuple[str, bytes]] = {}
        self._second = (b"", b"")

    def headers(
        self, entry: Entry, event_id: bytes, reading: Reading, login: Login, call: Call | None
    ) -> Headers:
        """Return a record's headers; `ce_subject` is the call, where there is one."""
        schema = reading.shape.schema
        kind = self._types.get(schema)
        if kind is None:
            kind = self._types[schema] = ("ce_type", schema.full_name.encode())
        stamp = reading.stamp or b"%.6f" % (entry.received_us / 1e6)
        if stamp[:-7] != self._second[0]:
            self._second = (stamp[:-7], _rfc3339(int(stamp[:-7])))
        time = ("ce_time", self._second[1] + stamp[-7:] + b"Z")
        headers = [_SPEC, ("ce_id", event_id), kind, login.header, time, self._content_type]
        if call is not None:
            headers.append(call.subject)
        return headers


def _rfc3339(second: int) -> bytes:
    """Render whole seconds since 1970 without fraction and zone."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
