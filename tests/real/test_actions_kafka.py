"""Every safe action that a bare Asterisk can answer, through Kafka and over a bare socket: the same answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.avro import avro
from tests.real.bridge import Tables, bridge, fresh, pbx_table
from tests.real.pooled import Lines
from tests.real.reads import Answers, Questions, compare, settled
from tests.real.story import Ends, tables

PARTITIONS = 3
ENOUGH = 50
"""Actions that this Asterisk must have answered, so that something was compared."""


def settings(ends: Ends, prefix: str, pbx: Asterisk) -> Tables:
    return {
        **tables(ends, prefix),
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        # A bare socket masks nothing, and evaluates what it is asked.
        "actions": {"mask_secrets": False},
        "actions.policy": {"profile": "full", "functions": ["CALLERID", "CHANNEL"]},
    }


def requests(prefix: str, questions: Questions) -> dict[str, dict[str, Any]]:
    """Return a request for each question, all with keys of their own."""
    return {
        f"{prefix}-{number}": {
            "request_id": f"r{number}",
            "action": name,
            "headers": [
                {"name": header, "value": value}
                for header, value in (*headers, ("ActionID", f"own-{number}"))
            ],
        }
        for number, (name, headers) in enumerate(questions.asked)
    }


def messages(response: dict[str, Any]) -> list[Lines]:
    """Return a response's messages as they were on the wire."""
    output = tuple(("Output", line) for line in response["output"])
    events = [(("Event", each["event"]), *lines(each["headers"])) for each in response["events"]]
    return [(*lines(response["response"]), *output), *events]


def lines(headers: list[dict[str, str]]) -> Lines:
    return tuple((each["name"], each["value"]) for each in headers)


def through_kafka(ends: Ends, prefix: str, questions: Questions) -> Answers:
    asked = requests(prefix, questions)
    topic = f"{prefix}.actions"
    with avro(ends.registry.url, topic) as form:
        ask(ends.kafka.bootstrap, topic, asked, form.encode)
        inbox = Inbox(ends.kafka.bootstrap, f"{prefix}.responses", PARTITIONS, form.decode)
        try:
            answers = inbox.expect(asked)
        finally:
            inbox.close()
    for number, correlation in enumerate(asked):
        (answer,) = answers[correlation]
        assert answer["action_id"] == f"own-{number}"
        assert answer["status"] in {"SUCCESS", "FAILURE"}, answer
    return [messages(answers[correlation][0]) for correlation in asked]


def test_a_response_holds_all_that_a_bare_socket_gives(
    start_asterisk: Callable[..., Asterisk],
    kafka: Cluster | Kafka,
    registry: Service | Registry,
    tmp_path: Path,
) -> None:
    ends, prefix, pbx = Ends(kafka, registry), fresh("reads"), start_asterisk(22)
    with bridge(tmp_path, settings(ends, prefix, pbx), "--only", "actions") as running:
        with settled(pbx) as questions:
            running.expect("ClaimsRead", times=PARTITIONS)
            before = questions.ask()
            ours = through_kafka(ends, prefix, questions)
            answered = compare(questions.asked, before, ours, questions.ask())
        assert running.stop() == 0, running.text()
    print(f"{len(questions.asked)} questions, {len(answered)} actions: {', '.join(sorted(answered))}")
    assert len(answered) >= ENOUGH
    reading.remove(kafka.bootstrap, prefix)
