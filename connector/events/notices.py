"""The connector's own events, as AMI messages about itself.

They are numbered and journaled like every other message and typed by `schemas/connector.avsc`; their
origin, and not their name, picks that schema, so nobody on a PBX can forge one.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from connector.ami.message import event_name, parse
from connector.events.calls import Merge
from connector.events.entry import Entry, Flaw
from connector.events.gaps.holes import SEQUENCE_HOLE, Hole
from connector.events.gaps.interruption import Change, Interruption
from connector.events.gaps.losses import FULL, GivenUp
from connector.events.integrity import SUSPECT
from connector.events.unresolved import Doubt, Sight
from connector.events.watching.delay import Delay
from connector.events.watching.heartbeat import Health

Header = str | int | None

_WORDS: Final = {None: None, True: "true", False: "false"}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


def notice(kind: str, headers: Mapping[str, Header]) -> bytes:
    """Return the frame of one of the connector's own events; None leaves a header out.

    Values may be texts of a PBX: control characters in them become a blank.
    """
    lines = [f"Event: {kind}", f"Type: {kind}"]
    lines += [
        f"{name}: {_CONTROL.sub(' ', str(value))}" for name, value in headers.items() if value is not None
    ]
    return "\r\n".join(lines).encode()


def gap(
    interruption: Interruption, change: Change, now_us: int, about: Mapping[str, Header], *, certain: bool
) -> bytes:
    """Return the record of an interruption that has ended; `certain`: events were lost in it.

    Where the clock was set back meanwhile, it is told from the earlier time to the later all the same.
    """
    headers: dict[str, Header] = {
        "Reason": interruption.reason,
        "Loss": "certain" if certain else "possible",
        "From": min(interruption.since_us, now_us),
        "To": max(interruption.since_us, now_us),
        "NodeChanged": _WORDS[change.node_changed],
        "Restarted": _WORDS[change.restarted],
    }
    return notice("gap", {**headers, **about})


class Told(NamedTuple):
    """What the record of an interruption says: `lasted_us` in microseconds."""

    reason: str
    loss: str
    lasted_us: int


def told(frame: bytes) -> Told | None:
    """Read what `gap` has made; None for another record."""
    record = parse(frame)
    if record.get("Event") != "gap":
        return None
    return Told(record.get("Reason"), record.get("Loss"), int(record.get("To")) - int(record.get("From")))


def loss(lost: GivenUp, epoch: int) -> bytes:
    """Return the record that names what the journal has lost; `epoch` is that of the record."""
    full = lost.reason == FULL
    headers: dict[str, Header] = {
        "Reason": lost.reason,
        "Loss": "certain",
        "FirstSequence": lost.first or None,
        "LastSequence": lost.last,
        "FirstEpoch": None if lost.epoch == epoch else lost.epoch or None,
        "Count": lost.events,
        "Bytes": lost.size,
        "SubjectEvent": lost.event,
    }
    times: dict[str, Header] = {} if full else {"From": lost.from_us, "To": lost.to_us}
    return notice("overflow" if full else "gap", headers | times)


def hole(missing: Hole) -> bytes:
    """Return the record that says which of the PBX's own numbers were not read."""
    headers: dict[str, Header] = {
        "Reason": SEQUENCE_HOLE,
        "Message": f"SequenceNumber {missing.first} to {missing.last}",
        "Loss": "certain",
        "From": missing.from_us,
        "To": missing.to_us,
        "Count": missing.size,
    }
    return notice("gap", headers)


def heartbeat(health: Health, events: int, delay: Delay) -> bytes:
    """Return the record that says how the road fares; `events` were read in this session."""
    headers = {
        "Connector": health.connector,
        "ConnectorVersion": health.version,
        "LagMs": None if delay.longest_us is None else delay.longest_us // 1_000,
        "OffsetMs": None if delay.offset_us is None else round(delay.offset_us / 1_000),
        "JournalEntries": health.depth.entries,
        "JournalBytes": health.depth.size,
        "OldestAt": health.depth.oldest_us,
        "Events": events,
        "Published": health.published,
    }
    return notice("heartbeat", headers)


def merge(merged: Merge) -> bytes:
    """Return the record that says which Linkedid a call has now."""
    headers = {
        "Uniqueid": merged.unique,
        "Root": merged.root,
        "PreviousLinkedid": merged.previous,
        "Linkedid": merged.linked,
    }
    return notice("merge", headers)


def suspect(entry: Entry, flaw: Flaw) -> bytes:
    """Return the record that names an event which does not pass as genuine."""
    headers = {
        "Reason": SUSPECT,
        "Message": flaw.detail,
        "SubjectEvent": event_name(entry.frame) or None,
        "SubjectEventId": entry.event_id,
    }
    return notice("suspect", headers)


def resolved(doubt: Doubt, sight: Sight) -> bytes:
    """Return the record that says what became of an action whose answer is unknown."""
    headers = {
        "Message": sight.message,
        "SubjectEvent": sight.event,
        "Action": doubt.action,
        "Uniqueid": doubt.call_id,
        "RequestId": doubt.request_id,
        "RequestRecord": doubt.record,
        "Executed": "yes",
        "Outcome": sight.outcome,
    }
    return notice("action_resolved", headers)
