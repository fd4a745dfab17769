"""The catalogue: what we know of AMI's events, read from our own data; every .avsc is written from it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connector.avro import naming
from connector.errors import SchemaError

EVENTS = "org.amikafka.events"

#: Avro's type for each wire type: what AMI prints, and what it becomes.
TYPES: dict[str, Any] = {
    "string": "string",
    "int": "long",
    "float": "double",
    "boolean": "boolean",
    "epoch_s": {"type": "long", "logicalType": "timestamp-millis"},
    "epoch_us": {"type": "long", "logicalType": "timestamp-millis"},
    "datetime_iso8601": {"type": "long", "logicalType": "timestamp-millis"},
    "datetime_local": {"type": "long", "logicalType": "timestamp-millis"},
    "duration_s": "long",
    "duration_ms": "long",
    "duration_us": "long",
    "duration_s_float": "double",
    "duration_hms": "long",
    "strings": {"type": "array", "items": "string"},
    "map": {"type": "map", "values": "string"},
}

#: What the second of two adjacent fields holds, where one header makes two: (wire type, suffix of the name, type, doc).
COMPANIONS: dict[str, tuple[str, str, str, str]] = {
    "datetime_local": ("text_of_local", "_text", "string", "as the PBX wrote it, without a zone"),
    "epoch_us": ("us_of_epoch", "_us", "long", "in microseconds since 1970"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """One header of an event, with the wire type that its text has and the texts that mean nothing.

    `in_extra` says that it stays in `extra` beside its field, as it must for the major version in which it got one;
    `optional` that its snapshot is whole without it; `secret` that nobody should read it who need not.
    """

    name: str
    type: str = "string"
    doc: str = ""
    escaped: bool = False
    sentinels: tuple[str, ...] = ()
    field: str | None = None
    block: str | None = None
    in_extra: bool = False
    optional: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class BlockUse:
    """A snapshot at its place in an event: which block, with what prefix, of whom."""

    block: str
    prefix: str = ""
    role: str | None = None
    sentinels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Headers whose names are made while they are written; they have no field and land in `extra`."""

    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """Headers that Asterisk always prints together in one order; `{role}` in their docs is who they speak of."""

    name: str
    role: str
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One event: where it comes from, where it goes, by what it is keyed, and its headers in wire order."""

    event: str | None
    doc: str
    family: str
    record: str
    topic: str | None
    namespace: str = EVENTS
    user_event: str | None = None
    classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("unsolicited",)
    versions: tuple[int, ...] = ()
    selected: bool = False
    channels: tuple[tuple[str, str | None], ...] = ()
    keyed_by: str = "call"
    key: tuple[tuple[str, ...], ...] = ()
    natural_key: tuple[str, ...] = ()
    headers: tuple[Header | BlockUse | Dynamic, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the schemas are written from."""

    rows: tuple[Row, ...]
    blocks: Mapping[str, Block]
    glossary: Mapping[str, str] = field(default_factory=dict)
    envelope: tuple[Mapping[str, Any], ...] = ()

    def flat(self, row: Row) -> tuple[Header, ...]:
        """Return a row's headers with its snapshots spelt out and every doc filled in, in wire order."""
        return tuple(header for item in row.headers for header in self.spelt(item))

    def spelt(self, item: Header | BlockUse | Dynamic) -> Iterable[Header]:
        """Give the headers that one item of a row stands for: a snapshot's in their order, none for a dynamic one."""
        if isinstance(item, BlockUse):
            return _prefixed(self.blocks[item.block], item)
        if isinstance(item, Header):
            return (replace(item, doc=item.doc or self.glossary.get(item.name, "")),)
        return ()


def _prefixed(block: Block, use: BlockUse) -> Iterable[Header]:
    label = f"{block.name}:{use.prefix}" if use.prefix else block.name
    for header in block.headers:
        named = naming.variables(use.prefix) if header.type == "map" else None
        doc = header.doc.replace("{role}", use.role or block.role)
        sentinels = (*header.sentinels, *use.sentinels.get(header.name, ()))
        yield replace(
            header, name=use.prefix + header.name, doc=doc, field=named, block=label, sentinels=sentinels
        )


def parse(texts: Mapping[str, str]) -> Catalogue:
    """Read the catalogue's files, name to text; a SchemaError names the file and the row that is wrong."""
    parts = {name: _json(name, text) for name, text in texts.items()}
    try:
        events = parts["events.json"]
        rows = [row(name, value) for name, value in events.items()]
        rows += [row(value.get("event"), value) for value in parts["records.json"].values()]
        blocks = {name: _block(name, value) for name, value in parts["blocks.json"].items()}
        return Catalogue(tuple(rows), blocks, parts["glossary.json"], tuple(parts["envelope.json"]))
    except KeyError as missing:
        raise SchemaError(f"the catalogue lacks {missing}") from missing


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SchemaError(f"{name}: {error}") from error


def _block(name: str, value: Mapping[str, Any]) -> Block:
    return Block(name, value["role"], tuple(_header(name, item) for item in value["headers"]))


def row(event: str | None, value: Mapping[str, Any]) -> Row:
    """Read one event's row; what it leaves out follows from its name (record, topic) and its snapshots (channels)."""
    items = tuple(_item(str(event), item) for item in value.get("headers", ()))
    name = event or ""
    return Row(
        event=event,
        doc=value["doc"],
        family=value["family"],
        record=value.get("record", naming.record(name)),
        topic=value["topic"] if "topic" in value else naming.kebab(name),
        namespace=value.get("namespace", EVENTS),
        user_event=value.get("user_event"),
        classes=tuple(value.get("class", ())),
        kinds=tuple(value.get("kind", ("unsolicited",))),
        versions=tuple(value.get("versions", ())),
        selected=value.get("selected", False),
        channels=_channels(value, items),
        keyed_by=value.get("keyed_by", "call"),
        key=tuple(tuple(names) for names in value.get("key", ())),
        natural_key=tuple(value.get("natural_key", ())),
        headers=items,
    )


def _channels(
    value: Mapping[str, Any], items: Iterable[Header | BlockUse | Dynamic]
) -> tuple[tuple[str, str | None], ...]:
    if "channels" in value:
        return tuple((one, other) for one, other in value["channels"])
    uses = (item.prefix for item in items if isinstance(item, BlockUse) and item.block == "channel")
    return tuple((f"{prefix}Uniqueid", f"{prefix}Linkedid") for prefix in uses)


def _item(place: str, item: Any) -> Header | BlockUse | Dynamic:
    if isinstance(item, Mapping):
        if "block" in item:
            sentinels = {name: tuple(texts) for name, texts in item.get("sentinels", {}).items()}
            return BlockUse(item["block"], item.get("prefix", ""), item.get("role"), sentinels)
        if "dynamic" in item:
            return Dynamic(item["dynamic"])
    return _header(place, item)


def _header(place: str, item: Any) -> Header:
    if isinstance(item, str):
        return Header(item)
    header = Header(
        item["name"],
        item.get("type", "string"),
        item.get("doc", ""),
        item.get("escaped", False),
        tuple(item.get("sentinels", ())),
        item.get("field"),
        in_extra=item.get("in_extra", False),
        optional=item.get("optional", False),
        secret=item.get("secret", False),
    )
    if header.type not in TYPES:
        raise SchemaError(f"{place}: {header.name} has the unknown wire type {header.type!r}")
    return header
