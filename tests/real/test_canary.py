"""A session that answers and brings no events is found out by our own, and renewed."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.events.watching.canary import NAME
from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.real import reading
from tests.real.bridge import MEASURED, Tables, bridge, fresh, pbx_table
from tests.real.stalling import Stalling

BEFORE, HELD, AFTER, FORGED = "BeforeTheStall", "HeldBack", "AfterTheStall", "ForgedNonce"


def tables(pbx: Pbx, port: int, kafka: Cluster | Kafka, prefix: str) -> Tables:
    return {
        "connector": {"heartbeat_s": 0.5},
        "pbx.main": pbx_table(
            pbx.host, port, pbx.username, pbx.secret, canary_s=0.3, canary_timeout_s=3, ping_interval_s=0.5
        ),
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "events": {
            "select": ["@all", "@unknown"],
            "topic_prefix": prefix,
            "format": "json",
            "routing": "single",
        },
        "topics": {"partitions": 1},
        "http": MEASURED,
    }


def say(pbx: Pbx, name: str, **headers: str) -> None:
    with pbx.manager(events="off") as ami:
        ami.action("UserEvent", UserEvent=name, **headers)


def canaries(pbx: Pbx, times: int) -> None:
    """Wait until the PBX was given so many."""
    with pbx.manager() as ami:

        def seen() -> bool:
            ami.action("Ping")
            return sum(event.fits("UserEvent", {"UserEvent": NAME}) for event in ami.events) >= times

        wait_until(seen, f"{times} canaries")


@pytest.mark.parametrize("roads", ["events", "both"])
def test_a_stalled_stream_is_renewed_and_the_gap_is_told(
    roads: str, asterisk22: Pbx, kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = asterisk22, fresh("canary")
    with Stalling(pbx.port) as way:
        settings = tables(pbx, way.port, kafka, prefix)
        if roads == "both":
            settings["actions"] = {}
        with bridge(tmp_path, settings, *(("--only", "events") if roads == "events" else ())) as running:
            running.expect("LinkUp")
            canaries(pbx, 5)
            say(pbx, NAME, Nonce=FORGED)
            say(pbx, BEFORE)
            reading.expect(kafka.bootstrap, prefix, BEFORE.encode())
            assert running.facts("CanaryMissed") == []
            way.stall()
            say(pbx, HELD)
            (missed,) = running.expect("CanaryMissed")
            assert missed["renewed"] is True
            running.moves("stream_stalled", pbx="main")
            running.moves("canaries_missed_total", pbx="main")
            way.welcome()
            running.expect("LinkUp", times=2)
            running.expect("CanarySeen")
            running.falls("stream_stalled", pbx="main")
            running.moves("gaps_total", pbx="main", loss="possible")
            running.moves("gap_seconds_total", least=0.001, pbx="main")
            if roads == "both":
                running.moves("action_sessions", pbx="main")
            say(pbx, AFTER)
            reading.expect(kafka.bootstrap, prefix, AFTER.encode())
            assert running.stop() == 0, running.text()
            assert len(running.facts("CanaryMissed")) == 1
            assert running.facts("CanaryUnsent") == []
    values: list[dict[str, Any]] = [
        json.loads(got.value) for got in reading.read_all(kafka.bootstrap, prefix)
    ]
    reading.remove(kafka.bootstrap, prefix)
    told = {value["user_event"]: value for value in values if value.get("user_event")}
    assert HELD not in told
    # Of all canaries only the forged one is an event.
    assert [value["extra"] for value in values if value.get("user_event") == NAME] == [told[NAME]["extra"]]
    assert FORGED in json.dumps(told[NAME])
    (gap,) = (value for value in values if value.get("type") == "gap")
    assert (gap["reason"], gap["loss"]) == ("stream-stalled", "possible")
    assert told[BEFORE]["received_time_us"] <= gap["from_time_us"] < gap["to_time_us"]
    assert gap["to_time_us"] <= told[AFTER]["received_time_us"]
    offsets = [value["offset_ms"] for value in values if value.get("type") == "heartbeat"]
    assert any(offset is not None and abs(offset) < 1_000 for offset in offsets)


@pytest.mark.parametrize(
    ("username", "said"), [("nobody", "Authentication failed"), ("actions", "needs write = user")]
)
def test_an_account_that_may_send_no_canary_keeps_its_session(
    username: str, said: str, asterisk22: Pbx, kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = asterisk22, fresh("canary")
    settings = tables(pbx, pbx.port, kafka, prefix)
    settings["pbx.main.actions"] = {"username": username, "secret": pbx.secret}
    with bridge(tmp_path, settings, "--only", "events") as running:
        running.expect("LinkUp")
        (unsent,) = running.expect("CanaryUnsent")
        assert said in unsent["reason"]
        say(pbx, AFTER)
        reading.expect(kafka.bootstrap, prefix, AFTER.encode())
        assert running.stop() == 0, running.text()
        assert len(running.facts("CanaryUnsent")) == 1
        assert running.facts("CanaryMissed") == []
        assert len(running.facts("LinkUp")) == 1
    reading.remove(kafka.bootstrap, prefix)
