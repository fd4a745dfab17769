"""Every fact has its words; repeats are held back and counted; one fact is one line."""

import dataclasses
import io
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from connector import facts
from connector.edges.telemetry import LOGGER, Telemetry, open_log
from connector.edges.telemetry.report import PUBLISHED_S, REPEAT_S
from connector.edges.telemetry.sayings import SAYINGS

SAMPLES: dict[Any, Any] = {
    str: "text",
    str | None: None,
    int: 3,
    int | None: None,
    float: 1.5,
    float | None: None,
    bool: False,
    Mapping[str, int]: {"topic": 2},
    tuple[str, ...]: ("topic/0", "topic/1"),
}

BASES = {facts.Fact, facts.ActionFact}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    open_log(stream, "debug")
    yield stream
    logging.getLogger(LOGGER).handlers.clear()


def every_kind() -> list[type[facts.Fact]]:
    kinds = [each for each in vars(facts).values() if isinstance(each, type) and issubclass(each, facts.Fact)]
    return [kind for kind in kinds if kind not in BASES]


def sample(kind: type[facts.Fact], **values: Any) -> facts.Fact:
    fields = {field.name: SAMPLES[field.type] for field in dataclasses.fields(kind)}
    return kind(**(fields | values))


def lines(log: io.StringIO) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_every_fact_is_one_line(kind: type[facts.Fact], log: io.StringIO) -> None:
    assert kind in SAYINGS
    telemetry = Telemetry()
    telemetry(sample(kind))
    telemetry.flush()
    assert len(log.getvalue().splitlines()) <= 1


def test_kinds_of_facts_can_be_left_out() -> None:
    stream = io.StringIO()
    open_log(stream, "warning", unsaid=(facts.ActionRefused,))
    telemetry = Telemetry()
    telemetry(sample(facts.ActionRefused))
    telemetry(sample(facts.LinkDown, pbx="demo", reason="cut", retry_s=1.0))
    logging.getLogger(LOGGER).handlers.clear()
    assert lines(stream) == ["warning  demo: cut; tried again in 1.0 s"]


def test_the_audit_names_request_and_rule_and_no_line_of_it_is_held_back(log: io.StringIO) -> None:
    telemetry = Telemetry()
    about = {"request_id": "r1", "pbx": "pbx1", "action": "Ping", "topic": "t", "partition": 3, "offset": 7}
    for _ in range(2):
        telemetry(sample(facts.ActionBegun, **about, rule="profile full"))
    telemetry(
        sample(facts.ActionRefused, **(about | {"pbx": ""}), status="INVALID", rule="", reason="no pbx")
    )
    telemetry(
        sample(facts.ActionAnswered, **about, status="SUCCESS", executed="yes", replayed=True, took_ms=4)
    )
    telemetry(sample(facts.PartitionsLost, partitions=()))
    assert [line.split(maxsplit=1)[1] for line in lines(log)] == [
        "pbx1: Ping begun by profile full: 'r1' at t/3/7",
        "pbx1: Ping begun by profile full: 'r1' at t/3/7",
        "no PBX: Ping INVALID: no pbx (no rule): 'r1' at t/3/7",
        "pbx1: Ping SUCCESS, executed yes, replayed, 4 ms: 'r1' at t/3/7",
        "no partitions are another's, 3 in flight",
    ]


def test_repeats_are_held_back_and_counted(log: io.StringIO) -> None:
    clock = Clock()
    telemetry = Telemetry(clock)
    for count in range(5):
        telemetry(sample(facts.BrokerTrouble, reason="away"))
        telemetry(sample(facts.BrokerTrouble, reason=f"other {count}"))
    assert sum("away" in line for line in lines(log)) == 1
    assert sum("other" in line for line in lines(log)) == 5
    clock.now = REPEAT_S
    telemetry(sample(facts.BrokerTrouble, reason="away"))
    assert lines(log)[-1].endswith("Kafka: away (4 more since the last such line)")


def test_flush_says_what_was_held_back(log: io.StringIO) -> None:
    telemetry = Telemetry(Clock())
    for place in range(3):
        telemetry(facts.EventQuarantined("a", "Hangup", "suspect", f"number {place}"))
    telemetry.flush()
    assert lines(log)[-1].endswith("suspect: number 2 (the last of 2 more)")


def test_what_was_published_is_said_once_a_minute(log: io.StringIO) -> None:
    clock = Clock()
    telemetry = Telemetry(clock)
    telemetry(facts.EventsPublished({"a": 2, "b": 1}))
    telemetry(facts.EventsPublished({"a": 4}))
    assert lines(log) == []
    clock.now = PUBLISHED_S
    telemetry(facts.EventsPublished({"a": 1}))
    assert lines(log) == ["info     published 8 records to 2 topics"]
    telemetry.flush()
    assert len(lines(log)) == 1


def test_the_tally(log: io.StringIO) -> None:
    telemetry = Telemetry()
    telemetry(facts.EventsPublished({"a": 2}))
    telemetry(facts.EventQuarantined("p", "Hangup", "suspect", ""))
    telemetry(facts.EventDropped("p", "VarSet", "masked"))
    telemetry(facts.EventsLost("p", 1, 3, 3, "full"))
    telemetry.unselected("VarSet")
    tally = telemetry.tally
    assert (tally.published["a"], tally.quarantined["suspect"], tally.lost) == (2, 1, 3)
    assert tally.unselected["VarSet"] == 2
    assert "lost" in log.getvalue()


def test_levels(log: io.StringIO) -> None:
    telemetry = Telemetry()
    telemetry(facts.LinkDown("p", "a:1", "logged off", None))
    telemetry(facts.LinkDown("p", "a:1", "cut", 1.0))
    telemetry(facts.BrokerTrouble("fenced", fatal=True))
    telemetry(facts.KafkaLog(logging.DEBUG, "chatter"))
    assert [line.split()[0] for line in lines(log)] == ["info", "warning", "error", "debug"]


def test_a_text_from_outside_stays_on_its_line(log: io.StringIO) -> None:
    Telemetry()(facts.LinkDown("p", "a:1", "two\r\nlines \x1b[31m", 1.0))
    assert "\x1b" not in log.getvalue()
    assert len(log.getvalue().splitlines()) == 1


def test_json_lines_carry_the_fact() -> None:
    stream = io.StringIO()
    open_log(stream, "info", "json")
    Telemetry()(facts.LinkUp("p", "a:1", "11.0.0", None))
    logging.getLogger(LOGGER).debug("too quiet")
    logging.getLogger(LOGGER).error("ended", exc_info=ValueError("boom"))
    up, ended = map(json.loads, stream.getvalue().splitlines())
    assert (up["fact"], up["pbx"], up["level"]) == ("LinkUp", "p", "info")
    assert up["message"] == "p: logged in at a:1, Asterisk of unknown version"
    assert "ValueError: boom" in ended["exception"]
    logging.getLogger(LOGGER).handlers.clear()
