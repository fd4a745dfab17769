"""The AsyncAPI document says what the settings lead to: every topic, whole, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import pytest

from connector.app.parts import read_schemas
from connector.edges.schemas import load_action_schemas
from connector.settings.asyncapi.document import document
from connector.settings.asyncapi.messages import AVRO
from connector.settings.asyncapi.shapes import json_schema
from connector.settings.load import load
from connector.settings.sections import Settings
from connector.settings.topics import plan

BASE = """
[pbx.main]
address = ["127.0.0.1:1"]
username = "u"
secret = "hunter2"
[kafka]
bootstrap_servers = ["k1:9092", "k2:9092"]
"""
BOTH = """
[actions]
format = "both"
reply_topics = ["mine.*"]
[actions.policy]
profile = "read-only"
[registry]
url = "http://r:8081"
username = "reg"
password = "hunter4"
[topics]
replication_factor = 3
[topics.families.call]
retention_ms = 1000
[kafka.librdkafka]
"security.protocol" = "SASL_SSL"
"sasl.mechanism" = "SCRAM-SHA-512"
"sasl.username" = "u"
"sasl.password" = "hunter3"
"""
VARIANTS = {
    "defaults": "",
    "both": BOTH,
    "family": BOTH + '[events]\nrouting = "family"\nkey = "linkedid"\n',
    "single": BOTH + '[events]\nrouting = "single"\nkey = "pbx"\nformat = "json"\n',
    "renamed": '[events]\ntopic_prefix = "x"\n[events.topics]\nHangup = "mine"\nNewchannel = "mine"\n',
    "all": '[events]\nselect = ["@all"]\n',
}


def settings(text: str = "") -> Settings:
    return load(BASE + text, {}, lambda path: Path(path).read_text())


def told(chosen: Settings) -> dict[str, Any]:
    published = read_schemas(chosen)[1].schemas
    found = document(chosen, published, load_action_schemas(), "1.2.3")
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


@pytest.fixture(params=[*VARIANTS.values()], ids=[*VARIANTS])
def chosen(request: pytest.FixtureRequest) -> Settings:
    return settings(request.param)


def test_every_planned_topic_has_its_channel_as_planned(chosen: Settings) -> None:
    channels = told(chosen)["channels"]
    planned = plan(chosen, read_schemas(chosen)[1].schemas)
    assert [*channels] == [topic.name for topic in planned]
    for topic in planned:
        channel = channels[topic.name]
        binding = channel["bindings"]["kafka"]
        assert channel["address"] == binding["topic"] == topic.name
        assert binding["partitions"] == topic.partitions
        assert binding.get("replicas") == topic.replication_factor
        options = binding["topicConfiguration"]
        assert ",".join(options["cleanup.policy"]) == topic.config["cleanup.policy"]
        assert str(options["retention.ms"]) == topic.config["retention.ms"]
        assert channel["messages"]


def test_every_published_schema_is_the_payload_of_a_message_in_its_topic(chosen: Settings) -> None:
    found = told(chosen)
    for schema in read_schemas(chosen)[1].schemas:
        channel = found["channels"][chosen.routing.topic_of(schema)]
        message = resolved(found, channel["messages"][schema.full_name])
        assert message["name"] == schema.full_name
        assert message["contentType"] == f"application/{chosen.value_format}"
        avro = json.loads(schema.text)
        if chosen.value_format == "avro":
            assert message["payload"] == {"schemaFormat": AVRO, "schema": avro}
            fastavro.parse_schema(message["payload"]["schema"], named_schemas={})
        else:
            assert message["payload"] == json.loads(json.dumps(json_schema(avro)))


def resolved(found: dict[str, Any], reference: dict[str, str]) -> Any:
    hash_sign, *steps = reference["$ref"].split("/")
    assert hash_sign == "#"
    target = found
    for step in steps:
        target = target[step]
    return resolved(found, target) if "$ref" in target else target


def references(node: Any) -> list[dict[str, str]]:
    if isinstance(node, dict):
        own = [node] if "$ref" in node else []
        return own + [each for value in node.values() for each in references(value)]
    return [each for value in node for each in references(value)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere_and_every_message_is_in_a_channel(chosen: Settings) -> None:
    found = told(chosen)
    targets = [resolved(found, each) for each in references(found)]
    assert len(targets) > len(found["channels"])
    used = {name for channel in found["channels"].values() for name in channel["messages"]}
    assert used == found["components"]["messages"].keys()


def test_the_connector_sends_all_but_requests_and_receives_these_and_claims() -> None:
    found = told(settings(BOTH))
    pairs = {f"asterisk.{kind}{ending}" for kind in ("actions", "claims") for ending in ("", ".json")}
    operations = found["operations"]
    received = {
        name.removeprefix("receive.") for name, each in operations.items() if each["action"] == "receive"
    }
    assert received == pairs
    sent = {name.removeprefix("send.") for name, each in operations.items() if each["action"] == "send"}
    assert sent == found["channels"].keys() - {"asterisk.actions", "asterisk.actions.json"}
    asked = operations["receive.asterisk.actions.json"]
    assert asked["reply"]["channel"] == {"$ref": "#/channels/asterisk.responses.json"}
    assert asked["bindings"]["kafka"]["groupId"]["const"] == "ami-kafka-actions-main"
    for name, each in operations.items():
        assert each["channel"]["$ref"] == f"#/channels/{name.partition('.')[2]}"
        channel = resolved(found, each["channel"])
        assert len(each["messages"]) == len(channel["messages"])


def test_without_actions_nothing_is_received() -> None:
    found = told(settings())
    assert {each["action"] for each in found["operations"].values()} == {"send"}
    assert not any("actions" in name or "claims" in name for name in found["channels"])


def test_a_pair_has_one_form_and_only_claims_are_internal() -> None:
    found = told(settings(BOTH))
    for form, ending in (("avro", ""), ("json", ".json")):
        for kind in ("actions", "responses", "claims"):
            channel = found["channels"][f"asterisk.{kind}{ending}"]
            (message,) = (resolved(found, each) for each in channel["messages"].values())
            assert message["contentType"] == f"application/{form}"
            assert ("schemaFormat" in message["payload"]) is (form == "avro")
            assert ({"name": "internal"} in channel["tags"]) is (kind == "claims")
            assert ("correlationId" in message) is (kind != "claims")


def test_a_request_in_json_needs_its_action_alone() -> None:
    found = told(settings(BOTH))
    payload = found["components"]["messages"]["org.amikafka.actions.ActionRequest.json"]["payload"]
    assert payload["required"] == ["action"]
    assert payload["properties"]["expires_at"]["type"] == ["null", "integer", "string"]


@pytest.mark.parametrize(
    ("event", "key", "told_as"),
    [
        ("Hangup", "root", "<pbx>|<call>: the call, by the first Linkedid that was seen for the channel"),
        ("Hangup", "linkedid", "<pbx>|<call>: the channel's present Linkedid"),
        ("Hangup", "pbx", "<pbx>: the PBX's name in the settings, percent-encoded where it must be"),
        ("QueueMemberStatus", "root", "<pbx>|<Queue>|<Interface>, else <pbx>"),
        ("FullyBooted", "root", "<pbx>: the PBX's name in the settings, percent-encoded where it must be"),
    ],
)
def test_keys_are_described(event: str, key: str, told_as: str) -> None:
    found = told(settings(f'[events]\nkey = "{key}"\nselect = ["@all"]\n'))
    message = found["components"]["messages"][f"org.amikafka.events.{event}"]
    assert message["bindings"]["kafka"]["key"]["description"] == told_as


def test_servers_are_the_settings_and_no_secret_is_told() -> None:
    found = told(settings(BOTH))
    assert {name: (each["host"], each["protocol"]) for name, each in found["servers"].items()} == {
        "kafka-1": ("k1:9092", "kafka-secure"),
        "kafka-2": ("k2:9092", "kafka-secure"),
    }
    (scheme,) = (resolved(found, each) for each in found["servers"]["kafka-1"]["security"])
    assert scheme == {"type": "scramSha512"}
    assert found["servers"]["kafka-1"]["bindings"]["kafka"]["schemaRegistryUrl"] == "http://r:8081"
    assert "hunter" not in json.dumps(found)
    assert told(settings())["servers"]["kafka-1"]["protocol"] == "kafka"
    chosen = settings()
    assert told(replace(chosen, kafka=replace(chosen.kafka, bootstrap_servers=())))["servers"] == {}


@pytest.mark.parametrize(
    ("avro", "schema"),
    [
        ("long", {"type": "integer"}),
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            {"description": "timestamp-millis", "type": "integer"},
        ),
        (["null", "string"], {"type": ["null", "string"]}),
        ({"type": "map", "values": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}),
        (
            ["null", {"type": "array", "items": "int"}],
            {"oneOf": [{"type": "null"}, {"type": "array", "items": {"type": "integer"}}]},
        ),
        (
            {
                "type": "record",
                "namespace": "n",
                "name": "R",
                "fields": [
                    {
                        "name": "a",
                        "type": {"type": "record", "name": "I", "namespace": "n", "fields": []},
                        "doc": "A.",
                    },
                    {"name": "b", "type": "n.I"},
                ],
            },
            {
                "type": "object",
                "required": ["a", "b"],
                "properties": {
                    "a": {"type": "object", "properties": {}, "required": [], "description": "A."},
                    "b": {"type": "object", "properties": {}, "required": []},
                },
            },
        ),
    ],
)
def test_avro_as_json_schema(avro: Any, schema: Any) -> None:
    assert json_schema(avro) == schema
