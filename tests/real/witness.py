"""Judging the road from outside: what a plain socket reads, against what Kafka gives.

Naive on purpose, and free of the connector's code: raw bytes, the schema's JSON, and nothing more. What
a header means is looked up in the schema that the registry gave; every line of a frame must be found
again in the record, and the record must hold nothing that no line brought.
"""

import re
import socket
import threading
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from tests.parts.asterisk import Pbx
from tests.parts.processes import wait_until

Header = tuple[str, str]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YES, NO = ("yes", "1", "on", "true", "enabled"), ("no", "0", "off", "false", "disabled")
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ENVELOPE = ("Event", "Privilege", "Timestamp", "SequenceNumber", "SystemName", "File", "Line", "Func")


class Witness:
    """A session with the connector's rights that only listens."""

    def __init__(self, pbx: Pbx) -> None:
        self.received = bytearray()
        self._socket = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: all\r\n\r\n"
        self._socket.sendall(login.encode())
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        self.expect(b"Event: FullyBooted\r\n")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        with suppress(ConnectionError):
            while chunk := self._socket.recv(65536):
                self.received += chunk

    def expect(self, text: bytes) -> None:
        """Wait until these bytes have come, and the end of the message they stand in."""

        def whole() -> bool:
            at = self.received.find(text)
            return at >= 0 and b"\r\n\r\n" in self.received[at:]

        wait_until(whole, f"{text!r} on the witness's socket")

    def frames(self, first: str, last: str) -> list[bytes]:
        """Return the events between two UserEvents, both included, without the test framework's own."""
        # Some of Asterisk's modules end a message with a blank line too many.
        frames = [frame.lstrip(b"\r\n") for frame in bytes(self.received).split(b"\r\n\r\n")]
        marks = [f"\r\nUserEvent: {name}\r\n".encode() for name in (first, last)]
        at, to = (next(n for n, frame in enumerate(frames) if mark in frame + b"\r\n") for mark in marks)
        return [frame for frame in frames[at : to + 1] if not frame.startswith(b"Event: TestEvent\r\n")]


def headers_of(frame: bytes) -> list[Header]:
    lines = (line.decode("utf-8", "replace").partition(":") for line in frame.split(b"\r\n"))
    return [(name, value.removeprefix(" ")) for name, _, value in lines]


def name_of(frame: bytes) -> str:
    return headers_of(frame)[0][1]


def first_of(frame: bytes, name: str) -> str:
    return next((value for each, value in headers_of(frame) if each == name), "")


class Comparison:
    """One frame held against one record; `faults` says in words what does not agree."""

    def __init__(self, frame: bytes, record: dict[str, Any], schema: dict[str, Any]) -> None:
        self.faults: list[str] = []
        self._record = record
        self._fields: dict[str, list[dict[str, Any]]] = {}
        for field in schema["fields"]:
            if isinstance(field.get("ami"), str):
                self._fields.setdefault(field["ami"], []).append(field)
        self._extra = Counter((item["name"], item["value"]) for item in record["extra"])
        mine = [field["name"] for fields in self._fields.values() for field in fields]
        self._left = deepcopy({name: record[name] for name in mine})
        self._own = False
        for header in headers_of(frame):
            self._look_for(*header)
        self._nothing_else(frame)

    def _look_for(self, name: str, value: str) -> None:
        self._own = self._own or name not in ENVELOPE
        if not self._own and self._in_envelope(name, value):
            return
        known = self._fields.get("ChanVariable()" if name.startswith("ChanVariable(") else name)
        if known is not None and self._typed(known, value):
            return
        if self._extra[name, value] > 0:
            self._extra[name, value] -= 1
            return
        self.faults.append(f"{name}: {value!r} is nowhere: {[self._record[f['name']] for f in known or []]}")

    def _in_envelope(self, name: str, value: str) -> bool:
        record = self._record
        match name:
            case "Event":
                return bool(record.get("event", value) == value)
            case "Privilege":
                return sorted([*record["privilege"], "all"]) == sorted(value.split(","))
            case "Timestamp":
                micros = int(value.replace(".", ""))
                millis = EPOCH + timedelta(milliseconds=micros // 1000)
                return (record["event_time_us"], record["event_time"]) == (micros, millis)
            case "SequenceNumber":
                return bool(record["source"]["ami_sequence"] == int(value))
            case "SystemName":
                return bool(record["source"]["system_name"] == value)
        return False

    def _typed(self, known: list[dict[str, Any]], value: str) -> bool:
        field = known[0]
        here, wire = self._left[field["name"]], field["wire"]
        if field.get("escaped"):
            value = re.sub(r"\\([abfnrtv\\'\"?])", lambda seen: ESCAPES.get(seen[1], seen[1]), value)
        if wire == "map":
            variable, sign, text = value.partition("=")
            return bool(sign) and here.pop(variable, None) == text
        if wire == "strings":
            return bool(here) and here.pop(0) == value
        if field["name"] not in self._left or value in field.get("sentinels", ()):
            return here is None
        found = [self._left[each["name"]] for each in known]
        try:
            fits = means(wire, value, found)
        except ValueError:
            fits = False
        for each in known if fits else ():
            self._left[each["name"]] = None
        return fits

    def _nothing_else(self, frame: bytes) -> None:
        for name, value in self._left.items():
            if value and not (name == "event" and value == name_of(frame)):
                self.faults.append(f"{name} is {value!r}, which no header brought")
        self.faults += [f"extra holds {item}, which no header brought" for item in +self._extra]


def means(wire: str, text: str, found: list[Any]) -> bool:
    """Tell whether a typed value says what the text says; pairs of fields come both."""
    value = found[0]
    match wire:
        case "string":
            return bool(value == text)
        case "int" | "duration_s" | "duration_ms" | "duration_us":
            return value is None if not text else bool(value == int(text))
        case "float" | "duration_s_float":
            return value is None if not text else bool(value == float(text))
        case "boolean":
            return text.lower() in ({True: YES, False: NO, None: ("",)}[value])
        case "epoch_s":
            return (
                value is None if text in ("", "0") else bool(value == EPOCH + timedelta(seconds=float(text)))
            )
        case "datetime_iso8601":
            return value is None if not text else bool(value == at_millis(datetime.fromisoformat(text)))
        case "datetime_local":
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
            return found == [moment, text or None]
        case "duration_hms":
            hours, minutes, seconds = map(int, text.split(":"))
            return bool(value == hours * 3600 + minutes * 60 + seconds)
    return False


def at_millis(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond % 1000)
