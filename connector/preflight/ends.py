"""Checks of what lies behind the road: Kafka, its topics and rights, the schema registry."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connector.avro.schema import EventSchema
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.registry import SchemaRegistry
from connector.errors import BrokerError, RegistryError
from connector.events.records.routing import Routing
from connector.preflight import Finding, State, failed
from connector.preflight.requests import claims
from connector.settings.rights import Right, rights
from connector.settings.sections import Settings
from connector.settings.topics import Topic, compare

_NAMED: Final = 5


async def kafka(admin: KafkaAdmin, settings: Settings, planned: Sequence[Topic]) -> list[Finding]:
    """Ask Kafka whether it is there, has the topics or may get them, and lets the connector write."""
    try:
        brokers = await admin.reach()
        names = [topic.name for topic in planned]
        present = await admin.present(names)
        needed = list(rights(settings, planned))
        lacking = await admin.lacking(needed)
        difference = compare(planned, present)
        objection = "" if settings.topics.create == "never" else await admin.objection(difference.missing)
    except BrokerError as error:
        return failed("Kafka", error)
    findings = [
        Finding("Kafka", State.OK, f"brokers: {brokers}, at {', '.join(settings.kafka.bootstrap_servers)}")
    ]
    findings += _topics(len(planned), difference.missing, settings.topics.create, objection)
    for topic, found in difference.recount:
        seen = f"{topic.name} has {found.partitions} partitions, {topic.partitions} are set"
        findings.append(Finding("partitions", State.WARNING, seen, "a change moves keys: mend the setting"))
    for drift in difference.drift:
        seen = f"{drift.topic}: {drift.option} is {drift.found}, {drift.wanted} is set"
        findings.append(Finding("topic options", State.WARNING, seen, "see `ami-kafka topics plan`"))
    return [*findings, *claims(settings, planned, present), *_acls(lacking), *_unseen(needed)]


def _topics(count: int, missing: Sequence[Topic], create: str, objection: str) -> list[Finding]:
    if not missing:
        return [Finding("topics", State.OK, f"all {count} exist")]
    seen = f"{len(missing)} of {count} are missing: {_some([topic.name for topic in missing])}"
    if create == "never":
        return [Finding("topics", State.FAILED, seen, "make them with `ami-kafka topics apply`", fatal=True)]
    if objection:
        first, *others = objection.splitlines()
        said = f"{seen}: {first}" + (f" (and {len(others)} more such)" if others else "")
        return [Finding("topics", State.FAILED, said, "mend that, or make them yourself", fatal=True)]
    return [Finding("topics", State.OK, f"{seen}; made {create.replace('-', ' ')}")]


def _acls(lacking: Sequence[Right]) -> list[Finding]:
    by_right: dict[tuple[str, str], list[str]] = {}
    for kind, name, operations, _ in lacking:
        for operation in operations:
            by_right.setdefault((kind, operation), []).append(name)
    return [
        Finding(
            "rights",
            State.FAILED,
            f"no right {operation.title()} on {'group ' if kind == 'group' else ''}{_some(names)}",
            "give it to the connector's user, by prefix",
            fatal=True,
        )
        for (kind, operation), names in by_right.items()
    ] or [Finding("rights", State.OK, "may read and write what it must, of all that exists")]


def _unseen(needed: Iterable[Right]) -> list[Finding]:
    remedy = "where Kafka has access control, the connector's user needs it"
    return [
        Finding(
            "transactional id",
            State.UNPROVEN,
            f"Kafka does not tell the right Write on {right.name}{'*' if right.prefixed else ''}",
            remedy,
        )
        for right in needed
        if right.kind == "transactional-id"
    ]


async def registry(client: SchemaRegistry, subjects: Mapping[str, str], *, registers: bool) -> list[Finding]:
    """Ask the registry whether it is there, and whether each subject has our schema or would take it.

    Args:
        client: the registry.
        subjects: subjects and the text of our schema for each.
        registers: whether the connector registers what is missing.
    """
    ask = _would_fit if registers else _is_known
    try:
        await client.reach()
        problems = await asyncio.gather(*(ask(client, subject, text) for subject, text in subjects.items()))
    except RegistryError as error:
        return failed("registry", error)
    by_problem: dict[str, list[str]] = {}
    for subject, problem in zip(subjects, problems, strict=True):
        by_problem.setdefault(problem, []).append(subject)
    fitting = by_problem.pop("", [])
    told = "compatible with what is registered" if registers else "registered"
    return [
        Finding("registry", State.OK, "answers"),
        *([Finding("subjects", State.OK, f"{len(fitting)} of {len(subjects)} {told}")] if fitting else []),
        *(
            Finding("subjects", State.FAILED, f"{_some(names)}: {problem}", fatal=True)
            for problem, names in by_problem.items()
        ),
    ]


async def _would_fit(client: SchemaRegistry, subject: str, text: str) -> str:
    problem = await client.incompatible(subject, text)
    return f"incompatible with the registry's version: {problem}" if problem else ""


async def _is_known(client: SchemaRegistry, subject: str, text: str) -> str:
    try:
        await client.schema_id(subject, text)
    except RegistryError as error:
        return str(error).removeprefix(f"{subject}: ")
    return ""


def subjects(routing: Routing, published: Iterable[EventSchema]) -> dict[str, str]:
    """Return the subject of each published schema, with the schema's text."""
    return {routing.subject_of(routing.topic_of(schema), schema): schema.text for schema in published}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
