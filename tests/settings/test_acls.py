"""The least rights in Kafka, and how they are printed."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

from connector.avro.schema import load
from connector.settings.acls import SOMEBODY, commands, principal, records
from connector.settings.actions import Actions
from connector.settings.kinds import Address, Secret
from connector.settings.rights import Right, least
from connector.settings.sections import Kafka, Pbx, Settings, Topics
from connector.settings.topics import plan

ROOT = Path(__file__).parents[2] / "schemas"
HANGUP, CONNECTOR = (
    load((ROOT / path).read_text(), path) for path in ("events/hangup.avsc", "connector.avsc")
)
PBX = Pbx(address=(Address("h"),), username="kafka", secret=Secret("deep"))
SETTINGS = Settings(pbx={"main": PBX}, kafka=Kafka(bootstrap_servers=("k1:9092", "k2:9092")))
BACK = replace(SETTINGS, actions=Actions(reply_topics=("billing.replies", "crm.*")))


def granted(settings: Settings) -> dict[tuple[str, str, bool], set[str]]:
    found = least(settings, plan(settings, [HANGUP, CONNECTOR]))
    return {(right.kind, right.name, right.prefixed): set(right.operations) for right in found}


def test_events_are_granted_together_and_nothing_else_is() -> None:
    assert granted(SETTINGS) == {
        ("topic", "asterisk.events.", True): {"WRITE", "CREATE"},
        ("topic", "asterisk.connector", False): {"WRITE", "CREATE"},
        ("topic", "asterisk.dlq", False): {"WRITE", "CREATE"},
    }


def test_who_makes_no_topics_needs_no_right_to() -> None:
    never = replace(BACK, topics=Topics(create="never"))
    assert not [each for each, operations in granted(never).items() if "CREATE" in operations]


def test_the_road_back_may_not_write_requests_nor_read_responses() -> None:
    found = granted(BACK)
    assert found["topic", "asterisk.actions.json", False] == {"READ", "DESCRIBE_CONFIGS", "CREATE"}
    assert found["topic", "asterisk.claims.json", False] == {"READ", "WRITE", "DESCRIBE_CONFIGS", "CREATE"}
    assert found["topic", "asterisk.responses.json", False] == {"WRITE", "CREATE"}
    assert found["topic", "billing.replies", False] == found["topic", "crm.", True] == {"WRITE"}
    assert found["group", "ami-kafka-actions-main", False] == {"READ"}
    assert found["transactional-id", "ami-kafka-actions-main-", True] == {"WRITE"}


def test_the_principal_is_who_logs_in_by_sasl() -> None:
    assert principal(SETTINGS.kafka) == SOMEBODY
    by_name = replace(SETTINGS.kafka, librdkafka={"sasl.username": "bridge", "sasl.password": Secret("deep")})
    assert principal(by_name) == "User:bridge"


RIGHT = Right("transactional-id", "its-", ("WRITE", "DESCRIBE_CONFIGS"), prefixed=True)


def test_commands_are_a_shells() -> None:
    head, text = commands([RIGHT], "User:CN=it s", ["k1:9092", "k2:9092"])
    assert all(line.startswith("#") for line in head.splitlines())
    assert shlex.split(text.replace("\\\n", " ")) == [
        *("kafka-acls", "--bootstrap-server", "k1:9092,k2:9092", "--command-config", "admin.properties"),
        *("--add", "--allow-principal", "User:CN=it s", "--operation", "Write"),
        *("--operation", "DescribeConfigs", "--transactional-id", "its-"),
        *("--resource-pattern-type", "prefixed"),
    ]


def test_records_have_kafkas_own_names() -> None:
    one, two = records([RIGHT], "User:a")
    assert one == {
        "resource_type": "TRANSACTIONAL_ID",
        "resource_name": "its-",
        "pattern_type": "PREFIXED",
        "principal": "User:a",
        "host": "*",
        "operation": "WRITE",
        "permission_type": "ALLOW",
    }
    assert json.loads(json.dumps(two))["operation"] == "DESCRIBE_CONFIGS"
