"""What every Kafka client of the connector shares: its options, and Kafka's errors in plain words."""

# librdkafka's own errors, as against the brokers', have public names that begin with an underscore.
# ruff: noqa: SLF001

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from connector.errors import BrokerError, SettingsError
from connector.facts import BrokerTrouble, Fact, KafkaLog, Report
from connector.settings.kinds import Options, Secret
from connector.settings.sections import Kafka

Config = dict[str, Any]
Client = TypeVar("Client")

_COMMON: Final[Options] = {
    "socket.keepalive.enable": True,
    "topic.metadata.refresh.interval.ms": 60_000,
}
_PRODUCER: Final[Options] = {
    "enable.idempotence": True,
    "acks": "all",
    # An expired message would let those behind it overtake.
    "message.timeout.ms": 0,
    # Java's partitioner: keys land where Java, Connect and Streams put them.
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "compression.type": "lz4",
    # What is in flight is also in the journal: more would only be held twice.
    "queue.buffering.max.messages": 10_000,
    "queue.buffering.max.kbytes": 16_384,
}
_CONSUMER: Final[Options] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    "partition.assignment.strategy": "cooperative-sticky",
}
_MEMBER: Final[Options] = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    # A rebalance must leave alone what stays where it is.
    "partition.assignment.strategy": "cooperative-sticky",
    # librdkafka tells in its statistics when it last asked the group's coordinator.
    "statistics.interval.ms": 1000,
}

_REACH: Final = "are the brokers up, and is kafka.bootstrap_servers right (and TLS, if they speak it)?"
_RIGHT: Final = (
    "give the connector's user the right {}: `ami-kafka check --print-acls` prints all that is needed"
)
_MECHANISM: Final = "set sasl.mechanism to one that the brokers have"
_CERTIFICATE: Final = (
    "the brokers want another certificate of the connector than they got, or one at all: see "
    "ssl.certificate.location and ssl.key.location, its authority and its dates"
)
_MAKE: Final = "make it with `ami-kafka topics apply`"
_REMEDIES: Final[Mapping[int, str]] = {
    KafkaError._ALL_BROKERS_DOWN: _REACH,
    KafkaError._TRANSPORT: _REACH,
    KafkaError._RESOLVE: _REACH,
    KafkaError._TIMED_OUT: _REACH,
    KafkaError._AUTHENTICATION: "check sasl.username and sasl.password in [kafka.librdkafka]",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check sasl.username and sasl.password in [kafka.librdkafka]",
    KafkaError.UNSUPPORTED_SASL_MECHANISM: _MECHANISM,
    KafkaError._SSL: "`ami-kafka check` says whether it is ssl.ca.location, or a date or a name in the brokers' certificates",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _RIGHT.format("to it"),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _RIGHT.format("on the cluster"),
    KafkaError.GROUP_AUTHORIZATION_FAILED: _RIGHT.format("Read on the group"),
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: _RIGHT.format("Write on it"),
    KafkaError.UNKNOWN_TOPIC_OR_PART: _MAKE,
    KafkaError._UNKNOWN_TOPIC: _MAKE,
    KafkaError._UNKNOWN_PARTITION: _MAKE,
    KafkaError.INVALID_REPLICATION_FACTOR: "set topics.replication_factor to at most the number of brokers",
    KafkaError.INVALID_CONFIG: "mend topics.config",
    KafkaError.POLICY_VIOLATION: "the cluster's policy forbids it: mend [topics]",
    KafkaError.MSG_SIZE_TOO_LARGE: "lower events.max_record_bytes, or raise the topic's max.message.bytes",
}
_BY_WORDS: Final = (
    ("Unsupported SASL mechanism", _MECHANISM),
    ("alert certificate", _CERTIFICATE),
)
"""What librdkafka gives no code of its own."""
VAGUE: Final = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN})
"""Errors that say no more than that no broker has answered."""

_SPENT: Final = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._PURGE_INFLIGHT,
        KafkaError._PURGE_QUEUE,
        KafkaError._STATE,
    }
)


def producer_config(kafka: Kafka, name: str) -> Config:
    """Return a producer's options: ours, those for all clients, those for producers; the later win."""
    return _config(kafka, name, _PRODUCER, kafka.producer)


def consumer_config(kafka: Kafka, name: str, group: str) -> Config:
    """Return a consumer's options, likewise; `group` is its group's id."""
    return _config(kafka, name, {**_CONSUMER, "group.id": group}, kafka.consumer)


