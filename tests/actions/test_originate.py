"""Originate for the wire, and how calls end in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.originate import DEFAULT_RING_MS, channel_id_of, outcome_in_words, prepare
from connector.ami.action import AmiAction
from connector.ami.completion import later_event
from connector.ami.message import parse
from connector.errors import ActionError

Headers = tuple[tuple[str, str], ...]


def prepared(*headers: tuple[str, str], timeout_ms: int = 60_000, channel_id: bool = True) -> AmiAction:
    return prepare("pbx|r1", AmiAction("Originate", headers), (), timeout_ms, channel_id=channel_id)


def values(action: AmiAction, name: str) -> list[str]:
    return [value for key, value in action.headers if key.lower() == name.lower()]


class TestAsync:
    @pytest.mark.parametrize(
        "given", [(), (("Async", "no"),), (("async", ""),), (("Async", "false"), ("ASYNC", "true"))]
    )
    def test_a_call_never_holds_a_session(self, given: Headers) -> None:
        action = prepared(*given)
        assert values(action, "Async") == ["true"]
        assert later_event(action) == "OriginateResponse"


class TestChannelId:
    def test_is_made_of_the_request(self) -> None:
        (one,) = values(prepared(), "ChannelId")
        assert one == channel_id_of("pbx|r1")
        assert re.fullmatch(r"ak-[a-z2-7]{32}", one)

    def test_stays_what_it_is_from_release_to_release(self) -> None:
        """A new owner of a partition asks the PBX for the channel that the former has made."""
        assert channel_id_of("pbx|r1") == "ak-cmancqmeheqxve3zssg72e33asklgngd"

    @given(st.text(), st.text())
    def test_tells_requests_apart_and_is_always_safe(self, one: str, other: str) -> None:
        assert (channel_id_of(one) == channel_id_of(other)) is (one == other)
        assert re.fullmatch(r"ak-[a-z2-7]{32}", channel_id_of(one))

    def test_takes_text_that_is_none(self) -> None:
        assert channel_id_of("\ud800") != channel_id_of("\ud801")

    def test_the_requesters_own_wins(self) -> None:
        for channel_id in (True, False):
            action = prepared(("channelid", "  mine"), ("ChannelId", "second"), channel_id=channel_id)
            assert values(action, "ChannelId") == ["mine"]

    def test_an_empty_one_is_none(self) -> None:
        action = prepared(("ChannelId", ""), ("ChannelId", "ignored by Asterisk"))
        assert values(action, "ChannelId") == [channel_id_of("pbx|r1")]

    def test_can_be_switched_off(self) -> None:
        assert values(prepared(channel_id=False), "ChannelId") == []


class TestTimeout:
    @pytest.mark.parametrize(
        ("asked", "timeout_ms", "sent"),
        [
            (None, 60_000, None),
            (None, DEFAULT_RING_MS + 1_000, None),
            (None, DEFAULT_RING_MS, "29000"),
            (None, 10_000, "9000"),
            (None, 1_000, "900"),
            (None, 1, "1"),
            ("20000", 60_000, "20000"),
            ("0", 60_000, "0"),
            ("59000", 60_000, "59000"),
            ("59001", 60_000, "59000"),
            ("-1", 60_000, "59000"),
            (" 70000", 60_000, "59000"),
            ("70000 ms", 60_000, "59000"),
            ("9" * 9_000, 60_000, "59000"),
            ("soon", 60_000, "soon"),
            ("", 60_000, ""),
            ("", 20_000, "19000"),
        ],
    )
    def test_ends_before_the_request_does(self, asked: str | None, timeout_ms: int, sent: str | None) -> None:
        given = () if asked is None else (("Timeout", asked),)
        assert values(prepared(*given, timeout_ms=timeout_ms), "Timeout") == ([] if sent is None else [sent])

    def test_the_first_counts_as_with_asterisk(self) -> None:
        action = prepared(("Timeout", "90000"), ("timeout", "5"), timeout_ms=20_000)
        assert values(action, "Timeout") == ["19000"]

    @given(st.integers(), st.integers(1, 10**9))
    def test_no_call_rings_as_long_as_its_requester_waits(self, asked: int, timeout_ms: int) -> None:
        (sent,) = values(prepared(("Timeout", str(asked)), timeout_ms=timeout_ms), "Timeout")
        assert 0 <= int(sent) < max(timeout_ms, 2)


def test_the_rest_stays_as_and_where_it_was() -> None:
    given = (("Channel", "Local/1@a"), ("Variable", "raw=1,two=2"), ("CallerID", "Zoë <1>"))
    assert prepared(*given).headers[:3] == given


def test_variables_go_one_by_one_and_escaped() -> None:
    variables = (("A", "1,2"), ("__B", 'say "x"\\'), ("A", ""))
    action = prepare("r", AmiAction("Originate", ()), variables, 60_000)
    assert values(action, "Variable") == ["A=1\\,2", '__B=say \\"x\\"\\\\', "A="]
    with pytest.raises(ActionError, match="cannot be a variable's name"):
        prepare("r", AmiAction("Originate", ()), (("A=1,B", "x"),), 60_000)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("0", "no such extension"), ("3", "not answered in time"), ("5", "busy"), ("8", "congested")],
)
def test_how_a_call_ended_in_words(reason: str, words: str) -> None:
    assert words in outcome_in_words(parse(f"Event: OriginateResponse\r\nReason: {reason}".encode()))


def test_a_reason_that_nobody_knows_is_told_as_it_is() -> None:
    assert outcome_in_words(parse(b"Event: OriginateResponse\r\nReason: 14")).endswith("signal was 14")
    assert outcome_in_words(parse(b"Event: OriginateResponse")).endswith("signal was none")
