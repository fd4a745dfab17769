"""Whether an Avro schema is one that the normaliser can fill: what it writes, and what it is told, fit together.

What does not fit would make values that nobody can read, so it is refused where the file is read.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.avro.catalogue import COMPANIONS, TYPES
from connector.errors import SchemaError

_EMPTY: Final = ("strings", "map")
"""Wire types whose fields are empty where the header is missing, and never null."""

_PAIRS: Final = ([str, str], [str, type(None)])

_SECONDS: Final = {wire: (avro, first) for first, (wire, _, avro, _) in COMPANIONS.items()}


def check_properties(ami: Mapping[str, Any], where: str) -> None:
    """Look at the property `ami` of a record.

    Raises:
        SchemaError: one of its members has not the form that it must have; it is named.
    """
    for name, (fits, form) in _PROPERTIES.items():
        if name in ami and not fits(ami[name]):
            raise SchemaError(f"{where}: ami.{name} is {form}, not {ami[name]!r}")


def check_fields(own: Sequence[Mapping[str, Any]], where: str) -> None:
    """Look at an event's own fields, those between the envelope and `extra`.

    Raises:
        SchemaError: a field's Avro type is not that of its wire type, or a property has not its form.
    """
    before = ""
    for field in own:
        wire = field.get("wire", "string")
        for name, (fits, form) in _FIELD_PROPERTIES.items():
            if name in field and not fits(field[name]):
                raise SchemaError(f"{where}: {field['name']}: {name} is {form}, not {field[name]!r}")
        _check_type(field, wire, where)
        _check_pair(field, wire, before, where)
        before = wire
    if before in COMPANIONS:
        raise SchemaError(f"{where}: {own[-1]['name']}: behind {before} comes {COMPANIONS[before][0]}")


def check_frame(own: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]], where: str) -> None:
    """Compare the envelope and `extra` with those that the normaliser writes.

    Raises:
        SchemaError: a type is another; the field is named.
    """
    for theirs, known in zip(own, ours, strict=True):
        if _plain(theirs["type"]) != _plain(known["type"]):
            raise SchemaError(
                f"{where}: {known['name']} has another type than every event's: copy it from ours"
            )


def _check_type(field: Mapping[str, Any], wire: str, where: str) -> None:
    avro = _SECONDS[wire][0] if wire in _SECONDS else TYPES.get(wire)
    if avro is None:
        known = ", ".join([*TYPES, *_SECONDS])
        raise SchemaError(f"{where}: {field['name']}: no wire type {wire!r}; there are {known}")
    due = avro if wire in _EMPTY else ["null", avro]
    if _plain(field["type"]) != _plain(due):
        raise SchemaError(
            f"{where}: {field['name']}: the wire type {wire} makes {_plain(due)}, not {field['type']}"
        )


def _check_pair(field: Mapping[str, Any], wire: str, before: str, where: str) -> None:
    due = COMPANIONS[before][0] if before in COMPANIONS else None
    if due is not None and wire != due:
        raise SchemaError(f"{where}: {field['name']}: behind {before} comes {due}, not {wire}")
    if due is None and wire in _SECONDS:
        raise SchemaError(f"{where}: {field['name']}: {wire} comes behind {_SECONDS[wire][1]} alone")


def _plain(avro: Any) -> Any:
    """Return a type as its bytes are: without logical types, texts and defaults."""
    if isinstance(avro, list):
        return [_plain(branch) for branch in avro]
    if not isinstance(avro, dict):
        return avro
    kept = {name: avro[name] for name in ("name", "size", "symbols") if name in avro}
    kept |= {name: _plain(avro[name]) for name in ("items", "values") if name in avro}
    if "fields" in avro:
        kept["fields"] = [(each["name"], _plain(each["type"])) for each in avro["fields"]]
    return {"type": _plain(avro["type"]), **kept} if kept else _plain(avro["type"])


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_texts_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_texts(each) and each for each in value)


def _is_pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, list) and [*map(type, each)] in _PAIRS for each in value
    )


_TEXT: Final = (_is_text, "a string")
_FLAG: Final = (_is_flag, "true or false")
_TEXTS: Final = (_is_texts, "an array of strings")
_PROPERTIES: Final = {
    **dict.fromkeys(("event", "user_event", "topic"), (_is_text_or_none, "a string or null")),
    **dict.fromkeys(("family", "keyed_by"), _TEXT),
    **dict.fromkeys(("class", "kind"), _TEXTS),
    "selected": _FLAG,
    "channels": (_is_pairs, "an array of pairs of headers, the second of which may be null"),
    "key": (_is_texts_of_texts, "an array of arrays of headers"),
}
_FIELD_PROPERTIES: Final = {
    **dict.fromkeys(("ami", "wire", "block"), _TEXT),
    **dict.fromkeys(("escaped", "secret"), _FLAG),
    "sentinels": _TEXTS,
}
