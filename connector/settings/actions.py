"""The tables of the road back: `[actions]` and what stands below it, `[pbx.NAME.actions]`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from connector.actions.dispatch.limits import Limit
from connector.actions.policy.policy import Policy
from connector.actions.policy.profiles import ProfileName
from connector.actions.policy.rules import Bounds, Rule
from connector.ami.catalogue import ActionCatalogue
from connector.settings.kinds import Bounds as Within
from connector.settings.kinds import (
    Bytes,
    Count,
    Line,
    Name,
    Rate,
    ReplyTopic,
    Seconds,
    Secret,
    Span,
    TopicName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionAccount:
    """`[pbx.NAME.actions]`: the account and the number of sessions for actions, where they are others.

    Without `username` the PBX's own account runs them. `sessions` counts those for plain actions; the one
    for calls comes beside them.
    """

    username: Line | None = None
    secret: Secret | None = None
    sessions: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard(Bounds):
    """`[actions.policy]`: what holds where no rule applies, and what rules may touch that do not say."""

    profile: ProfileName = "read-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLimit:
    """`[[actions.limits.channels]]`: limits for actions whose `Channel` begins with `prefix`."""

    prefix: Line
    actions_per_s: Rate | None = None
    calls_per_s: Rate | None = None
    calls_in_flight: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`[actions.limits]`: what each PBX bears; what is over waits until it expires."""

    actions_per_s: Rate | None = None
    calls_per_s: Rate | None = None
    calls_in_flight: Count | None = None
    channels: tuple[ChannelLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """`[actions]`: whoever may write to the request topics may ask for actions; without it nobody.

    `requests`, `responses` and `claims` name the topics of the Avro pair; those of the JSON pair have
    `.json` behind. `instance_id` makes the transactional id a lasting one; two processes must not have
    the same. `drain_s` is how long what is in flight may take when partitions go to another owner, and
    at the end. What is not set of names begins with `events.topic_prefix`.
    """

    format: Literal["auto", "avro", "json", "both"] = "auto"
    requests: TopicName | None = None
    responses: TopicName | None = None
    claims: TopicName | None = None
    reply_topics: tuple[ReplyTopic, ...] = ()
    group: Line | None = None
    instance_id: Name | None = None
    ttl_ms: Span = 30_000
    max_ttl_ms: Span = 3_600_000
    timeout_ms: Span = 30_000
    max_timeout_ms: Span = 600_000
    max_request_bytes: Bytes = 262_144
    max_response_bytes: Bytes = 900_000
    claim_answer_bytes: Annotated[int, Within(0, 1 << 20)] = 4096
    require_pbx: bool = False
    unknown_parameters: Literal["warn", "refuse", "ignore"] = "warn"
    sessions: Count = 2
    max_in_flight: Count = 64
    max_waiting: Count = 1000
    drain_s: Seconds = 30.0
    transaction_timeout_ms: Annotated[int, Within(1000, 900_000)] = 10_000
    mask_secrets: bool = True
    channel_id: bool = True
    policy: Standard = Standard()
    rules: tuple[Rule, ...] = ()
    limits: Limits = Limits()

    def judge(self, catalogue: ActionCatalogue) -> Policy:
        """Return the policy of `[actions.policy]` and `[[actions.rules]]`."""
        return Policy(catalogue, self.policy.profile, self.policy, self.rules)

    @property
    def bounds(self) -> tuple[Limit, ...]:
        """What each PBX bears, all channels first."""
        return (_limit("", self.limits), *(_limit(each.prefix, each) for each in self.limits.channels))


def _limit(channel: str, said: Limits | ChannelLimit) -> Limit:
    return Limit(
        channel=channel,
        actions_per_s=said.actions_per_s,
        calls_per_s=said.calls_per_s,
        calls_in_flight=said.calls_in_flight,
    )