def member_config(kafka: Kafka, name: str, group: str) -> Config:
    """Return the options of a consumer that shares request topics with its group; what must be so wins."""
    return {**consumer_config(kafka, name, group), **_MEMBER}


def transactional_config(kafka: Kafka, name: str, transactional_id: str, timeout_ms: int) -> Config:
    """Return a transactional producer's options; `timeout_ms` is when brokers abort what it has left open."""
    must: Options = {
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 0,
        # Whoever waits for an answer must not wait long for a broker that is back.
        "reconnect.backoff.max.ms": 1_000,
        "transactional.id": transactional_id,
        "transaction.timeout.ms": timeout_ms,
        # What cannot be delivered is to be known while the transaction can still be aborted.
        "message.timeout.ms": timeout_ms // 2,
    }
    theirs = producer_config(kafka, name)
    # Another name of message.timeout.ms.
    theirs.pop("delivery.timeout.ms", None)
    return {**theirs, **must}


def admin_config(kafka: Kafka, name: str) -> Config:
    """Return an admin client's options, likewise."""
    return _config(kafka, name, {}, kafka.admin)


def _config(kafka: Kafka, name: str, ours: Options, theirs: Options) -> Config:
    first: Options = {"bootstrap.servers": ",".join(kafka.bootstrap_servers), "client.id": name}
    options = {**first, **_COMMON, **ours, **kafka.librdkafka, **theirs}
    return {key: option.reveal() if isinstance(option, Secret) else option for key, option in options.items()}


class Speaker:
    """Takes librdkafka's log lines as a logger would, and reports them as facts."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def log(self, level: int, form: str, *parts: object) -> None:
        """Take one line; `level` is that of Python's logging."""
        self._report(KafkaLog(level, form % parts))


class Troubles:
    """Reports what a client's connections meet, the same trouble once; an `error_cb`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: int | None = None

    def __call__(self, error: KafkaError) -> None:
        """Take what librdkafka met."""
        if error.code() != self._last:
            self._last = error.code()
            self._report(BrokerTrouble(why(error), fatal=error.fatal()))

    def over(self) -> None:
        """Take that Kafka has answered: what comes now is news."""
        self._last = None


def report_to(loop: asyncio.AbstractEventLoop, report: Report) -> Report:
    """Return a `report` for librdkafka's threads: the fact arrives in the event loop."""

    def tell(fact: Fact) -> None:
        # A loop that is closed has nobody left to be told.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(report, fact)

    return tell


def make(kind: Callable[..., Client], config: Config, report: Report) -> Client:
    """Make a client of librdkafka whose log lines are reported from whatever thread polls it.

    Raises:
        SettingsError: librdkafka does not take an option.
    """
    try:
        return kind(config, logger=Speaker(report))
    except KafkaException as error:
        text = _first(error).str()
        file = "; is the file there, readable, and PEM?" if "location failed" in text else ""
        raise SettingsError(f"kafka: librdkafka refuses its options: {text}{file}") from error
    except (TypeError, ValueError) as error:
        raise SettingsError(f"kafka: librdkafka refuses its options: {error}") from error


def _first(error: KafkaException) -> KafkaError:
    cause: KafkaError = error.args[0]
    return cause


def tells_more(error: KafkaError) -> bool:
    """Tell whether an error says more than that there is no answer, or that TLS failed."""
    vague = error.code() in VAGUE or error.code() == KafkaError._SSL
    return not vague or any(words in error.str() for words, _ in _BY_WORDS)


def why(error: KafkaError, about: str = "") -> str:
    """Return what happened to `about`, in Kafka's words, and what to do, where that is known."""
    text = re.sub(r"^[\w/.:+#-]*/(bootstrap|\d+): ", "", error.str())
    remedy = next((remedy for words, remedy in _BY_WORDS if words in text), _REMEDIES.get(error.code()))
    said = f"{about}: {text}" if about else text
    return f"{said.rstrip('.')}; {remedy}" if remedy else said


def translated(error: KafkaException, about: str) -> BrokerError:
    """Return Kafka's error as ours, which says what was asked for, what happened and what to do."""
    return BrokerError(why(_first(error), about))


def ends_producer(error: KafkaError) -> bool:
    """Tell whether a record failed for no fault of its own: the producer can no longer keep the order."""
    return error.fatal() or error.code() in _SPENT
