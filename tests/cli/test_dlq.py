"""Dead letters, listed, shown and sent again, at the embedded broker."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from connector.cli.dump import shown
from connector.demo.broker import EmbeddedBroker
from connector.edges.kafka.producer import KafkaSink
from connector.events.records.outcome import Publish
from tests.actions.records import incoming, serde, undecodable_of
from tests.cli.conftest import Cli
from tests.cli.test_kafka import broker, objects, topics  # noqa: F401 (fixtures)
from tests.edges.kafka_ends import DEADLINE_S, nobody, producer_of
from tests.events.frames import event, intake, snapshot, translate, translator

NOW = 1_700_000_001_000_000
HANGUP = event("Hangup", snapshot("1.2", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")
TORN = HANGUP.replace(b"CallerIDName: Ann", b"CallerIDName: \x1b[31mX\r\nY: z")
ODD = b"bad: \xff\r\nEvent: Hangup"


def letters() -> list[Publish]:
    """Return one of each kind: refused, suspect, no event, not selected, a request."""
    frames = [HANGUP, TORN, ODD, event("Reload", "Module: All", "Status: 0")]
    hangup, torn, odd, reload = (
        next(each for each in intake().frames([frame], NOW) if each.origin == "ami") for frame in frames
    )
    request = serde().dead_letter(undecodable_of(incoming(b"no request", (("mine", b"\x1b]0;x"),))))
    assert request.value is not None
    return [
        translator().refused(hangup, "Broker: Message size too large").publish,
        translate(torn).publish,  # type: ignore[union-attr]
        translate(odd).publish,  # type: ignore[union-attr]
        translator().refused(reload, "no such\ntopic").publish,
        Publish(request.topic, request.key, request.value, list(request.headers), NOW // 1000 + 7_200_000),  # type: ignore[arg-type]
    ]


@pytest.fixture
def filled(broker: EmbeddedBroker, topics: list[str], tmp_path: Path) -> EmbeddedBroker:  # noqa: F811
    """Letters in the topic, and a PBX of their name in the settings."""
    assert "asterisk.dlq" in topics
    path = tmp_path / "ami-kafka.toml"
    path.write_text(path.read_text().replace("[pbx.main]", "[pbx.pbx1]"))

    async def fill() -> None:
        sink = KafkaSink(producer_of(broker), nobody)
        assert await (await sink.lane().put(letters())) == []
        await sink.close(DEADLINE_S)

    asyncio.run(fill())
    return broker


def listed(cli: Cli, *options: str) -> list[dict[str, Any]]:
    result = cli("dlq", "list", "--output", "json", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    return objects(result.stdout)


@pytest.mark.usefixtures("filled")
def test_all_are_listed_with_what_they_were(cli: Cli) -> None:
    found = listed(cli)
    assert [
        (each["reason"], each["pbx"], each["event"], each["event_id"], each["from"]) for each in found
    ] == [
        ("refused", "pbx1", "Hangup", "pbx1/3/1", None),
        ("suspect", "pbx1", "Hangup", "pbx1/3/1", None),
        ("orphan", "pbx1", "orphan", "pbx1/3/1", None),
        ("refused", "pbx1", "Reload", "pbx1/3/1", None),
        ("undecodable", None, None, None, "asterisk.actions.json/3/42"),
    ]
    assert [each["letter"] for each in found] == [f"0/{offset}" for offset in range(5)]
    assert found[0]["time"] == "2023-11-14T22:13:21.000+00:00"
    assert found[0]["detail"] == "Broker: Message size too large"
    table = cli("dlq", "list")
    assert table.exit_code == 0
    assert [line.split()[0] for line in table.stdout.splitlines()[1:]] == [each["letter"] for each in found]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        (["--reason", "refused"], [0, 3]),
        (["--pbx", "pbx1"], [0, 1, 2, 3]),
        (["--pbx", "other"], []),
        (["--since", "2023-11-14T23:00:00Z"], [4]),
        (["--since", "1h"], []),
        (["--reason", "refused", "--since", "2023-11-14T22:00:00Z"], [0, 3]),
    ],
)
def test_filters_choose(cli: Cli, options: list[str], offsets: list[int]) -> None:
    assert [each["offset"] for each in listed(cli, *options)] == offsets


@pytest.mark.usefixtures("filled")
def test_one_is_shown_whole_and_commands_no_terminal(cli: Cli) -> None:
    text = cli("dlq", "show", "0/1").stdout
    assert "__connect.errors.exception.class.name: suspect\n" in text
    assert "CallerIDName: \\x1b[31mX\nY: z\n" in text
    assert "\n00000000  62 61 64 3a 20 ff 0d 0a " in cli("dlq", "show", "0/2").stdout
    request = cli("dlq", "show", "0/4").stdout
    assert "mine: \\x1b]0;x\n" in request
    assert "\x1b" not in text + request
    (whole,) = objects(cli("dlq", "show", "0/1", "-o", "json").stdout)
    assert whole["value"] == TORN.decode()
    assert {"name": "ce_id", "value": "pbx1/3/1"} in whole["headers"]
    absent = cli("dlq", "show", "0/99")
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "asterisk.dlq has no record 0/99" in absent.stderr


def tailed(cli: Cli, topic: str, count: int) -> list[dict[str, Any]]:
    return objects(cli("tail", topic, "--from-beginning", "-n", str(count), "-o", "json").stdout)


@pytest.mark.usefixtures("filled")
def test_what_was_refused_is_sent_again_under_its_id_and_the_rest_is_left_with_its_reason(cli: Cli) -> None:
    result = cli("dlq", "replay", "--all", "--output", "json")
    assert result.exit_code == 3
    sent, *left = objects(result.stdout)
    assert sent == {
        "letter": "0/0",
        "event_id": "pbx1/3/1",
        "topic": "asterisk.events.hangup",
        "outcome": "replayed",
        "reason": "",
    }
    assert {each["outcome"] for each in left} == {"left"}
    suspect, odd, unselected, request = (each["reason"] for each in left)
    assert suspect.startswith("it would be a dead letter again (suspect): ")
    assert odd.startswith("it was never an event (orphan)")
    assert unselected == "the settings do not publish this event"
    assert request.startswith("it is a request")
    (record,) = tailed(cli, "asterisk.events.hangup", 1)
    assert (record["headers"]["ce_id"], record["key"]) == ("pbx1/3/1", "pbx1|1.1")
    assert record["value"]["received_time_us"] == NOW
    assert len(listed(cli)) == 5


@pytest.mark.usefixtures("filled")
def test_a_dry_run_says_the_same_and_sends_nothing(cli: Cli) -> None:
    result = cli("dlq", "replay", "0/0", "--dry-run", "-o", "json")
    assert result.exit_code == 0
    (told,) = objects(result.stdout)
    assert (told["outcome"], told["topic"]) == ("would be", "asterisk.events.hangup")
    assert cli("dlq", "replay", "0/0").exit_code == 0
    (record,) = tailed(cli, "asterisk.events.hangup", 1)
    assert record["offset"] == 0


@pytest.mark.usefixtures("filled")
def test_suspects_go_to_their_topics_where_they_are_marked(cli: Cli) -> None:
    marked = {"AMI_KAFKA__EVENTS__SUSPECT": "mark"}
    assert cli("dlq", "replay", "--reason", "suspect", env=marked).exit_code == 0
    (record,) = tailed(cli, "asterisk.events.hangup", 1)
    assert record["value"]["source"]["integrity"] == "suspect"


@pytest.mark.usefixtures("filled")
def test_a_pbx_that_the_settings_do_not_know_is_left(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "ami-kafka.toml"
    path.write_text(path.read_text().replace("[pbx.pbx1]", "[pbx.other]"))
    result = cli("dlq", "replay", "0/0")
    assert result.exit_code == 3
    assert "the settings have no PBX pbx1" in result.stdout


@pytest.mark.usefixtures("filled")
def test_what_was_not_found_is_named(cli: Cli) -> None:
    result = cli("dlq", "replay", "0/0", "0/77", "--dry-run", "-o", "json")
    assert (result.exit_code, len(objects(result.stdout))) == (3, 1)
    assert "0/77: there is no such dead letter" in result.stderr
    nothing = cli("dlq", "replay", "--reason", "undreamt")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "no dead letter is like that" in nothing.stderr


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replay"], "name dead letters, or choose by --reason"),
        (["replay", "7"], "is not PARTITION/OFFSET"),
        (["show", "x/1"], "is not PARTITION/OFFSET"),
        (["list", "--since", "soon"], "is neither 90s, 15m, 2h, 7d nor a time"),
    ],
)
def test_a_wrong_choice_is_said(cli: Cli, words: list[str], told: str) -> None:
    result = cli("dlq", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.usefixtures("broker")
def test_a_topic_that_is_not_there_is_said(cli: Cli) -> None:
    result = cli("dlq", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no topic asterisk.dlq" in result.stderr


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (b"", [""]),
        (b"a: b\r\nc: d", ["a: b", "c: d"]),
        ("Zoë\u202e\x9b\t".encode(), ["Zoë\\u202e\\x9b\\t"]),
        (
            b"\xff" + b"A" * 16,
            [
                "00000000  ff 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41  |.AAAAAAAAAAAAAAA|",
                "00000010  41                                               |A|",
            ],
        ),
    ],
)
def test_bytes_are_readable_and_harmless(value: bytes, lines: list[str]) -> None:
    assert shown(value) == lines
    assert json.dumps(lines)
