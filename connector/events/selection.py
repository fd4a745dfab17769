"""Which events are published: the operator's list against the schemas that exist."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from connector.avro.schema import EventSchema, SchemaSet
from connector.errors import SettingsError
from connector.events.lists import restoring

DEFAULT: Final = "@default"
ALL: Final = "@all"
UNKNOWN: Final = "@unknown"


class Selection:
    """The schemas whose events are published.

    Args:
        schemas: all that are known.
        terms: read from left to right, each adds or, with a leading `-`, takes away: an event's
            name, `@<family>`, `@default`, `@all`, or `@unknown` (events without a schema).
        snapshots: whether lists are asked that tell the state behind these events; their items are
            published too, unless a term takes them away.

    Raises:
        SettingsError: a term names nothing; the nearest names are given.
    """

    def __init__(
        self, schemas: SchemaSet, terms: Sequence[str] = (DEFAULT, UNKNOWN), *, snapshots: bool = False
    ) -> None:
        chosen: set[EventSchema] = set()
        unwanted: set[EventSchema] = set()
        for term in terms:
            meant = set(named(term.removeprefix("-"), schemas))
            if term.startswith("-"):
                chosen, unwanted = chosen - meant, unwanted | meant
            else:
                chosen, unwanted = chosen | meant, unwanted - meant
        self.chosen: Final = frozenset({*chosen, schemas.connector})
        self.lists: Final = restoring([schema.event for schema in chosen]) if snapshots else ()
        items = {schemas.lookup(item) for each in self.lists for item in each.items}
        self.listed: Final = frozenset(items - unwanted)

    def __contains__(self, schema: EventSchema) -> bool:
        """Tell whether a PBX's own events of this schema are published."""
        return schema in self.chosen

    @property
    def schemas(self) -> list[EventSchema]:
        """What is published, items of lists too, by event name."""
        return sorted(self.chosen | self.listed, key=lambda schema: (schema.event, schema.user_event))


def named(term: str, schemas: SchemaSet, setting: str = "events.select") -> Iterable[EventSchema]:
    """Return the schemas that a term of a setting names.

    Raises:
        SettingsError: it names nothing; the nearest names are given.
    """
    if term == DEFAULT:
        return [schema for schema in schemas if schema.selected]
    if term == ALL:
        return [*schemas, schemas.unknown]
    if term == UNKNOWN:
        return [schemas.unknown]
    found = [schema for schema in schemas if term in (schema.event, f"@{schema.family}")]
    if not found:
        raise SettingsError(f"{setting}: {term!r} names no event or family{_nearest(term, schemas)}")
    return found


def _nearest(term: str, schemas: SchemaSet) -> str:
    names = {schema.event for schema in schemas} | {f"@{schema.family}" for schema in schemas}
    near = difflib.get_close_matches(term, sorted(names), n=3)
    return f"; near to it: {', '.join(near)}" if near else ""
