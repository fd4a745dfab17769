"""A dead letter at a real Kafka: its topic does not take an event, is mended, and gets it under its old id."""

import json
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined] # its public names
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.bridge import MEASURED, bridge, command, fresh, pbx_table, toml
from tests.real.reading import Got
from tests.real.test_journal import Counting

LIMIT = "max.message.bytes"
TOO_SMALL, LARGE = "200", "1000000"


def set_limit(admin: AdminClient, topic: str, value: str) -> None:
    entry = ConfigEntry(LIMIT, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)


def test_what_kafka_refused_comes_to_its_topic_under_its_id_once_that_is_mended(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    prefix = fresh("dlq")
    topic = f"{prefix}.events.user-event"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 3, 1, config={LIMIT: TOO_SMALL})])[topic].result(30)
    tables = {
        "pbx.main": pbx_table(asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret),
        "kafka": {"bootstrap_servers": [kafka.bootstrap], "reach_timeout_s": 30.0},
        "kafka.producer": {"compression.type": "none", "batch.num.messages": 1},
        "events": {"select": ["UserEvent"], "topic_prefix": prefix, "format": "json"},
        "http": MEASURED,
    }

    def of(name: str) -> list[Got]:
        return [got for got in reading.read_all(kafka.bootstrap, prefix) if got.topic == f"{prefix}.{name}"]

    with bridge(tmp_path, tables, "--only", "events") as running, Counting(asterisk22) as counting:
        running.expect("LinkUp")
        counting.more(20)
        counting.stop()
        letters = wait_until(lambda: of("dlq"), "dead letters", within=60)
        running.moves("dead_letters_total", reason="record-refused")
        assert running.stop() == 0, running.text()
    letters = of("dlq")
    assert of("events.user-event") == []
    config = tmp_path / "replay.toml"
    config.write_text(toml(tables))

    listed = command("dlq", "list", "--output", "json", "--config", str(config))
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [each["event_id"] for each in found] == [got.headers["ce_id"] for got in letters]
    assert {(each["reason"], each["event"]) for each in found} == {("refused", "UserEvent")}

    again = command("dlq", "replay", "--all", "--config", str(config))
    assert again.returncode == 3, again.stderr
    assert "refused" in again.stdout
    assert len(of("dlq")) == len(letters)

    set_limit(admin, topic, LARGE)
    chosen = f"{letters[0].partition}/{letters[0].offset}"
    one = command("dlq", "replay", chosen, "--config", str(config))
    assert one.returncode == 0, one.stdout + one.stderr
    (record,) = of("events.user-event")
    assert record.headers["ce_id"] == letters[0].headers["ce_id"]
    value = json.loads(record.value)
    assert value["event_id"] == letters[0].headers["ce_id"]
    assert record.key.startswith(b"main")

    rest = command("dlq", "replay", "--reason", "refused", "--config", str(config))
    assert rest.returncode == 0, rest.stdout + rest.stderr
    ids = {got.headers["ce_id"] for got in of("events.user-event")}
    assert ids == {got.headers["ce_id"] for got in letters}
