"""Whether the connector does its work at this moment: each condition, and why it holds or does not."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from connector.status.board import Board, Pbx

FULL: Final = 0.9
"""The share of its bound from which on a journal counts as full."""


class Wanted(NamedTuple):
    """What is to be judged: the roads that run, and when Kafka is silent for too long.

    `pbxs`: whether all PBXs must be up or any of them. Kafka must have taken something within `silence_s` seconds, and
    nothing may wait for longer than `waits_s`.
    """

    pbxs: Literal["all", "any"] = "all"
    events: bool = True
    actions: bool = False
    silence_s: float = 90.0
    waits_s: float = 30.0


class Condition(NamedTuple):
    """One condition: what it is about, whether it holds, and what was seen."""

    name: str
    holds: bool
    reason: str


class Readiness(NamedTuple):
    """Whether all that must hold holds, and each condition."""

    ready: bool
    conditions: Sequence[Condition]


def readiness(board: Board, wanted: Wanted, now_us: int) -> Readiness:
    """Judge a board at a time in microseconds since 1970."""
    ends = [_kafka(board, wanted, now_us)]
    if board.stopping:
        ends.append(Condition("running", holds=False, reason="the connector is being stopped"))
    if wanted.actions:
        ends.append(_requests(board))
    if not wanted.events:
        return Readiness(all(each.holds for each in ends), ends)
    by_pbx = [[*_of_pbx(name, pbx)] for name, pbx in board.pbxs.items()]
    enough = all if wanted.pbxs == "all" else any
    ready = all(each.holds for each in ends) and enough(all(each.holds for each in pbx) for pbx in by_pbx)
    return Readiness(ready, [each for pbx in by_pbx for each in pbx] + ends)


def _of_pbx(name: str, pbx: Pbx) -> Iterator[Condition]:
    yield Condition(f"pbx.{name}.session", pbx.up, _session(pbx))
    yield _running(name, pbx)
    yield _journal(name, pbx)


def _session(pbx: Pbx) -> str:
    if pbx.up:
        return f"logged in at {pbx.address}"
    return pbx.trouble.reason if pbx.trouble else "not logged in yet"


def _running(name: str, pbx: Pbx) -> Condition:
    """Say whether the PBX itself is up; an account that may not ask CoreStatus has its login for an answer."""
    about = f"pbx.{name}.up"
    if not pbx.up:
        return Condition(about, holds=False, reason="not known without a session")
    if pbx.stalled:
        return Condition(about, holds=False, reason="the session brings no events: a canary was not seen")
    if pbx.started:
        return Condition(about, holds=True, reason=f"CoreStatus: up since {pbx.started}, in its own time")
    return Condition(
        about, holds=True, reason="it took the login; CoreStatus told nothing, the account may lack the right"
    )


def _journal(name: str, pbx: Pbx) -> Condition:
    about, sample = f"pbx.{name}.journal", pbx.samples.latest
    if pbx.journal_trouble:
        return Condition(about, holds=False, reason=pbx.journal_trouble.reason)
    if sample is None:
        return Condition(about, holds=False, reason="not measured yet")
    used = sample.size / sample.limit if sample.limit else 0.0
    return Condition(about, used < FULL, f"{sample.entries:,} events wait, {used:.0%} of its bound")


def _kafka(board: Board, wanted: Wanted, now_us: int) -> Condition:
    seen = board.acknowledged_us
    if board.kafka_trouble:
        return Condition("kafka", holds=False, reason=board.kafka_trouble.reason)
    if seen is None:
        return Condition("kafka", holds=False, reason="it has acknowledged nothing yet")
    if not wanted.events:
        return Condition("kafka", holds=True, reason="no trouble since it was last heard of")
    waits_s = max((_waits_us(pbx, now_us) for pbx in board.pbxs.values()), default=0) / 1_000_000
    if waits_s > wanted.waits_s:
        return Condition("kafka", holds=False, reason=f"events have waited for it for {waits_s:.0f} s")
    silence_s = (now_us - seen) / 1_000_000
    reason = f"it acknowledged records {max(silence_s, 0):.0f} s ago"
    return Condition("kafka", silence_s <= wanted.silence_s, reason)


def _waits_us(pbx: Pbx, now_us: int) -> int:
    """Return how long an event has waited: since it was read, or since Kafka has taken something, if that is later."""
    sample = pbx.samples.latest
    if sample is None or sample.oldest_us is None:
        return 0
    return now_us - sample.oldest_us


def _requests(board: Board) -> Condition:
    count = len(board.partitions)
    reason = f"{count} partitions of requests are ours" if count else "no partition of requests is ours"
    return Condition("requests", bool(count), reason)
