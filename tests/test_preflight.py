"""Checks before running: what each peer says becomes a finding that says what to do."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from connector.ami.message import parse
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic
from connector.edges.kafka.admin import KafkaAdmin
from connector.edges.pbx import Address, AsteriskPbx
from connector.edges.registry import SchemaRegistry
from connector.edges.schemas import load_action_catalogue, load_schemas
from connector.errors import BrokerError, RegistryError
from connector.events.records.routing import Routing
from connector.preflight import Finding, NotReady, State, account, ends, pbx, refuse, timezone
from connector.preflight.granted import Needs
from connector.settings import kinds
from connector.settings.rights import Right
from connector.settings.sections import Kafka, Pbx, Settings, Topics
from connector.settings.topics import Present, Topic

PBX = Pbx(address=(kinds.Address("127.0.0.1"),), username="demo", secret=kinds.Secret("demo"))
PLANNED = [Topic("a", 3, None, {"retention.ms": "5"}), Topic("b", 3, None)]


class Admin:
    """A Kafka that answers as told."""

    def __init__(
        self,
        present: Mapping[str, Present],
        lacking: Sequence[Right] = (),
        *,
        objection: str = "",
        error: str = "",
    ) -> None:
        self._present = present
        self._lacking = lacking
        self._objection = objection
        self._error = error

    async def reach(self) -> int:
        if self._error:
            raise BrokerError(self._error)
        return 1

    async def present(self, _: Collection[str]) -> Mapping[str, Present]:
        return self._present

    async def lacking(self, needed: Iterable[Right]) -> Sequence[Right]:
        return self._lacking if list(needed) else []

    async def objection(self, _: Sequence[Topic]) -> str:
        return self._objection


class Registry:
    """A registry that answers as told."""

    def __init__(self, problems: Mapping[str, str], *, away: bool = False) -> None:
        self._problems = problems
        self._away = away

    async def reach(self) -> None:
        if self._away:
            raise RegistryError("registry: no answer")

    async def incompatible(self, subject: str, _: str) -> str:
        return self._problems.get(subject, "")

    async def schema_id(self, subject: str, _: str) -> int:
        if subject in self._problems:
            raise RegistryError(f"{subject}: {self._problems[subject]}")
        return 1


def settings(create: str = "at-start") -> Settings:
    chosen = {"never": Topics(create="never"), "at-start": Topics()}[create]
    return Settings(pbx={"main": PBX}, kafka=Kafka(bootstrap_servers=("k",)), topics=chosen)


def kafka(admin: Admin, create: str = "at-start") -> dict[str, Finding]:
    found = asyncio.run(ends.kafka(cast("KafkaAdmin", admin), settings(create), PLANNED))
    return {finding.what: finding for finding in found}


BOTH = {"a": Present(3, 1, {"retention.ms": "5"}), "b": Present(3, 1)}


def test_all_topics_exist() -> None:
    assert {finding.state for finding in kafka(Admin(BOTH)).values()} == {State.OK}


def test_missing_topics_are_made_where_that_may_be() -> None:
    found = kafka(Admin({}))["topics"]
    assert (found.state, found.seen) == (State.OK, "2 of 2 are missing: a, b; made at start")


@pytest.mark.parametrize(
    ("create", "objection", "told"),
    [("never", "", "`ami-kafka topics apply`"), ("at-start", "creating topic a: forbidden", "forbidden")],
)
def test_missing_topics_are_fatal_where_nobody_makes_them(create: str, objection: str, told: str) -> None:
    found = kafka(Admin({}, objection=objection), create)["topics"]
    assert found.fatal
    assert told in str(found)


def test_missing_rights_are_fatal() -> None:
    lacking = [Right("topic", name, ("WRITE",)) for name in ("a", "b")]
    found = kafka(Admin(BOTH, lacking))["rights"]
    assert (found.fatal, found.seen) == (True, "no right Write on a, b")
    found = kafka(Admin(BOTH, [Right("group", "g", ("READ",))]))["rights"]
    assert (found.fatal, found.seen) == (True, "no right Read on group g")


def test_a_right_for_the_check_alone_is_not_fatal() -> None:
    found = kafka(Admin(BOTH, [Right("topic", "a", ("DESCRIBE_CONFIGS",))]))["rights"]
    assert (found.fatal, found.state) == (False, State.WARNING)
    assert found.seen.startswith("no right DescribeConfigs on a: it is not seen")


def test_other_partitions_and_options_are_warned_of() -> None:
    found = kafka(Admin({"a": Present(6, 1, {"retention.ms": "9"}), "b": Present(3, 1)}))
    assert found["partitions"].seen == "a has 6 partitions, 3 are set"
    assert found["topic options"].seen == "a: retention.ms is 9, 5 is set"


def test_kafka_away_is_fatal() -> None:
    found = kafka(Admin({}, error="Kafka: nobody there"))["Kafka"]
    assert (found.fatal, str(found)) == (True, "Kafka: nobody there")


@pytest.mark.parametrize("registers", [True, False])
def test_subjects_with_the_same_trouble_are_one_finding(registers: bool) -> None:
    client = cast("SchemaRegistry", Registry(dict.fromkeys("abcdefg", "no such schema")))
    subjects = dict.fromkeys("abcdefgh", "{}")
    found = asyncio.run(ends.registry(client, subjects, registers=registers))
    assert [finding.state for finding in found] == [State.OK, State.OK, State.FAILED]
    assert found[-1].seen.startswith("a, b, c, d, e and 2 more: ")
    assert found[-1].seen.endswith("no such schema")
    assert found[-1].fatal


def test_a_registry_that_is_away_is_fatal() -> None:
    found = asyncio.run(ends.registry(cast("SchemaRegistry", Registry({}, away=True)), {}, registers=True))
    assert [str(finding) for finding in found] == ["registry: no answer"]


def test_subjects_follow_the_routing() -> None:
    schemas = load_schemas()
    found = ends.subjects(Routing(prefix="p"), [schemas.lookup("Hangup"), schemas.connector])
    assert list(found) == ["p.events.hangup-value", "p.connector-value"]


def test_a_timezone_is_asked_for_where_it_matters() -> None:
    schemas = load_schemas()
    cdr, hangup = schemas.lookup("Cdr"), schemas.lookup("Hangup")
    assert timezone("main", PBX, [hangup]) == []
    (missing,) = timezone("main", PBX, [cdr, hangup])
    assert (missing.state, missing.remedy) == (State.WARNING, "set pbx.main.timezone, as in Europe/Berlin")
    zoned = Pbx(address=PBX.address, username="u", secret=PBX.secret, timezone=ZoneInfo("Europe/Berlin"))
    assert timezone("main", zoned, [cdr])[0].state is State.OK


def test_events_that_a_login_never_gets_are_named() -> None:
    schemas = load_schemas()
    published = [schemas.lookup("Hangup"), schemas.lookup("RTCPSent")]
    (found,) = account("main", PBX, published, schemas)
    assert (found.state, found.seen) == (
        State.WARNING,
        "published, but never sent to this login: RTCPSent",
    )
    assert "add to pbx.main.event_classes: reporting" in found.remedy
    assert account("main", PBX, published[:1], schemas)[0].state is State.OK


def test_filters_of_events_that_are_none_are_named() -> None:
    wrong = Pbx(address=PBX.address, username="u", secret=PBX.secret, filters=("!Event: Hangpu",))
    found = account("main", wrong, [], load_schemas())
    assert "did you mean 'Hangup'?" in found[0].seen


def test_write_classes_are_proved_by_actions_of_one_class() -> None:
    answer = (
        b"Response: Success\r\nActionID: 1\r\nPing: Keepalive command. (Priv: <none>)\r\n"
        b"Command: Execute. (Priv: command,all)\r\nGetvar: Get. (Priv: call,reporting,all)\r\n"
        b"CoreStatus: Show. (Priv: system,reporting,all)\r\nUserEvent: Send. (Priv: user,all)"
    )
    found = pbx.listed(parse(answer))
    assert found.may("Ping")
    assert found.classes == {"command", "user"}
    assert found.names == {"ping", "command", "getvar", "corestatus", "userevent"}


NEEDS = Needs("main", (), frozenset(), frozenset(), load_action_catalogue())


def looked_at(simulated: SimulatedPbx, event: Event | None = None) -> dict[str, Finding]:
    async def look() -> list[Finding]:
        async with asyncio.timeout(30), simulated:
            target = AsteriskPbx("main", [Address(*simulated.address)], PBX.account(), PBX.deadlines)
            looking = asyncio.create_task(pbx.check(target, PBX, NEEDS))
            while event is not None and not looking.done():
                simulated.tell(event)
                await asyncio.sleep(0)
            return await looking

    return {finding.what: finding for finding in asyncio.run(look())}


def test_a_pbx_as_it_should_be() -> None:
    event = Event("Reload", "system", ["Module: All", "Status: 0"])
    found = looked_at(SimulatedPbx({"demo": "demo"}, Traffic(int(time.time()))), event)
    assert {name: finding.state for name, finding in found.items()} == {
        "main login": State.OK,
        "main actions": State.OK,
        "main writetimeout": State.UNPROVEN,
        "main event classes": State.UNPROVEN,
        "main timestamps": State.OK,
    }


def test_a_refused_login() -> None:
    found = looked_at(SimulatedPbx({"demo": "other"}))["main login"]
    assert found.state is State.FAILED
    assert "login refused" in found.seen


def test_only_fatal_findings_are_refused() -> None:
    refuse([Finding("a", State.FAILED, "bad"), Finding("b", State.OK, "good")])
    fatal = Finding("c", State.FAILED, "worse", "mend it", fatal=True)
    with pytest.raises(NotReady, match=r"^c: worse; mend it$"):
        refuse([fatal, Finding("b", State.OK, "good")])
