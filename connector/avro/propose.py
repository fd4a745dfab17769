"""Schemas for events that we do not know: from a PBX's own documentation, or from what it was heard to send.

A proposal is a catalogue row, to be looked at before it is used: names are certain, types are guessed with care, and
the docs are left for someone who knows the module. The PBX's XML gives names alone; its text is not ours to copy.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from connector.avro import generate, naming
from connector.avro.catalogue import BlockUse, Catalogue, Dynamic, Header, Row
from connector.avro.documented import documented
from connector.avro.guess import wire_type
from connector.avro.heard import Frame, Heard, listen, name_of

USER_EVENT = "UserEvent"


def from_frames(
    frames: Iterable[Frame], catalogue: Catalogue, known: Collection[tuple[str, str | None]] = ()
) -> tuple[Row, ...]:
    """Propose rows for the events in a capture that the catalogue lacks, and for each UserEvent by its sub-name.

    A frame is its headers in wire order, the first of them Event; answers and fragments are passed over. `known` are
    the events, and UserEvents by sub-name, that have a schema besides. Of names that give the same topic the first
    is proposed; the others stay generic.
    """
    spoken_for = {*known, *((str(row.event), row.user_event) for row in catalogue.rows)}
    heard: dict[tuple[str, str | None], Heard] = {}
    for frame in frames:
        name = name_of(frame)
        if name not in spoken_for and naming.snake(name[1] or name[0]):
            listen(heard.setdefault(name, Heard(*name)), frame, catalogue.blocks)
    rows: dict[str | None, Row] = {row.topic: row for row in catalogue.rows}
    for seen in heard.values():
        proposed = _row(seen, catalogue)
        rows.setdefault(proposed.topic, proposed)
    return tuple(rows.values())[len(catalogue.rows) :]


def _row(seen: Heard, catalogue: Catalogue) -> Row:
    headers = tuple(_header(seen, part) if isinstance(part, str) else part for part in seen.order)
    sub = seen.user_event
    names = {part for part in seen.order if isinstance(part, str)}
    pair = ("Uniqueid", "Linkedid" if "Linkedid" in names else None)
    blocks = tuple(
        (f"{part.prefix}Uniqueid", f"{part.prefix}Linkedid")
        for part in seen.order
        if isinstance(part, BlockUse) and part.block == "channel"
    )
    return Row(
        event=seen.event,
        doc=f"The event {sub or seen.event}; say here what it tells.",
        family="user" if sub else "other",
        record=naming.record(f"UserEvent_{sub}" if sub else seen.event),
        topic=f"user-event-{naming.kebab(sub)}" if sub else naming.kebab(seen.event),
        user_event=sub,
        classes=tuple(sorted(seen.classes)),
        kinds=("unsolicited",) if seen.classes else ("list_item",),
        selected=True,
        channels=blocks or ((pair,) if "Uniqueid" in names else ()),
        key=((USER_EVENT,),) if sub else (),
        headers=_nameable(headers, catalogue),
    )


def _header(seen: Heard, name: str) -> Header:
    wire = "strings" if name in seen.repeated else wire_type(name, seen.values.get(name, ()))
    return Header(name, wire, doc=f"{name}, as the PBX sends it.")


def _nameable(
    headers: Iterable[Header | BlockUse | Dynamic], catalogue: Catalogue
) -> tuple[Header | BlockUse | Dynamic, ...]:
    """Leave without a field what cannot have one of its own: it lands in `extra`, where nothing is lost."""
    items = tuple(headers)
    snapshots = [header for item in items if isinstance(item, BlockUse) for header in catalogue.spelt(item)]
    own = {header.name for header in snapshots}
    taken = {*naming.ENVELOPE, "channel_variables"}
    taken |= {header.field or naming.field(header.name, header.type) for header in snapshots}
    kept: list[Header | BlockUse | Dynamic] = []
    for item in items:
        if not isinstance(item, Header):
            kept.append(item)
            continue
        name = naming.field(item.name, item.type, taken)
        usable = name not in taken and name != "ami_" and item.name not in own and naming.is_legal(name)
        kept.append(replace(item, field=name) if usable else Dynamic(item.name))
        taken.add(name)
    return tuple(kept)


def from_xml(text: str, catalogue: Catalogue) -> tuple[Row, ...]:
    """Propose rows for the events that a PBX's core-en_US.xml documents and the catalogue lacks; all types are strings.

    A SchemaError says that the text is no such document.
    """
    known = {row.event.lower() for row in catalogue.rows if row.event}
    return tuple(
        _row(event, catalogue)
        for event in documented(text)
        if event.event.lower() not in known and naming.snake(event.event)
    )


def texts(rows: Iterable[Row], catalogue: Catalogue) -> dict[str, str]:
    """Return the .avsc text of each proposed row, for a directory of the user's own: {"user_event_sale.avsc": text}."""
    return {
        naming.snake(row.record) + ".avsc": generate.text(generate.schema(catalogue, row)) for row in rows
    }


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as it stands in the catalogue's events.json, ready to be pasted."""
    value: dict[str, Any] = {"doc": row.doc, "family": row.family, "class": list(row.classes)}
    value |= {"kind": list(row.kinds), "versions": list(row.versions), "selected": row.selected}
    value |= {"record": row.record, "topic": row.topic, "channels": [list(pair) for pair in row.channels]}
    value["key"] = [list(names) for names in row.key]
    if row.user_event is not None:
        value["user_event"] = row.user_event
    value["headers"] = [_item(item) for item in row.headers]
    return value


def _item(item: Header | BlockUse | Dynamic) -> dict[str, Any]:
    value: dict[str, Any] = {"dynamic": item.name} if isinstance(item, Dynamic) else {}
    if isinstance(item, BlockUse):
        value = {"block": item.block, "prefix": item.prefix, "role": item.role}
    if isinstance(item, Header):
        value = {"name": item.name, "type": item.type, "doc": item.doc, "field": item.field}
    return {key: text for key, text in value.items() if text}
