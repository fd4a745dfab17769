"""Dead letters of events: what of an entry goes with one, and the entry again.

What was decided about an event on arrival does not follow from its bytes (its number, its call, who
spoke), so it stands in a header of its own. With it a dead letter becomes the same record, under the same
key and id, once what has made it one is mended.
"""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeGuard

from connector.dead_letters import cause_of, error_headers
from connector.events.entry import UNFORESEEN, Entry, Flaw, Origin, Source
from connector.events.integrity import SUSPECT
from connector.percent import path_part

Headers = list[tuple[str, bytes]]

ENTRY: Final = "ami_kafka_entry"
"""The header with what was decided on arrival."""

SIZE: Final = "ami_kafka_size"
"""The header that tells how large a frame was that is not kept whole."""

WHERE: Final = "connector.events.records.translate"
"""What the dead letters of events name as the part of the connector that gave them up."""


class Unfit(NamedTuple):
    """Why a dead letter cannot become a record."""

    reason: str


def dead_letter_headers(entry: Entry, flaw: Flaw, stage: str, topic: str, connector: str) -> Headers:
    """Return a dead letter's headers: Kafka Connect's for errors, CloudEvents', and what `entry_of` needs."""
    return [
        *error_headers(
            topic=topic,
            connector=connector,
            stage=stage,
            where=WHERE,
            reason=flaw.reason,
            detail=flaw.detail,
        ),
        ("ce_specversion", b"1.0"),
        ("ce_id", entry.event_id.encode()),
        ("ce_type", b"org.amikafka.events.DeadLetter"),
        ("ce_source", f"/asterisk/{path_part(entry.source.pbx)}".encode()),
        ("content-type", b"application/octet-stream"),
        (ENTRY, _decided(entry)),
    ]


def _decided(entry: Entry) -> bytes:
    decided = [
        list(entry.source),
        entry.sequence,
        entry.received_us,
        entry.origin,
        entry.root,
        entry.flaw,
        entry.snapshot_id,
        entry.recovered,
        entry.masked,
    ]
    return json.dumps(decided, separators=(",", ":")).encode()


def entry_of(value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Entry | Unfit:
    """Return the entry that a dead letter was, or why it cannot be one again."""
    told = dict(headers)
    if cause_of(headers).where != WHERE:
        # A requester chooses his record's headers, and must not make events with them.
        return Unfit("it is a request that could not be read: only its requester can send it again")
    if value is None or SIZE in told:
        kept = f"only {len(value or b'')} of {(told.get(SIZE) or b'?').decode()} bytes were kept"
        return Unfit(f"it is not whole: {kept}")
    try:
        entry = _entry(value, json.loads(told.get(ENTRY) or b""))
    except (ValueError, TypeError, RecursionError):
        return Unfit("nothing says its call and number: it was written by another version")
    if entry.flaw is not None and entry.flaw.reason == UNFORESEEN:
        return Unfit(f"its call is not known: the connector failed at it on arrival ({entry.flaw.detail})")
    if entry.flaw is not None and entry.flaw.reason != SUSPECT:
        return Unfit(f"it was never an event ({entry.flaw.reason}): {entry.flaw.detail}")
    return entry


def _entry(frame: bytes, decided: list[object]) -> Entry:
    source, sequence, received_us, origin, root, flaw, snapshot_id, recovered, masked = decided
    if not (_is_long(sequence) and _is_long(received_us)):
        raise TypeError
    flawed = Flaw(*map(str, flaw)) if isinstance(flaw, list) else None
    return Entry(
        _source(source),
        sequence,
        received_us,
        Origin(str(origin)),
        root if isinstance(root, str) else None,
        frame,
        flawed,
        snapshot_id=snapshot_id if isinstance(snapshot_id, str) else None,
        recovered=bool(recovered),
        masked=masked if isinstance(masked, str) else None,
    )


def _is_long(value: object) -> TypeGuard[int]:
    """Say whether a value is a number that an entry may have; a time beyond is one that no calendar has."""
    return isinstance(value, int) and 0 <= value < 1 << 60


def _source(told: object) -> Source:
    match told:
        case [
            str() as pbx,
            int() as epoch,
            None | str() as system,
            None | str() as asterisk,
            None | str() as ami,
        ] if _is_long(epoch):
            return Source(pbx, epoch, system, asterisk, ami)
    raise TypeError
