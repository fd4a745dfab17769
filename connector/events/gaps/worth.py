"""What an event is worth to those who must do without some."""

from collections.abc import Sequence
from typing import Final

from connector.avro.schema import SchemaSet
from connector.events.entry import Entry, Origin, name_of
from connector.events.selection import named

LEAST: Final = 0
USUAL: Final = 1
MOST: Final = 2


class Ranks:
    """Gives entries a rank: LEAST, USUAL or MOST; the connector's own records always have MOST.

    Args:
        schemas: all that are known.
        expendable: terms of a selection, for what goes first.
        precious: terms for what goes last; who is named in both is expendable.

    Raises:
        SettingsError: a term names nothing.
    """

    def __init__(self, schemas: SchemaSet, expendable: Sequence[str], precious: Sequence[str]) -> None:
        ranks = [(precious, MOST, "journal.precious"), (expendable, LEAST, "journal.expendable")]
        self._ranks = {
            schema.event: rank
            for terms, rank, setting in ranks
            for term in terms
            for schema in named(term, schemas, setting)
        }

    def __call__(self, entry: Entry) -> int:
        """Return an entry's rank."""
        if entry.origin is Origin.CONNECTOR:
            return MOST
        return self._ranks.get(name_of(entry), USUAL)
