"""The settings as values, one class for each table of the file; defaults are what most want.

What a table means is said by the rooms that own it: a section builds their values (`routing`,
`account`, `deadlines`), so that no pure room ever reads settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from connector.ami.framing import DEFAULT_MAX_FRAME
from connector.ami.steps import Account, Deadlines
from connector.events.records.routing import Routing
from connector.events.records.translate import Rules
from connector.events.watching.canary import NAME as CANARY
from connector.events.watching.delay import LATE_S
from connector.settings.actions import ActionAccount, Actions
from connector.settings.http import Http
from connector.settings.kinds import (
    Address,
    Bounds,
    Count,
    Fingerprint,
    Line,
    Milliseconds,
    Name,
    Options,
    Seconds,
    Secret,
    TopicName,
    Url,
)
from connector.settings.privacy import PrivacySection
from connector.settings.tracing import Tracing

EventClass = Literal[
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting",
    "cdr", "dialplan", "originate", "agi", "cc", "aoc", "test", "security", "message", "all",
]  # fmt: skip
"""Every class of manager.conf; a PBX sends an event to a session that has all classes of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """`[connector]`: `name` is what the connector calls itself towards Kafka and in its records.

    Every `heartbeat_s` a record for each PBX says that it is alive, and how it fares. Events that come later
    than `late_s` after the PBX made them are told.
    """

    name: Name = "ami-kafka"
    heartbeat_s: Seconds = 60.0
    late_s: Seconds = LATE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """`tls = true` or `[pbx.NAME.tls]`: `ca_file` beside the system's, `server_name` if not the host.

    With `fingerprint` these certificates are taken and no others, and nothing else of them is looked at.
    """

    ca_file: str | None = None
    server_name: Line | None = None
    fingerprint: tuple[Fingerprint, ...] = ()
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbx:
    """`[pbx.NAME]`: one PBX, or a failover pair by two addresses; times in seconds.

    `timezone` (IANA) reads times that the PBX writes without one, as in CDR and CEL. `filters` are
    criteria of Filter actions, which need write=system: `eventfilter` in manager.conf does without.
    `snapshot` is whether lists tell after each login what is there. `sequence_audit` looks for holes in the
    SequenceNumbers of a PBX whose manager.conf has `debug = on`: the account must get every event.
    `canary_s` is the time between two UserEvents of our own that show whether events come: sent over a session
    for actions, seen within `canary_timeout_s`, or the session for events is renewed.
    """

    address: tuple[Address, ...]
    username: Line
    secret: Secret
    auth: Literal["md5", "plain"] = "md5"
    tls: Tls | None = None
    event_classes: tuple[EventClass, ...] = ("system", "call", "agent", "cdr", "user")
    timezone: ZoneInfo | None = None
    filters: tuple[Line, ...] = ()
    snapshot: Literal["after-login", "off"] = "after-login"
    sequence_audit: bool = False
    canary_s: Seconds | None = None
    canary_timeout_s: Seconds = 10.0
    connect_timeout_s: Seconds = 10.0
    login_timeout_s: Seconds = 10.0
    ping_interval_s: Seconds = 10.0
    pong_timeout_s: Seconds = 10.0
    actions: ActionAccount | None = None

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the PBX listens, each with its port."""
        usual = 5039 if self.tls else 5038
        return tuple(Address(host, port or usual) for host, port in self.address)

    def account(self, max_frame: int = DEFAULT_MAX_FRAME) -> Account:
        """Return who logs in and what is asked for; `max_frame` in bytes."""
        return Account(
            username=self.username,
            secret=self.secret.reveal(),
            events=",".join(self.event_classes),
            md5=self.auth == "md5",
            filters=self._criteria,
            max_frame=max_frame,
            asks_start=True,
        )

    @property
    def _criteria(self) -> tuple[str, ...]:
        """What is asked to be sent: where only what is named comes, canaries are named too."""
        named = any(not each.startswith("!") for each in self.filters)
        return (*self.filters, f"UserEvent: {CANARY}") if self.canary_s and named else self.filters

    @property
    def deadlines(self) -> Deadlines:
        """How long each step of a session may take."""
        return Deadlines(
            connect=self.connect_timeout_s,
            greeting=self.login_timeout_s,
            login=self.login_timeout_s,
            ping_every=self.ping_interval_s,
            pong=self.pong_timeout_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """`[events]`: which events go to which topics, under which keys, in which form.

    `select` is read from left to right: an event's name, `@<family>`, `@default`, `@all`, `@unknown`,
    each taken away by a leading `-`. `topics` names the topic of an event where it is not the default.
    `format` is Avro where a registry is set, else JSON. `user_schemas` is a directory.
    """

    select: tuple[Line, ...] = ("@default", "@unknown")
    routing: Literal["event", "family", "single"] = "event"
    key: Literal["root", "linkedid", "uniqueid", "pbx"] = "root"
    topic_prefix: TopicName = "asterisk"
    topics: Mapping[str, TopicName] = field(default_factory=dict)
    format: Literal["auto", "avro", "json"] = "auto"
    suspect: Literal["dead-letter", "mark"] = "dead-letter"
    user_schemas: str | None = None
    max_frame_bytes: Annotated[int, Bounds(1024, 64 << 20)] = DEFAULT_MAX_FRAME
    max_record_bytes: Annotated[int, Bounds(1024, 1 << 30)] = 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """`[kafka]`: librdkafka's options go untouched into `librdkafka`, or for one client into its table."""

    bootstrap_servers: tuple[Line, ...]
    librdkafka: Options = field(default_factory=dict)
    producer: Options = field(default_factory=dict)
    consumer: Options = field(default_factory=dict)
    admin: Options = field(default_factory=dict)
    reach_timeout_s: Seconds = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """`[registry]`: a Confluent-compatible schema registry, by user and password or by bearer token.

    With `auto_register` the connector registers its schemas itself; else they must be there.
    """

    url: Url
    username: Line | None = None
    password: Secret | None = None
    token: Secret | None = None
    ca_file: str | None = None
    auto_register: bool = False
    subject_strategy: Literal["auto", "topic", "record", "topic-record"] = "auto"
    timeout_s: Seconds = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFamily:
    """`[topics.families.FAMILY]`: what differs for the topics of one family."""

    partitions: Count | None = None
    retention_ms: Milliseconds | None = None
    config: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """`[topics]`: how topics are made, and when.

    `at-start` makes all that the settings select before anything is read, so that a missing right
    shows then; `first-event` each when it is needed; `never` leaves it to `topics apply` or others.
    Without `replication_factor` the cluster's own default holds. `retention_ms = -1` keeps for ever.
    """

    create: Literal["at-start", "first-event", "never"] = "at-start"
    partitions: Count = 3
    replication_factor: Annotated[int, Bounds(1, 32)] | None = None
    retention_ms: Milliseconds = 7 * 86_400_000
    config: Options = field(default_factory=dict)
    families: Mapping[str, TopicFamily] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """`[journal]`: what is read and not yet in Kafka, for each PBX; on disk where `path` names a folder.

    At `max_bytes` (256 MiB in memory, 4 GiB on disk, unless set) the oldest events go, on disk first those
    that `expendable` names, last those that `precious` names and the connector's own: terms as in
    `events.select`. `memory_bytes` is what a journal on disk keeps in memory too; what is written outlives
    a loss of power after `sync_s`. Where the disk fails, the journal goes on in `memory` until it is back,
    or the connector must `stop`.
    """

    path: str | None = None
    max_bytes: Annotated[int, Bounds(1 << 20, 1 << 50)] | None = None
    memory_bytes: Annotated[int, Bounds(1 << 20, 1 << 40)] = 16 << 20
    sync_s: Seconds = 1.0
    when_failing: Literal["memory", "stop"] = "memory"
    expendable: tuple[Line, ...] = ("VarSet", "Newexten", "@rtcp")
    precious: tuple[Line, ...] = ("@cdr", "@cel")

    @property
    def bound(self) -> int:
        """How large it may become, in bytes."""
        return self.max_bytes or (256 << 20 if self.path is None else 4 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`[log]`: lines for people or JSON for programs, on stderr."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; without `actions` the road back is not there."""

    connector: Connector = Connector()
    pbx: Mapping[Name, Pbx]
    events: Events = Events()
    kafka: Kafka
    registry: Registry | None = None
    topics: Topics = Topics()
    journal: Journal = Journal()
    privacy: PrivacySection = PrivacySection()  # noqa: RUF009 (it is frozen)
    log: Log = Log()
    http: Http = field(default_factory=Http)
    tracing: Tracing = field(default_factory=Tracing)
    actions: Actions | None = None

    @property
    def value_format(self) -> Literal["avro", "json"]:
        """The form of record values: as set, else Avro where there is a registry."""
        if self.events.format == "auto":
            return "avro" if self.registry else "json"
        return self.events.format

    @property
    def routing(self) -> Routing:
        """The rules by which a record finds its topic, subject and key."""
        events = self.events
        return Routing(
            prefix=events.topic_prefix,
            by=events.routing,
            key=events.key,
            topics=events.topics,
            strategy=self.registry.subject_strategy if self.registry else "auto",
        )

    @property
    def rules(self) -> Rules:
        """What translating needs to know."""
        return Rules(
            routing=self.routing,
            value=self.value_format,
            suspect=self.events.suspect,
            max_bytes=self.events.max_record_bytes,
            connector=self.connector.name,
        )
