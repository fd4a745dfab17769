"""What a release has promised: each later schema reads its records, and is read by its readers, with the same meaning.

Two questions are asked of each released version. The first is Avro's own, both ways (FULL, against every version:
TRANSITIVE). The second is ours, since Avro lets through what a consumer cannot live with: a changed unit or doc, a
rename by alias, another key, a header that has left `extra` at once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.avro.resolution import full_name, unreadable
from connector.errors import SchemaError

#: Properties that consumers, or the normaliser, build upon; the rest (class, kind, versions, selected) may grow.
_ROUTE = ("event", "user_event", "topic", "family", "channels", "keyed_by", "key", "natural_key")

_FROZEN_FIELD = {
    "doc": "doc-changed",
    "default": "default-changed",
    "ami": "header-changed",
    "escaped": "meaning-changed",
    "sentinels": "meaning-changed",
    "aliases": "alias",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: where (record and field), by which rule, and what."""

    where: str
    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Released:
    """One schema as a release has published it."""

    name: str
    version: str
    schema: Mapping[str, Any]


def read(text: str) -> tuple[Released, ...]:
    """Read the released versions, one JSON line each, oldest first; a SchemaError names the line that is wrong."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            value = json.loads(line)
            found.append(Released(value["name"], value["version"], value["schema"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SchemaError(f"released.jsonl:{number}: {error!r}") from error
    return tuple(found)


def release(released: Iterable[Released], present: Iterable[Mapping[str, Any]], version: str) -> str:
    """Return the lines that a release appends: each schema that is new or not as last released.

    A SchemaError says that the version was released before: what is published stays.
    """
    last: dict[str, Mapping[str, Any]] = {}
    for one in released:
        if one.version == version:
            raise SchemaError(f"{version} is released already: give the next version")
        last[one.name] = one.schema
    lines = (
        {"name": full_name(schema), "version": version, "schema": schema}
        for schema in present
        if last.get(full_name(schema)) != schema
    )
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def check(released: Iterable[Released], present: Iterable[Mapping[str, Any]], version: str) -> list[Finding]:
    """Hold the present schemas, about to be released as `version`, against every released version of each."""
    now = {full_name(schema): schema for schema in present}
    found: set[Finding] = set()
    for old in released:
        new = now.get(old.name)
        if new is None:
            found.add(_gone(old, now.values()))
            continue
        where = f"{old.name} against {old.version}"
        found |= {Finding(where, "not-backward", why) for why in unreadable(new, old.schema)}
        found |= {Finding(where, "not-forward", why) for why in unreadable(old.schema, new)}
        same_major = old.version.split(".")[0] == version.split(".", maxsplit=1)[0]
        found |= set(_changes(old.name, old.schema, new, same_major=same_major))
    return sorted(found)


def _gone(old: Released, present: Iterable[Mapping[str, Any]]) -> Finding:
    event = old.schema.get("ami", {}).get("event")
    for schema in present:
        if schema["name"] == old.name.rpartition(".")[2] or (
            event and schema.get("ami", {}).get("event") == event
        ):
            return Finding(
                old.name, "name-changed", f"was released under this name and is {full_name(schema)} now"
            )
    return Finding(old.name, "schema-removed", f"was released in {old.version} and is gone")


def _changes(
    place: str, old: Mapping[str, Any], new: Mapping[str, Any], *, same_major: bool
) -> Iterator[Finding]:
    if old.get("doc") != new.get("doc"):
        yield Finding(place, "doc-changed", "the text of a released schema is frozen")
    yield from _routes(place, old.get("ami", {}), new.get("ami", {}))
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name in before.keys() - after.keys():
        yield Finding(f"{place}.{name}", "field-removed", "a released field stays; leave it null")
    for name, field in before.items():
        if name in after:
            yield from _field(f"{place}.{name}", field, after[name], same_major=same_major)
    for name in after.keys() - before.keys():
        if same_major and "ami" in after[name] and not after[name].get("in_extra"):
            yield Finding(
                f"{place}.{name}",
                "left-extra",
                "a header that gets a field stays in `extra` for this major version: in_extra",
            )


def _routes(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    for name in _ROUTE:
        if old.get(name) != new.get(name):
            yield Finding(place, "route-changed", f"{name} was {old.get(name)!r} and is {new.get(name)!r}")


def _field(
    place: str, old: Mapping[str, Any], new: Mapping[str, Any], *, same_major: bool
) -> Iterator[Finding]:
    for key, rule in _FROZEN_FIELD.items():
        was, now = old.get(key, "absent"), new.get(key, "absent")
        if was != now:
            yield Finding(place, rule, f"{key} was {was!r} and is {now!r}")
    if old.get("wire") != new.get("wire"):
        yield Finding(
            place,
            "unit-changed",
            f"the wire type was {old.get('wire')} and is {new.get('wire')}: add a field instead",
        )
    if same_major and old.get("in_extra") and not new.get("in_extra"):
        yield Finding(place, "left-extra", "in_extra may end with the next major version")
    yield from _types(place, old["type"], new["type"])


def _types(place: str, old: Any, new: Any) -> Iterator[Finding]:
    """Hold two types against each other; a record grows wherever it stands, in a union or an array too."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for was, now in zip(old, new, strict=True):
            yield from _types(place, was, now)
    elif _are("array", old, new):
        yield from _types(place, old["items"], new["items"])
    elif _are("record", old, new):
        yield from _changes(place, old, new, same_major=False)
    elif old != new:
        yield Finding(place, _type_rule(old, new), f"the type was {old} and is {new}")


def _are(kind: str, *types: Any) -> bool:
    return all(isinstance(each, Mapping) and each["type"] == kind for each in types)


def _type_rule(old: Any, new: Any) -> str:
    branches_old, branches_new = ([one] if not isinstance(one, list) else one for one in (old, new))
    if len(branches_old) != len(branches_new):
        return "union-changed"
    bare = [
        [one.get("type") if isinstance(one, Mapping) else one for one in side]
        for side in (branches_old, branches_new)
    ]
    return "logical-type-changed" if bare[0] == bare[1] else "type-changed"
