"""The plan of topics, and its difference from what a cluster has."""

import json
from typing import Any

import pytest

from connector.avro.schema import EventSchema, SchemaSet, load
from connector.errors import SettingsError
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings, TopicFamily, Topics
from connector.settings.topics import Present, Topic, Totals, check_names, compare, plan, totals


def schema(event: str | None, family: str, *, of_calls: bool = False) -> EventSchema:
    names = "event_id event_time event_time_us event_time_source received_time received_time_us call_id source privilege extra"
    ami = {
        "event": event,
        "topic": event and event.lower(),
        "family": family,
        "channels": [["Uniqueid", "Linkedid"]] if of_calls else [],
    }
    fields = [{"name": name, "type": "string"} for name in names.split()]
    return load(
        json.dumps(
            {"type": "record", "name": event or "Own", "namespace": "n", "ami": ami, "fields": fields}
        ),
        "here",
    )


HANGUP, JOIN = schema("Hangup", "call", of_calls=True), schema("Join", "queue", of_calls=True)
RELOAD, OWN = schema("Reload", "system"), schema(None, "connector")
ALL = [HANGUP, JOIN, RELOAD, OWN]
SCHEMAS = SchemaSet([HANGUP, JOIN, RELOAD], schema("Unknown", "unknown"), OWN)


def settings(events: dict[str, Any] | None = None, **topics: Any) -> Settings:
    pbx = Pbx(address=(Address("h"),), username="u", secret=Secret("s"))
    return Settings(
        pbx={"main": pbx},
        kafka=Kafka(bootstrap_servers=("k",)),
        topics=Topics(**topics),
        events=Events(**(events or {})),
    )


def test_every_event_the_connector_and_the_dead_letters_have_a_topic() -> None:
    planned = {topic.name: topic for topic in plan(settings(), ALL)}
    assert list(planned) == [
        "asterisk.connector",
        "asterisk.dlq",
        "asterisk.events.hangup",
        "asterisk.events.join",
        "asterisk.events.reload",
    ]
    hangup = planned["asterisk.events.hangup"]
    assert hangup == Topic(
        "asterisk.events.hangup",
        3,
        None,
        {"cleanup.policy": "delete", "retention.ms": "604800000"},
        ("call",),
        of_calls=True,
    )
    assert planned["asterisk.dlq"].partitions == planned["asterisk.connector"].partitions == 1


@pytest.mark.parametrize(
    ("routing", "expected"),
    [
        ("family", ["asterisk.events.call", "asterisk.events.queue", "asterisk.events.system"]),
        ("single", ["asterisk.events"]),
    ],
)
def test_fewer_topics_by_the_other_routings(routing: str, expected: list[str]) -> None:
    found = [topic.name for topic in plan(settings({"routing": routing}), ALL)]
    assert found == sorted(["asterisk.connector", "asterisk.dlq", *expected])


def test_a_family_may_differ() -> None:
    families = {
        "system": TopicFamily(partitions=1, config={"retention.bytes": 7, "preallocate": True}),
        "dlq": TopicFamily(retention_ms=-1),
    }
    planned = {
        topic.name: topic
        for topic in plan(settings(families=families, replication_factor=3, partitions=6), ALL)
    }
    reload = planned["asterisk.events.reload"]
    assert reload.partitions == 1
    assert reload.config == {
        "cleanup.policy": "delete",
        "retention.ms": "604800000",
        "min.insync.replicas": "2",
        "retention.bytes": "7",
        "preallocate": "true",
    }
    assert planned["asterisk.dlq"].config["retention.ms"] == "-1"
    assert planned["asterisk.events.join"].partitions == 6


def test_topics_of_calls_share_one_number_of_partitions() -> None:
    with pytest.raises(SettingsError, match=r"^topics\.families\.queue\.partitions: must be 3"):
        plan(settings(families={"queue": TopicFamily(partitions=5)}), ALL)


def test_totals_count_copies() -> None:
    assert totals(plan(settings(replication_factor=3), ALL)) == Totals(5, 11, 33)


def test_what_is_missing_or_otherwise_is_told() -> None:
    planned = plan(settings(replication_factor=2), [HANGUP, RELOAD])
    found = {
        "asterisk.events.hangup": Present(5, 2, {"retention.ms": "604800000"}),
        "asterisk.events.reload": Present(3, 1, {"retention.ms": "1"}),
        "other": Present(1, 1),
    }
    difference = compare(planned, found)
    assert [topic.name for topic in difference.missing] == ["asterisk.dlq"]
    assert [(topic.name, present.partitions) for topic, present in difference.recount] == [
        ("asterisk.events.hangup", 5)
    ]
    assert [tuple(drift) for drift in difference.drift] == [
        ("asterisk.events.reload", "retention.ms", "604800000", "1"),
        ("asterisk.events.reload", "replication factor", "2", "1"),
    ]


def test_names_of_events_and_families_are_checked() -> None:
    check_names(settings({"topics": {"Hangup": "x"}}, families={"queue": TopicFamily()}), SCHEMAS)
    wrong = settings({"topics": {"Hangap": "x"}}, families={"queu": TopicFamily()})
    with pytest.raises(SettingsError) as refused:
        check_names(wrong, SCHEMAS)
    assert str(refused.value).split("\n") == [
        "events.topics.Hangap: no such event; did you mean 'Hangup'?",
        "topics.families.queu: no such family; did you mean 'queue'?",
    ]
