"""Requests whose writer's schema is not known yet."""

from collections.abc import Iterable, MutableMapping, Sequence

from connector.actions.dispatch.ticket import Ticket
from connector.actions.reading.reader import RequestReader
from connector.actions.record import Incoming
from connector.actions.request import NeedsSchema
from connector.avro.codec import schema_id_of


class Unread:
    """Reads requests, and those that need a schema again when it is known.

    Args:
        reader: reads one.
        texts: writers' schemas by id, as far as they are known; learned ones are added.
    """

    def __init__(self, reader: RequestReader, texts: MutableMapping[int, str]) -> None:
        self._reader = reader
        self._texts = texts
        self._tickets: dict[int, list[Ticket]] = {}
        self._wanted: list[int] = []

    def take(self, ticket: Ticket) -> None:
        """Read a request, if that can be done yet."""
        read = self._reader.read(ticket.record, self._texts)
        if not isinstance(read, NeedsSchema):
            ticket.request = read
            return
        if read.schema_id not in self._tickets:
            self._tickets[read.schema_id] = []
            self._wanted.append(read.schema_id)
        self._tickets[read.schema_id].append(ticket)

    def missing(self, records: Iterable[Incoming]) -> frozenset[int]:
        """Return the ids of schemas that are not known and by which claims were written."""
        ids = {schema_id_of(record.value) for record in records if record.value is not None}
        return frozenset(each for each in ids if each is not None and each not in self._texts)

    def wanted(self) -> Sequence[int]:
        """Return the ids of schemas that were not asked for yet."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def learned(self, schema_id: int, text: str | None) -> Sequence[Ticket]:
        """Take a schema; return the requests that can be read now. None: there is none with this id."""
        if text is not None:
            self._texts[schema_id] = text
        tickets = self._tickets.pop(schema_id, [])
        for ticket in tickets:
            if text is None:
                reason = f"the registry has no schema with the id {schema_id}"
                ticket.request = self._reader.undecodable(ticket.record, reason)
            else:
                self.take(ticket)
        return tickets
