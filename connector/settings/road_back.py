"""What follows from the settings for the road back: its topics, its group, its accounts."""

import fnmatch
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from connector.actions.pair import Form, Pair
from connector.actions.reading.reader import RequestRules
from connector.ami.steps import Account
from connector.errors import SettingsError
from connector.settings.actions import Actions
from connector.settings.sections import Pbx, Settings, TopicFamily

REQUESTS: Final = "actions"
RESPONSES: Final = "responses"
CLAIMS: Final = "claims"
FAMILIES: Final = (REQUESTS, RESPONSES, CLAIMS)
"""The families of the topics of the road back, as `[topics.families]` names them."""

COMPACTED: Final = frozenset({"compact", "delete"})
"""What a claims topic's cleanup.policy must be: the last claim of a request stays, until it is old."""

_DAY_MS: Final = 86_400_000
_LONGEST_GROUP: Final = 200
_POLL_MS: Final = 300_000
_POLL_OPTION: Final = "max.poll.interval.ms"


def actions(settings: Settings) -> Actions:
    """Return the table `[actions]`.

    Raises:
        SettingsError: it is not there.
    """
    if settings.actions is None:
        raise SettingsError("actions: must be set, [actions]; without it no action is run")
    return settings.actions


def pairs(settings: Settings) -> tuple[Pair, ...]:
    """Return the request topics with what belongs to them; none without `[actions]`."""
    if settings.actions is None:
        return ()
    named, prefix = settings.actions, settings.events.topic_prefix
    requests = named.requests or f"{prefix}.{REQUESTS}"
    responses = named.responses or f"{prefix}.{RESPONSES}"
    claims = named.claims or f"{prefix}.{CLAIMS}"
    return tuple(
        Pair(requests + ending, responses + ending, claims + ending, form)
        for form in _forms(settings)
        for ending in (_ENDINGS[form],)
    )


_ENDINGS: Final[dict[Form, str]] = {"avro": "", "json": ".json"}


def _forms(settings: Settings) -> tuple[Form, ...]:
    form = actions(settings).format
    if form == "auto":
        return ("avro",) if settings.registry else ("json",)
    return ("avro", "json") if form == "both" else (form,)


def request_rules(settings: Settings) -> RequestRules:
    """Return by what requests are read."""
    own = actions(settings)
    return RequestRules(
        pairs=pairs(settings),
        reply_topics=own.reply_topics,
        ttl_ms=own.ttl_ms,
        max_ttl_ms=own.max_ttl_ms,
        timeout_ms=own.timeout_ms,
        max_timeout_ms=own.max_timeout_ms,
        max_bytes=own.max_request_bytes,
    )


def group(settings: Settings) -> str:
    """Return the consumer group: one for each set of PBXs, so that every set reads all requests."""
    own = actions(settings).group
    if own is not None:
        return own
    names = "+".join(sorted(settings.pbx))
    if len(names) > _LONGEST_GROUP:
        digest = hashlib.sha256(names.encode()).hexdigest()[:12]
        names = f"{len(settings.pbx)}-{digest}"
    return f"{settings.connector.name}-actions-{names}"


def transactional_id(settings: Settings, process: str) -> str:
    """Return the producer's transactional id.

    It lasts where `actions.instance_id` is set; else `process`, which no other process has, is in it.
    """
    return f"{group(settings)}-{actions(settings).instance_id or process}"


def for_actions(settings: Settings, name: str) -> Pbx:
    """Return a PBX as the road back logs in there: by its account for actions, else by that of its events.

    The class `call` is asked for since OriginateResponse has it; without it an Originate's outcome
    never comes.
    """
    pbx = settings.pbx[name]
    own = pbx.actions
    usual = replace(pbx, event_classes=("call",), filters=(), canary_s=None, actions=None)
    if own and own.username and own.secret:
        return replace(usual, username=own.username, secret=own.secret)
    return usual


def account(settings: Settings, name: str) -> Account:
    """Return who runs actions at a PBX."""
    return for_actions(settings, name).account(settings.events.max_frame_bytes)


def sessions(settings: Settings, name: str) -> int:
    """Return how many sessions run the plain actions of a PBX; calls have one more."""
    own = settings.pbx[name].actions
    return own.sessions if own and own.sessions else actions(settings).sessions


def requests_retention_ms(settings: Settings) -> int:
    """Return how long requests stay in Kafka; -1 for ever."""
    own = settings.topics.families.get(REQUESTS, TopicFamily())
    said = {**settings.topics.config, **own.config}.get("retention.ms")
    if isinstance(said, str | int) and re.fullmatch(r"-?\d+", str(said)):
        return int(said)
    return settings.topics.retention_ms if own.retention_ms is None else own.retention_ms


