"""Checks of what lies behind the road: Kafka, its topics and rights, the schema registry."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connector.avro.schema import EventSchema
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.kafka.probe import TransactionProbe
from connector.edges.registry import SchemaRegistry
from connector.errors import BrokerError, RegistryError
from connector.events.records.routing import Routing
from connector.preflight import Finding, State, failed
from connector.preflight.requests import claims
from connector.settings.rights import DESCRIBE_CONFIGS, Right, replies, rights
from connector.settings.sections import Settings
from connector.settings.topics import Topic, compare

_NAMED: Final = 5
_RIGHTS: Final = "rights"
_GRANT: Final = "give it to the connector's user: `ami-kafka check --print-acls` prints all that is needed"


async def kafka(admin: KafkaAdmin, settings: Settings, planned: Sequence[Topic]) -> list[Finding]:
    """Ask Kafka whether it is there, has the topics or may get them, and lets the connector write."""
    try:
        brokers = await admin.reach()
        names = [topic.name for topic in planned]
        present = await admin.present(names)
        lacking = await admin.lacking(rights(settings, planned))
        unanswerable = await admin.lacking(each for each in replies(settings) if not each.prefixed)
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
    findings += [*claims(settings, planned, present), *acls(lacking)]
    return [*findings, *(_unanswerable(right) for right in unanswerable)]


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


def acls(lacking: Iterable[Right]) -> list[Finding]:
    """Say which rights the connector's user has not."""
    by_right: dict[tuple[str, str], list[str]] = {}
    for kind, name, operations, _ in lacking:
        for operation in operations:
            by_right.setdefault((kind, operation), []).append(name)
    return [
        _lacking(operation, f"{'group ' if kind == 'group' else ''}{_some(names)}")
        for (kind, operation), names in by_right.items()
    ] or [Finding(_RIGHTS, State.OK, "may read and write what it must, of all that exists")]


def _lacking(operation: str, names: str) -> Finding:
    seen = f"no right {operation.title().replace('_', '')} on {names}"
    if operation == DESCRIBE_CONFIGS:
        seen = f"{seen}: it is not seen whether claims are kept as long as requests"
        return Finding(_RIGHTS, State.WARNING, seen, _GRANT)
    return Finding(_RIGHTS, State.FAILED, seen, _GRANT, fatal=True)


def _unanswerable(right: Right) -> Finding:
    seen = f"no right Write on {right.name}: answers that are asked for there go to the topic of responses"
    return Finding("reply topics", State.WARNING, seen, _GRANT)


async def transactions(probe: TransactionProbe, right: Right) -> list[Finding]:
    """Say whether transactional ids may be used that begin as the connector's do."""
    what = "transactional id"
    try:
        if await probe.allowed():
            return [Finding(what, State.OK, f"may write on {right.name}*")]
    except BrokerError as error:
        return [Finding(what, State.UNPROVEN, str(error).removeprefix(f"{what}: "))]
    return [Finding(what, State.FAILED, f"no right Write on {right.name}*", _GRANT, fatal=True)]


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
