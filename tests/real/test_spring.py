"""Spring's ReplyingKafkaTemplate asks, and gets its own answers."""

import json
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.bridge import bridge, fresh, pbx_table
from tests.real.foreign import PROGRAMS, run_java

EACH = 25


def test_replies_of_two_templates_on_one_topic_are_matched_by_their_correlation(
    kafka: Cluster | Kafka, asterisk22: Pbx, tmp_path: Path
) -> None:
    prefix = fresh("spring")
    replies = f"{prefix}.crm.answers"
    topic = NewTopic(replies, 2)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([topic])[replies].result()
    tables = {
        "pbx.main": pbx_table(asterisk22.host, asterisk22.port, asterisk22.username, asterisk22.secret),
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "events": {"topic_prefix": prefix},
        "topics": {"partitions": 2},
        "actions": {"reply_topics": [f"{prefix}.crm.*"]},
    }
    with bridge(tmp_path, tables, "--only", "actions") as running:
        running.expect("ClaimsRead", times=2)
        program = PROGRAMS / "Replies.java"
        told = run_java("spring", program, kafka.bootstrap, f"{prefix}.actions.json", replies, str(EACH))
        assert running.stop() == 0, running.text()
    assert len(told) == 2 * EACH
    for asked, partition, reply in (line.split("\t") for line in told):
        answer = json.loads(reply)
        assert (answer["request_id"], answer["status"]) == (asked, "SUCCESS")
        assert partition == asked.partition("-")[0]
    assert not reading.read_all(kafka.bootstrap, f"{prefix}.responses"), "none went to the default topic"
    reading.remove(kafka.bootstrap, prefix)
