"""Asking Kafka about topics and rights, and making topics; each call ends within its deadline."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its public names all the same
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from connector.edges.kafka.client import VAGUE, Config, make, report_to, tells_more, why
from connector.edges.kafka.handshake import look
from connector.errors import BrokerError
from connector.facts import Report
from connector.settings.rights import Right
from connector.settings.topics import Drift, Present, Topic

_CLUSTERS_DEFAULT: Final = -1
_LOOK_AGAIN_S: Final = 0.05
_LED_S: Final = 60.0
"""Seconds that partitions may take to be led, in a cluster that has much to do."""
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_NEVER_LED: Final = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED})
"""What waiting does not mend."""


class KafkaAdmin:
    """One admin client; made inside a running event loop.

    Args:
        config: an admin client's options.
        deadline_s: how long each question may take, in seconds.
        report: takes facts, in the event loop.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(self, config: Config, deadline_s: float, report: Report) -> None:
        self._config = config
        self._deadline_s = deadline_s
        self._last_error: KafkaError | None = None
        self._client: AdminClient = make(
            AdminClient,
            {**config, "error_cb": self._remember},
            report_to(asyncio.get_running_loop(), report),
        )

    def _remember(self, error: KafkaError) -> None:
        if self._last_error is None or error.code() not in VAGUE:
            self._last_error = error

    async def reach(self) -> int:
        """Return how many brokers answer for the cluster.

        Raises:
            BrokerError: none answered in time; the text says what to look at.
        """
        try:
            metadata = await asyncio.to_thread(self._client.list_topics, timeout=self._deadline_s)
        except KafkaException as error:
            raise await self._unreachable(error) from error
        return len(metadata.brokers)

    async def _unreachable(self, error: KafkaException) -> BrokerError:
        """Say why no broker answers; what a TLS handshake shows is said by librdkafka in no words of its own."""
        self._client.poll(0)
        met = self._last_error or error.args[0]
        if not tells_more(met) and (seen := await asyncio.to_thread(look, self._config)):
            return BrokerError(f"Kafka: {seen}")
        return BrokerError(why(met, "Kafka"))

    async def present(self, names: Collection[str]) -> dict[str, Present]:
        """Return those of the topics that exist, with partitions, replicas and options.

        A topic that may not be seen is left out: Kafka does not tell it from one that is not there.

        Raises:
            BrokerError: no answer in time.
        """
        described = await self._describe(names)
        configs = await self._configs(described)
        return {
            name: Present(
                len(topic.partitions),
                min((len(each.replicas) for each in topic.partitions), default=0),
                configs.get(name, {}),
            )
            for name, topic in described.items()
        }

    async def lacking(self, needed: Iterable[Right]) -> list[Right]:
        """Return what of these rights the connector's user has not, each with the operations that it lacks.

        Of topics that exist, and of groups as far as Kafka tells; of transactional ids it tells nobody.

        Raises:
            BrokerError: no answer in time about a topic.
        """
        rights = list(needed)
        hidden: list[str] = []
        names = [right.name for right in rights if right.kind == "topic"]
        granted: dict[tuple[str, str], Sequence[Enum] | None] = {
            ("topic", name): topic.authorized_operations
            for name, topic in (await self._describe(names, hidden=hidden.append)).items()
        }
        for right in rights:
            if right.kind == "group":
                granted["group", right.name] = await self._of_group(right.name)
        # Whoever may do anything with a topic may see it.
        granted |= {("topic", name): [AclOperation.UNKNOWN] for name in hidden}
        found = [right._replace(operations=_without(right, granted)) for right in rights]
        return sorted(right for right in found if right.operations)

    async def _of_group(self, name: str) -> Sequence[Enum] | None:
        """Return what may be done with a group; None where Kafka does not tell."""
        futures = self._client.describe_consumer_groups(
            [name], include_authorized_operations=True, request_timeout=self._deadline_s
        )
        try:
            described = await asyncio.wrap_future(futures[name])
        except KafkaException as error:
            refused = error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED
            # Whoever may read may describe too.
            return [AclOperation.UNKNOWN] if refused else None
        operations: Sequence[Enum] | None = described.authorized_operations
        return operations

    async def objection(self, topics: Sequence[Topic]) -> str:
        """Return why Kafka would not create these topics, a line for each; empty where it would."""
        try:
            await self.create(topics, dry=True)
        except BrokerError as error:
            return str(error)
        return ""

    async def create(self, topics: Sequence[Topic], *, dry: bool = False) -> list[Topic]:
        """Create topics and return those that were not there; `dry` only asks whether it would work.

        Raises:
            BrokerError: Kafka refused; each topic in a line of its own. The others are made.
        """
        if not topics:
            return []
        futures = self._client.create_topics(
            [_new(topic) for topic in topics],
            request_timeout=self._deadline_s,
            operation_timeout=self._deadline_s,
            validate_only=dry,
        )
        made, problems = [], []
        for topic in topics:
            try:
                await asyncio.wrap_future(futures[topic.name])
                made.append(topic)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    problems.append(why(error.args[0], f"creating topic {topic.name}"))
        if not dry:
            await self._usable(made)
        if problems:
            raise BrokerError("\n".join(problems))
        return made

    async def _usable(self, topics: Collection[Topic]) -> None:
        """Wait until topics that were made are known to the brokers, and led, which takes them a moment.

        Where a partition becomes led between two batches that are on their way to it, the broker refuses the
        first, and takes the second: what `batch` then takes for unproven is sent once more.
        """
        names = {topic.name for topic in topics}
        places = {
            TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
        }
        with suppress(TimeoutError):
            async with asyncio.timeout(_LED_S):
                while len(await self._describe(names)) < len(names):  # noqa: ASYNC110 (nobody tells)
                    await asyncio.sleep(_LOOK_AGAIN_S)
                while places := await self._unled(places):
                    await asyncio.sleep(_LOOK_AGAIN_S)
                    await asyncio.to_thread(self._client.list_topics, timeout=self._deadline_s)

    async def _unled(self, places: Collection[TopicPartition]) -> set[TopicPartition]:
        """Return those partitions whose leader does not answer for them yet."""
        if not places:
            return set()
        futures = self._client.list_offsets(dict.fromkeys(places, _LATEST), request_timeout=self._deadline_s)
        unled = set()
        for place, future in futures.items():
            try:
                # While there is no leader, librdkafka answers with no error, and an offset below zero.
                if (await asyncio.wrap_future(future)).offset < 0:
                    unled.add(place)
            except KafkaException as error:
                if error.args[0].code() not in _NEVER_LED:
                    unled.add(place)
        return unled

    async def configure(self, changes: Iterable[Drift]) -> None:
        """Set options of topics as planned; a replication factor is not an option and stays.

        Raises:
            BrokerError: Kafka refused.
        """
        resources: dict[str, ConfigResource] = {}
        for name, option, wanted, _ in changes:
            resource = resources.setdefault(name, ConfigResource(ResourceType.TOPIC, name))
            resource.add_incremental_config(
                ConfigEntry(option, wanted, incremental_operation=AlterConfigOpType.SET)
            )
        if resources:
            futures = self._client.incremental_alter_configs(
                list(resources.values()), request_timeout=self._deadline_s
            )
            for resource, future in futures.items():
                await self._wait(future, f"options of topic {resource.name}")

    async def _describe(
        self, names: Collection[str], hidden: Callable[[str], None] = lambda _: None
    ) -> dict[str, TopicDescription]:
        if not names:
            return {}
        futures = self._client.describe_topics(
            TopicCollection(sorted(names)),
            include_authorized_operations=True,
            request_timeout=self._deadline_s,
        )
        described = {}
        for name, future in futures.items():
            try:
                described[name] = await asyncio.wrap_future(future)
            except KafkaException as error:
                code = error.args[0].code()
                if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    hidden(name)
                elif code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._error(error, f"topic {name}") from error
        return described

    async def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        futures = self._client.describe_configs(resources, request_timeout=self._deadline_s)
        configs = {}
        for resource, future in futures.items():
            try:
                entries: Mapping[str, ConfigEntry] = await asyncio.wrap_future(future)
            except KafkaException:
                # The right DescribeConfigs is for convenience: what is not told is not compared.
                continue
            configs[resource.name] = {
                key: entry.value for key, entry in entries.items() if entry.value is not None
            }
        return configs

    async def _wait(self, future: "Future[Any]", about: str) -> Any:
        try:
            return await asyncio.wrap_future(future)
        except KafkaException as error:
            raise self._error(error, about) from error

    def _error(self, error: KafkaException, about: str) -> BrokerError:
        """Prefer what the connections met (a refused login) to the question's own 'timed out'."""
        self._client.poll(0)
        met: KafkaError = error.args[0]
        if met.code() in VAGUE:
            met = self._last_error or met
        return BrokerError(why(met, about))


def _without(right: Right, granted: Mapping[tuple[str, str], Sequence[Enum] | None]) -> tuple[str, ...]:
    # A cluster without access control tells none.
    known = granted.get((right.kind, right.name))
    return tuple(each for each in right.operations if AclOperation[each] not in known) if known else ()


def _new(topic: Topic) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor or _CLUSTERS_DEFAULT,
        config=dict(topic.config),
    )
