"""A naive reading of a frame, written apart from the connector's: what its records must decode to."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

TRUE = {"yes", "1", "on", "true", "enabled"}
FALSE = {"no", "0", "off", "false", "disabled"}
PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
PREFIX = ["Event", "Privilege", "Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName"]
ENVELOPE = ["Privilege", "Timestamp", "SystemName", "SequenceNumber"]
MISSING = object()


def split(line: bytes) -> tuple[str, bytes]:
    if b":" not in line:
        return "", line
    name, value = line.split(b":", 1)
    return name.decode("utf-8", "replace"), value[1:] if value.startswith(b" ") else value


def scalar(wire: str, text: str) -> Any:
    if wire in ("int", "duration_s", "duration_ms", "duration_us"):
        ok = re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) and -(2**63) <= int(text) < 2**63
        return int(text) if ok else MISSING
    if wire in ("float", "duration_s_float"):
        number = text.lstrip(" ")
        return (
            float(number) if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", number, re.ASCII) else MISSING
        )
    if wire == "boolean":
        return True if text.lower() in TRUE else False if text.lower() in FALSE else MISSING
    if wire == "epoch_s":
        match = re.fullmatch(r"(\d{1,11})(\.\d{1,9})?", text, re.ASCII)
        return (
            (int(match[1]) * 1000 + int((match[2] or ".")[1:4].ljust(3, "0")) or None) if match else MISSING
        )
    if wire == "duration_hms":
        match = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)", text, re.ASCII)
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else 2**64
        return seconds if seconds < 2**63 else MISSING
    if wire == "datetime_iso8601":
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            return MISSING
        return int(time.timestamp() * 1000) if time.tzinfo else MISSING
    return text


def unescape(text: str) -> str:
    return re.sub(r"\\([abfnrtv\\'\"?])", lambda match: PLAIN.get(match[1], match[1]), text)


def body(schema: dict[str, Any], frame: bytes, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Return the record's fields from `privilege` on, as fastavro gives them with times as numbers."""
    fields = [field for field in schema["fields"] if "ami" in field]
    record: dict[str, Any] = {"privilege": []}
    for field in fields:
        record[field["name"]] = {"map": {}, "strings": []}.get(field["wire"])
    extra: list[dict[str, str]] = []
    bytes_kept: list[dict[str, str]] = []
    used: set[str] = set()
    prefix = True
    for at, line in enumerate(frame.split(b"\r\n")):
        name, raw = split(line)
        text = raw.decode("utf-8", "replace")
        lossy = text.encode() != raw and "\ufffd" in text
        prefix = prefix and name in PREFIX
        if lossy:
            kept = "".join(chr(b) if 0x21 <= b <= 0x7E and b != 0x25 else f"%{b:02X}" for b in raw)
            bytes_kept.append({"name": f"{name}*", "value": kept})
        if at == 0:
            if schema["ami"]["event"] is None and "event" in record:
                record["event"] = text
                used.add("event")
            continue
        first = prefix and name in ENVELOPE and f"+{name}" not in used
        if first and envelope(name, text, record):
            used.add(f"+{name}")
            continue
        mine = [
            field
            for field in fields
            if field["ami"]
            == ("ChanVariable()" if re.fullmatch(r"ChanVariable\(.*\)", name, re.DOTALL) else name)
        ]
        if not fill(record, mine, used, text, zone):
            extra.append({"name": name, "value": text})
    record["extra"] = extra + bytes_kept
    return record


def envelope(name: str, text: str, record: dict[str, Any]) -> bool:
    if name == "Privilege":
        record["privilege"] = [part for part in text.split(",") if part not in ("", "all")]
    if name == "Timestamp":
        return bool(re.fullmatch(r"\d{1,11}\.\d{6}", text, re.ASCII))
    if name == "SequenceNumber" and text:
        return scalar("int", text) is not MISSING
    return True


def fill(
    record: dict[str, Any], mine: list[dict[str, Any]], used: set[str], text: str, zone: ZoneInfo | None
) -> bool:
    if not mine:
        return False
    field = mine[0]
    name, wire = field["name"], field["wire"]
    if wire == "strings":
        record[name] = [*record[name], text]
        return True
    if wire == "map":
        key, sign, value = text.partition("=")
        if not sign or key in record[name]:
            return False
        record[name][key] = unescape(value) if field.get("escaped") else value
        return True
    if name in used:
        return False
    if text in field.get("sentinels", []) or (not text and wire != "string"):
        used.add(name)
        return True
    if wire == "datetime_local":
        record[mine[1]["name"]] = text
        record[name] = local(text, zone)
        used.add(name)
        return True
    value = scalar(wire, unescape(text) if field.get("escaped") else text)
    if value is MISSING:
        return False
    record[name] = value
    used.add(name)
    return True


def local(text: str, zone: ZoneInfo | None) -> int | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if zone is None or time.tzinfo else int(time.replace(tzinfo=zone).timestamp() * 1000)
