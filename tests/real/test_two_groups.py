"""Two groups of connectors with different PBXs on one request topic, two connectors in each."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.asking import Inbox, ask, left
from tests.real.bridge import Bridge, Tables, bridge, fresh, pbx_table

PARTITIONS = 4
EACH = 40


@pytest.fixture
def prefix(kafka: Cluster | Kafka) -> Iterator[str]:
    name = fresh("groups")
    yield name
    reading.remove(kafka.bootstrap, name)


def tables(bootstrap: str, prefix: str, name: str, pbx: Pbx) -> Tables:
    return {
        f"pbx.{name}": pbx_table(pbx.host, pbx.port, "actions", pbx.secret),
        "kafka": {"bootstrap_servers": [bootstrap]},
        "events": {"topic_prefix": prefix},
        "topics": {"partitions": PARTITIONS},
        "actions": {"format": "json", "group": f"{prefix}-{name}"},
    }


def requests(prefix: str) -> dict[str, dict[str, Any]]:
    """Return requests for both PBXs and for one that nobody serves, well mixed."""
    names = ["pbx-22", "pbx-16", "pbx-none"] * EACH
    random.Random(1).shuffle(names)
    return {
        f"{prefix}-{number}": {"request_id": f"r{number}", "pbx": name, "action": "CoreSettings"}
        for number, name in enumerate(names)
    }


def test_every_request_is_answered_once_and_by_the_right_group(
    kafka: Cluster | Kafka, asterisk22: Pbx, asterisk16: Pbx, tmp_path: Path, prefix: str
) -> None:
    bootstrap, topic = kafka.bootstrap, f"{prefix}.actions.json"
    pbxs = {"pbx-22": asterisk22, "pbx-16": asterisk16}
    with ExitStack() as ends:
        running = {
            name: [
                ends.enter_context(
                    bridge(tmp_path, tables(bootstrap, prefix, name, pbx), "--only", "actions")
                )
                for _ in range(2)
            ]
            for name, pbx in pbxs.items()
        }
        for pair in running.values():
            wait_until(lambda pair=pair: both_own_some(pair), "both have partitions", within=90)  # type: ignore[misc]
        asked = requests(prefix)
        ask(bootstrap, topic, asked)
        inbox = Inbox(bootstrap, f"{prefix}.responses.json", PARTITIONS)
        ends.callback(inbox.close)
        inbox.expect(each for each, request in asked.items() if request["pbx"] in pbxs)
        for name in pbxs:
            group = f"{prefix}-{name}"
            wait_until(
                lambda group=group: left(bootstrap, group, topic, PARTITIONS) == 0,  # type: ignore[misc]
                f"{group} has passed over what is not for it",
            )
        for each in [*running["pbx-22"], *running["pbx-16"]]:
            assert each.stop() == 0, each.text()
            assert each.facts("ActionAnswered"), "both of a group have answered some"
        inbox.read(1.0)
    for correlation, request in asked.items():
        name, answers = request["pbx"], inbox.answers[correlation]
        if name not in pbxs:
            assert not answers, "nobody answers for a PBX that is not served"
            continue
        (answer,) = answers
        assert (answer["status"], answer["pbx"], answer["replayed"]) == ("SUCCESS", name, False)
        versions = [each["value"] for each in answer["response"] if each["name"] == "AsteriskVersion"]
        assert versions[0].startswith(name.removeprefix("pbx-")), "it was asked of the right PBX"


def both_own_some(pair: list[Bridge]) -> bool:
    """Say whether the group's partitions have been shared out."""
    owned = [{fact["partition"] for fact in each.facts("ClaimsRead")} for each in pair]
    return all(owned) and owned[0] | owned[1] == {*range(PARTITIONS)}
