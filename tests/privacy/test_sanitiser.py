"""Frames for a file: as the rules have them, whole or not at all."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from connector.ami.framing import Framer, Oversize
from connector.avro.schema import EventSchema
from connector.events.sanitiser import Sanitiser
from tests.events.frames import NORMALISER, event, snapshot
from tests.privacy.given import rules
from tests.privacy.test_laws import frame_of, messages, secrets

NUMBER = b"4930123456"
CALL = event("Newchannel", snapshot("1.2", "1.1").replace("100", NUMBER.decode()))
TORN = CALL.replace(b"\r\nCallerIDName", b"\r\n0151777: 1\r\nCallerIDName", 1)
COVERED = {"headers": ["CallerIDNum", "Output"]}


def sanitiser(*given: dict[str, Any], defaults: bool = False) -> Sanitiser:
    return Sanitiser(rules(*given, defaults=defaults), NORMALISER)


def test_what_is_genuine_is_as_the_rules_have_it() -> None:
    told = sanitiser(COVERED).told
    assert told(CALL) == CALL.replace(NUMBER, b"***")
    assert told(b"Asterisk Call Manager/11.0.0") == b"Asterisk Call Manager/11.0.0"
    assert told(b"Response: Success\r\nOutput: " + NUMBER) == b"Response: Success\r\nOutput: ***"


def test_what_rules_cannot_read_is_left_out() -> None:
    large = Oversize(CALL)
    for frame in (TORN, NUMBER, b"Response: Follows\r\n" + NUMBER, large):
        assert sanitiser(COVERED).told(frame) is None


def test_between_the_parts_of_a_torn_event_all_is_left_out() -> None:
    told = sanitiser(COVERED).told
    torn = CALL.partition(b"\r\nCallerIDName")[0]
    rest = b"CallerIDName" + CALL.partition(b"\r\nCallerIDName")[2]
    assert [told(frame) for frame in (torn, event("Forged"), rest)] == [None, None, None]
    assert told(CALL) is not None


def test_by_default_torn_frames_are_kept_without_digits() -> None:
    told = sanitiser(defaults=True).told
    assert told(TORN) == TORN
    assert told(b"Digit: 5\r\nX: y") == b"Digit: ***\r\nX: y"


@given(messages(), some.sampled_from([{"do": "mask"}, {"do": "drop"}, {"do": "hmac"}]))
def test_no_covered_value_comes_through_and_frames_stay_frames(
    message: tuple[EventSchema, list[str], list[tuple[str, str]]], way: dict[str, str]
) -> None:
    schema, covered, pairs = message
    told = sanitiser({"headers": covered, **way}).told(frame_of(schema, pairs))
    if told is not None:
        assert not any(secret in told for secret in secrets(covered, pairs))
        assert Framer().feed(told + b"\r\n\r\n") == [told]
