"""What a record of a request topic comes to: a request, or why it is none."""

from dataclasses import dataclass

from connector.actions.record import Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Where the response goes and what it takes back.

    `topic` is on the allow-list; `partition` None leaves it to the partitioner. `echo` are headers
    of the request that the response carries byte for byte; `correlation_id` and `cause` its
    `ce_correlationid` and `ce_id`, "" where it has none.
    """

    topic: str
    partition: int | None
    echo: tuple[tuple[str, bytes], ...] = ()
    correlation_id: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks a PBX to do.

    Args:
        record: where it stands in Kafka, and the record itself.
        request_id: the requester's; repeats are known by it.
        pbx: the PBX's name in the settings; "" where the request names none.
        action: as the requester wrote it.
        headers: the action's parameters in order, without ActionID and variables.
        variables: channel variables in order, not yet escaped.
        action_id: the requester's own ActionID, given back and never sent.
        expires_at_ms: after this instant, in milliseconds since 1970, it is not sent any more.
        timeout_ms: how long its answer may take once sent.
        accept_parts: whether a long list may come in several numbered responses.
        reply: where the response goes.
        digest: SHA-256, in hex, of what is asked: another digest under a known id is another request.
        flaw: why it can never be carried out although it could be read, in words that repeat no value;
            "" where nothing is wrong. Its answer is INVALID, and the other fields are as far as they
            could be read.
    """

    record: Incoming
    request_id: str
    pbx: str
    action: str
    headers: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    action_id: str | None = None
    expires_at_ms: int
    timeout_ms: int
    accept_parts: bool = False
    reply: Reply
    digest: str
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that is no request: it goes to the dead-letter topic.

    `reply` is where an INVALID response goes too, where the record's headers tell; `request_id` what
    could be read of it.
    """

    record: Incoming
    reason: str
    reply: Reply | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class NeedsSchema:
    """The record's schema id is not known yet: ask the registry, and decode again."""

    record: Incoming
    schema_id: int