def claims_retention_ms(settings: Settings) -> int:
    """Return how long claims stay: as set, else a day longer than a request may need them; -1 for ever."""
    own = settings.topics.families.get(CLAIMS, TopicFamily()).retention_ms
    if own is not None:
        return own
    least = needed_ms(settings, requests_retention_ms(settings))
    return least if least < 0 else least + _DAY_MS


def needed_ms(settings: Settings, requests: int) -> int:
    """Return how long a claim may be needed: while its request can be read again, sent, and answered.

    `requests` is how long these stay, in milliseconds; -1 for ever.
    """
    own = actions(settings)
    return requests if requests < 0 else requests + own.max_ttl_ms + own.max_timeout_ms


def problems(settings: Settings) -> Iterator[str]:
    """Give what is wrong with the road back that no table can see alone; each begins with its key."""
    for name, pbx in settings.pbx.items():
        if pbx.actions and bool(pbx.actions.username) != bool(pbx.actions.secret):
            yield f"pbx.{name}.actions.username: username and secret go together"
    own = settings.actions
    if own is None:
        return
    if own.format in ("avro", "both") and not settings.registry:
        yield f'actions.format: {own.format} needs registry.url; set it, or format = "json"'
    for default, longest in (("ttl_ms", "max_ttl_ms"), ("timeout_ms", "max_timeout_ms")):
        if getattr(own, default) > getattr(own, longest):
            yield f"actions.{default}: must not be above actions.{longest}, {getattr(own, longest):,}"
    yield from _names(settings, own)
    yield from _claims(settings)
    yield from _waits(settings, own)


def _names(settings: Settings, own: Actions) -> Iterator[str]:
    seen: set[str] = set()
    for place, rule in enumerate(own.rules):
        if rule.name in seen:
            yield f"actions.rules[{place}].name: {rule.name!r} is another rule's name too"
        seen.add(rule.name)
    topics = {settings.routing.dead_letter_topic: "the dead-letter topic"}
    for pair in pairs(settings):
        for key, name in zip(("requests", "responses", "claims"), pair[:3], strict=True):
            if name in topics:
                yield f"actions.{key}: {name} is {topics[name]} already"
            topics[name] = f"the topic of {key}"
    kept = [name for pair in pairs(settings) for name in (pair.requests, pair.claims)]
    kept.append(settings.routing.dead_letter_topic)
    for place, allowed in enumerate(own.reply_topics):
        covered = [name for name in kept if fnmatch.fnmatchcase(name, allowed)]
        if covered:
            yield (
                f"actions.reply_topics[{place}]: {allowed!r} covers {', '.join(covered)}, "
                "where requesters must not have answers sent"
            )


def _claims(settings: Settings) -> Iterator[str]:
    families = settings.topics.families
    claims = families.get(CLAIMS, TopicFamily())
    of_requests = families.get(REQUESTS, TopicFamily()).partitions or settings.topics.partitions
    if claims.partitions not in (None, of_requests):
        yield (
            f"topics.families.{CLAIMS}.partitions: must be {of_requests}, as many as requests have, "
            "since a claim stands in the partition of its request"
        )
    if claims.retention_ms is not None and claims.retention_ms >= 0:
        needed = needed_ms(settings, requests_retention_ms(settings))
        if needed < 0 or claims.retention_ms <= needed:
            least = "-1, as requests stay for ever" if needed < 0 else f"above {needed:,}"
            yield (
                f"topics.families.{CLAIMS}.retention_ms: must be {least}: a repeat of a request is known "
                "by its claim, so it must stay longer than requests (retention, max_ttl_ms, max_timeout_ms)"
            )
    cleanup = claims.config.get("cleanup.policy")
    if cleanup is not None and policies(str(cleanup)) != COMPACTED:
        yield f"topics.families.{CLAIMS}.config.cleanup.policy: must be compact,delete"


def policies(text: str) -> frozenset[str]:
    """Return the words of a cleanup.policy, which Kafka takes in any order."""
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _waits(settings: Settings, own: Actions) -> Iterator[str]:
    options = {**settings.kafka.librdkafka, **settings.kafka.consumer}
    longest = options.get(_POLL_OPTION, _POLL_MS)
    if str(longest).isdigit() and own.drain_s * 1000 >= int(str(longest)):
        yield f"actions.drain_s: must be below {_POLL_OPTION}, {int(str(longest)) // 1000} s"
