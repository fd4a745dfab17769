"""The plan of topics, and its difference from what a cluster has."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connector.avro.schema import EventSchema, SchemaSet, load
from connector.errors import SettingsError
from connector.settings.actions import Actions
from connector.settings.kinds import Address, Secret
from connector.settings.sections import Events, Kafka, Pbx, Settings, TopicFamily, Topics
from connector.settings.topics import Present, Topic, Totals, check_names, compare, plan, totals, uneven


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


def with_actions(text: dict[str, Any] | None = None, **topics: Any) -> Settings:
    return replace(settings(**topics), actions=Actions(**(text or {})))


def test_the_road_back_has_topics_of_its_own() -> None:
    planned = {topic.name: topic for topic in plan(with_actions(), ALL)}
    requests, responses, claims = (
        planned[f"asterisk.{name}.json"] for name in ("actions", "responses", "claims")
    )
    assert (requests.partitions, responses.partitions, claims.partitions) == (3, 3, 3)
    assert (requests.families, claims.families) == (("actions",), ("claims",))
    assert requests.config == responses.config == {"cleanup.policy": "delete", "retention.ms": "604800000"}
    assert claims.config == {
        "cleanup.policy": "compact,delete",
        "retention.ms": str(604_800_000 + 86_400_000 + 3_600_000 + 600_000),
        "segment.bytes": str(64 << 20),
    }
    assert claims.beside == "asterisk.actions.json"
    assert not [name for name in plan(settings(), ALL) if "actions" in name.name]


def test_claims_have_as_many_partitions_as_requests() -> None:
    families = {
        "actions": TopicFamily(partitions=12),
        "claims": TopicFamily(config={"segment.bytes": 1048576, "cleanup.policy": "delete,compact"}),
    }
    planned = {
        topic.name: topic for topic in plan(with_actions(families=families, config={"retention.ms": 5}), ALL)
    }
    assert planned["asterisk.claims.json"].partitions == planned["asterisk.actions.json"].partitions == 12
    assert planned["asterisk.claims.json"].config["segment.bytes"] == "1048576"
    assert planned["asterisk.claims.json"].config["cleanup.policy"] == "compact,delete"
    assert planned["asterisk.claims.json"].config["retention.ms"] == str(5 + 86_400_000 + 4_200_000)


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ({}, []),
        ({"asterisk.actions.json": 3, "asterisk.claims.json": 3}, []),
        ({"asterisk.actions.json": 6, "asterisk.claims.json": 6}, []),
        (
            {"asterisk.actions.json": 6},
            "asterisk.claims.json would get 3 partitions, but asterisk.actions.json has 6: they must be equal",
        ),
        (
            {"asterisk.claims.json": 6},
            "asterisk.claims.json has 6 partitions, but asterisk.actions.json would get 3: they must be equal",
        ),
        (
            {"asterisk.actions.json": 6, "asterisk.claims.json": 3},
            "asterisk.claims.json has 3 partitions, but asterisk.actions.json has 6: they must be equal",
        ),
    ],
)
def test_requests_and_claims_grow_together_or_not_at_all(
    present: dict[str, int], said: str | list[str]
) -> None:
    found = {name: Present(partitions, 1) for name, partitions in present.items()}
    lines = uneven(plan(with_actions(), ALL), found)
    assert lines == said or (len(lines) == 1 and lines[0].startswith(str(said)))


def test_the_words_of_a_cleanup_policy_have_no_order() -> None:
    planned = [topic for topic in plan(with_actions(), ALL) if topic.beside]
    for found, drifted in (("delete,compact", False), ("delete", True), ("compact", True)):
        config = {"asterisk.claims.json": Present(3, 1, {"cleanup.policy": found})}
        assert bool(compare(planned, config).drift) is drifted


def test_copies_that_the_cluster_decides_are_told_apart() -> None:
    planned = plan(settings(), ALL)
    assert totals(planned) == Totals(5, 11, 11, 5)
    assert totals(planned, {"asterisk.events.hangup": Present(3, 3)}) == Totals(5, 11, 17, 4)
