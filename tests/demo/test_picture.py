"""What the picture knows, and that it fits every terminal."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from connector.demo.picture import Picture
from connector.demo.wallboard import LINGER_S, Answer, Seen, Wallboard, telling

CALL = {
    "call_id": "1.0",
    "unique_id": "1.0",
    "caller_id_num": "1001",
    "caller_id_name": "Ada",
    "exten": "200",
}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def seen(kind: str, number: int = 1, topic: str = "asterisk.events.x", **value: Any) -> Seen:
    return Seen(topic, "pbx|1.0", kind, number, 1_700_000_000_123_000, value, {})


def board(*story: tuple[str, Mapping[str, Any]]) -> Wallboard:
    filled = Wallboard(Clock())
    for number, (kind, value) in enumerate(story, 1):
        filled.take(seen(kind, number, **(CALL | dict(value))))
    return filled


@pytest.mark.parametrize(
    ("story", "state"),
    [
        ([], "new"),
        ([("DialBegin", {"dest_caller_id_num": "1002"})], "ringing"),
        ([("QueueCallerJoin", {"queue": "sales"})], "waiting"),
        ([("BridgeEnter", {"bridge_num_channels": 1})], "new"),
        ([("BridgeEnter", {"bridge_num_channels": 2})], "talking"),
        ([("Hold", {})], "on hold"),
        ([("Hold", {}), ("Unhold", {})], "talking"),
        ([("DialEnd", {"dial_status": "BUSY"})], "busy"),
        ([("DialBegin", {}), ("DialEnd", {"dial_status": "ANSWER"})], "ringing"),
        ([("BlindTransfer", {"extension": "300"})], "transferred"),
        ([("Hangup", {})], "ended"),
        ([("Hangup", {}), ("Hold", {})], "ended"),
    ],
)
def test_the_state_of_a_call(story: list[tuple[str, dict[str, Any]]], state: str) -> None:
    (call,) = board(("Newchannel", {}), *story).present()
    assert call.state == state
    assert call.caller == "1001 Ada"


def test_a_call_lasts_until_its_last_channel() -> None:
    filled = board(("Newchannel", {}), ("Newchannel", {"unique_id": "1.1"}), ("Hangup", {"unique_id": "1.1"}))
    assert filled.finished == 0
    filled.take(seen("Hangup", 4, **CALL))
    assert filled.finished == 1


def test_an_ended_call_is_shown_a_moment_longer() -> None:
    clock = Clock()
    filled = Wallboard(clock)
    filled.take(seen("Newchannel", 1, "t", **CALL))
    filled.take(seen("Hangup", 2, "t", **CALL))
    assert len(filled.present()) == 1
    clock.now += LINGER_S + 0.1
    assert filled.present() == []


def test_what_belongs_to_no_known_call_is_only_counted() -> None:
    filled = board(("Hangup", {}), ("DeviceStateChange", {"call_id": None}))
    assert filled.present() == []
    assert filled.total == 2


def test_rates_are_of_whole_seconds() -> None:
    clock = Clock()
    filled = Wallboard(clock)
    clock.now += 10
    for _ in range(10):
        filled.take(seen("X", topic="t"))
    assert filled.rate("t") == 0
    clock.now += 1
    assert filled.rate("t", over_s=5) == 2
    assert filled.trend(3) == [0, 0, 10]


def test_telling_fields_come_first_and_the_envelope_never() -> None:
    value: dict[str, Any] = {
        "event_id": "a/1/1",
        "zebra": "z",
        "queue": "sales",
        "empty": None,
        "list": [],
        "extra": [],
    }
    assert telling(value) == [("queue", "sales"), ("zebra", "z")]
    assert telling(value, most=1) == [("queue", "sales")]


@pytest.mark.parametrize("size", [(200, 60), (140, 40), (100, 30), (80, 24), (60, 40), (40, 16), (30, 12)])
@pytest.mark.parametrize("calls", [0, 1, 60])
def test_the_picture_fits(size: tuple[int, int], calls: int) -> None:
    width, height = size
    filled = Wallboard(Clock())
    filled.opens("a PBX with a long name -> Kafka somewhere")
    for number in range(calls):
        ids: dict[str, Any] = {"call_id": str(number), "unique_id": str(number)}
        filled.take(seen("Newchannel", number, f"asterisk.events.topic-{number}", **(CALL | ids)))
    lines = drawn(filled, width, height)
    assert len(lines) == height
    assert {len(line) for line in lines} <= set(range(width + 1))
    assert "Calls in progress" in "".join(lines)


def drawn(filled: Wallboard, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(Picture(filled).draw(width, height), end="")
    return capture.get().splitlines()


def requests_panel(lines: list[str]) -> list[str]:
    """Give the lines between the panel's borders."""
    (top,) = [at for at, line in enumerate(lines) if "Requests (" in line]
    end = next(at for at, line in enumerate(lines) if at > top and line.startswith("╰"))
    return lines[top:end]


def answered(count: int) -> Wallboard:
    filled = board(("Newchannel", {}))
    for number in range(count):
        answer = Answer(f"Action{number}", "SUCCESS", f"Queue=q{number}", number)
        response = seen("Response", 0, "asterisk.responses.json", action=f"Action{number}")
        filled.take(replace(response, answer=answer))
    return filled


def test_requests_are_shown_with_status_and_time_and_what_they_ask() -> None:
    filled = answered(1)
    refused = Answer("Originate", "REFUSED", "Context=outbound")
    filled.take(replace(seen("Response", 0, "asterisk.responses.json"), answer=refused))
    title, head, first, second = requests_panel(drawn(filled, 140, 40))[:4]
    assert "Requests (2 answered)" in title
    assert head.strip("│ ").split() == ["Time", "Action", "Status", "ms", "Asks"]
    assert first.strip("│ ").split()[1:] == ["Action0", "SUCCESS", "0", "Queue=q0"]
    assert second.strip("│ ").split()[1:] == ["Originate", "REFUSED", "Context=outbound"]


def test_the_latest_requests_are_shown_and_none_of_them_is_an_event() -> None:
    filled = answered(300)
    lines = drawn(filled, 140, 40)
    panel = requests_panel(lines)
    assert "Requests (300 answered)" in panel[0]
    assert "Action299" in panel[-1]
    assert not [line for line in lines if "Action29" in line and line not in panel]
    assert [each.kind for each in filled.latest] == ["Newchannel"]
    assert filled.total == 301


@pytest.mark.parametrize("size", [(200, 60), (140, 40), (100, 30), (80, 24), (60, 20)])
def test_requests_have_room_where_the_picture_is_high_enough(size: tuple[int, int]) -> None:
    lines = drawn(answered(50), *size)
    assert len(lines) == size[1]
    assert "Action49" in requests_panel(lines)[-1]


def test_a_low_picture_leaves_requests_out() -> None:
    assert not [line for line in drawn(answered(50), 80, 19) if "Requests" in line]
