"""What a message is, its first header says alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.message import Kind, event_name, kind_of, parse


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"Asterisk Call Manager/11.0.0", Kind.GREETING),
        (b"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: d\r\nResponse: Failure", Kind.EVENT),
        (b"Event: ChallengeResponseFailed\r\nResponse: 0123", Kind.EVENT),
        (b"Event: ResourceListDetail\r\nActionID: e\r\nEvent: presence", Kind.EVENT),
        (b"Response: Success\r\nEvent: x", Kind.RESPONSE),
        (b"rest\r\nExten: 1", Kind.ORPHAN),
        (b"\xff", Kind.ORPHAN),
    ],
)
def test_the_first_header_decides(frame: bytes, kind: Kind) -> None:
    assert kind_of(frame) is kind
    assert parse(frame).kind is kind


def test_order_and_repeats_are_kept() -> None:
    message = parse(b"Event: UserEvent\r\nChannel: a\r\nActionID: 1\r\nchannel: b\r\nChannel: c")
    assert [name for name, _ in message.headers] == ["Event", "Channel", "ActionID", "channel", "Channel"]
    assert list(message.all("channel")) == ["a", "b", "c"]
    assert message.get("CHANNEL") == "a"
    assert message.get("nothing", "none") == "none"


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (b"X:", ("X", "")),
        (b"Version: ", ("Version", "")),
        (b"no colon", ("", "no colon")),
        (b"A:b", ("A", "b")),
        (b"A:  b", ("A", " b")),
        (b"Cause-txt: Normal: yes", ("Cause-txt", "Normal: yes")),
    ],
)
def test_odd_lines(line: bytes, header: tuple[str, str]) -> None:
    assert parse(b"Event: A\r\n" + line).headers[1] == header


def test_bytes_that_are_not_utf8_are_replaced_and_flagged() -> None:
    message = parse(b"Event: A\r\nCallerIDNum: Jos\xe9")
    assert (message.get("CallerIDNum"), message.lossy) == ("Jos\ufffd", True)
    assert not parse("Event: A\r\nX: Żółw".encode()).lossy


def test_command_output_of_both_forms_is_alike() -> None:
    old = parse(
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\none\n  two\n\nthree\n--END COMMAND--"
    )
    new = parse(
        b"Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\nOutput: one\r\nOutput:   two\r\nOutput: \r\nOutput: three"
    )
    assert list(old.all("Output")) == list(new.all("Output")) == ["one", "  two", "", "three"]
    assert old.get("ActionID") == "1"


def test_the_line_feed_behind_a_text_is_taken_off() -> None:
    assert parse(b"Response: Error\r\nMessage: No endpoints found\n").get("Message") == "No endpoints found"


@given(st.binary())
def test_any_bytes_are_a_message(frame: bytes) -> None:
    message = parse(frame)
    assert message.headers
    assert event_name(frame) == "" or message.kind is Kind.EVENT
