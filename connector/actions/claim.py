"""What is kept of a request in the claims topic: that it was begun, and how it ended."""

from dataclasses import dataclass

from connector.actions.response import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request's claim; `outcome` None while it is begun and not final.

    Args:
        request_id: the requester's.
        pbx: the PBX it is for.
        action: as the requester wrote it.
        digest: the request's, by which other content under the same id is told; "" in a claim that could
            not be read but for its key: whatever is asked under its id is taken for other content, since
            it may have been done.
        topic: the request topic.
        offset: the request's offset in its partition.
        owner: who begun it, for people.
        at_ms: when, in milliseconds since 1970.
        outcome: how it ended; without lists where they were too large to keep (`truncated`).
    """

    request_id: str
    pbx: str
    action: str
    digest: str
    topic: str
    offset: int
    owner: str
    at_ms: int
    outcome: Outcome | None = None
