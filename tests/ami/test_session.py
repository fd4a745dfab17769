"""Dialogues with a PBX: bytes and the clock in, steps out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import AmiAction
from connector.ami.clock import Pong
from connector.ami.reach import Reach, Result
from connector.ami.steps import (
    Accepted,
    Answered,
    Left,
    Lost,
    Messages,
    Ready,
    Step,
    Welcome,
)
from connector.errors import ActionError
from tests.ami.dialogue import BOOTED, GREETING, HANGUP, PLAIN, TOLD, Dialogue, response, wire

CALL = AmiAction("Originate", (("Async", "true"),))


def test_a_late_answer_to_core_settings_disturbs_nothing() -> None:
    one = Dialogue()
    one.hear(GREETING)
    one.answer()
    one.tick(5.0)
    late = response(one.asked[-1]["ActionID"], lines=TOLD)
    assert one.hear(late, now=6.0) == []
    assert one.hear(wire(HANGUP), now=6.0) == [Messages([HANGUP])]


def test_events_before_readiness_follow_it_in_order() -> None:
    one = Dialogue()
    one.hear(GREETING)
    assert one.hear(response("t-1"), wire(BOOTED, HANGUP)) == []
    assert one.hear(wire(HANGUP + b"2"), response("t-2"), wire(HANGUP + b"3")) == [
        Ready(Welcome("11.0.0")),
        Messages([BOOTED, HANGUP, HANGUP + b"2", HANGUP + b"3"]),
    ]


def test_events_of_one_read_come_together() -> None:
    one = Dialogue().up_to_ready()
    assert one.hear(wire(HANGUP, BOOTED)) == [Messages([HANGUP, BOOTED])]
    assert one.hear(HANGUP[:10]) == []
    assert one.hear(HANGUP[10:] + b"\r\n\r\n") == [Messages([HANGUP])]


def test_what_nobody_waits_for_passes() -> None:
    orphans = (
        b"Response: Success\r\nActionID: other",
        b"Response: Error\r\nMessage: Too many lines in message",
        b"CallerIDName: torn\r\nUniqueid: 1.1",
        b"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: t-9\r\nResponse: Failure",
        b"Event: UserEvent\r\nPrivilege: user,all\r\nActionID: t-3",
    )
    one = Dialogue().up_to_ready()
    assert one.hear(wire(HANGUP, *orphans)) == [Messages([HANGUP, *orphans])]


def test_the_first_answer_counts_and_a_second_is_an_orphan() -> None:
    one = Dialogue().up_to_ready()
    one.session.ask(AmiAction("ModuleLoad"), 0.0, 5.0)
    (answered, rest) = one.hear(response("t-3", "Error"), response("t-3", "Error"))
    assert isinstance(answered, Answered)
    assert isinstance(rest, Messages)


def test_a_list_goes_to_its_asker_and_events_between_pass() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("CoreShowChannels"), 0.0, 5.0)
    item = f"Event: CoreShowChannel\r\nActionID: {action_id}\r\nChannel: a".encode()
    complete = f"Event: CoreShowChannelsComplete\r\nActionID: {action_id}\r\nEventList: Complete".encode()
    foreign = b"Event: CoreShowChannel\r\nActionID: other\r\nChannel: b"
    steps = one.hear(
        response(action_id, lines="EventList: start"), wire(item, HANGUP, foreign, item, complete, BOOTED)
    )
    assert steps[0] == Messages([HANGUP, foreign])
    assert isinstance(steps[1], Answered)
    assert steps[1].result.answer is not None
    assert [event.get("Channel") for event in steps[1].result.answer.events] == ["a", "a", ""]
    assert steps[2] == Messages([BOOTED])
    assert one.hear(wire(item)) == [Messages([item])]


def test_an_originate_response_goes_to_its_asker_and_to_everybody() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Originate", (("Async", "true"),)), 0.0, 60.0)
    event = f"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: {action_id}\r\nReason: 4".encode()
    steps = one.hear(response(action_id), wire(event))
    assert steps[:2] == [Accepted(action_id), Messages([event])]
    assert isinstance(steps[2], Answered)
    assert steps[2].result.reach is Reach.ANSWERED


def test_what_is_not_answered_in_time_is_given_up() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Reload"), 0.0, 3.0)
    assert one.session.due == 3.0
    assert one.tick(2.9) == []
    late = Result(Reach.SENT, late=True, reason="not answered in 3 s")
    assert one.tick(3.0) == [Answered(action_id, late)]
    assert one.hear(response(action_id)) == [Messages([response(action_id)[:-4]])]


def test_what_is_open_at_the_end_is_given_up_before_it() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Reload"), 0.0, 30.0)
    answered, lost = one.session.closed()
    assert answered == Answered(action_id, Result(Reach.SENT, reason="the PBX closed the connection"))
    assert isinstance(lost, Lost)


def test_what_must_not_go_on_the_wire_is_not_asked() -> None:
    one = Dialogue().up_to_ready()
    with pytest.raises(ActionError):
        one.session.ask(AmiAction("Getvar", (("Variable", "a\r\nAction: Command"),)), 0.0, 5.0)
    assert one.session.due == 10.0


class TestPing:
    def test_asks_when_its_time_has_come_and_again(self) -> None:
        one = Dialogue().up_to_ready()
        assert one.session.due == 10.0
        one.tick(9.9)
        assert one.asked[-1]["Action"] == "CoreSettings"
        one.tick(10.0)
        assert one.asked[-1]["Action"] == "Ping"
        one.answer(lines="Ping: Pong", now=10.5)
        assert one.session.due == 20.5

    def test_one_follows_the_login_where_the_clock_is_to_be_known(self) -> None:
        one = Dialogue(replace(PLAIN, asks_start=True))
        one.hear(GREETING)
        one.answer()
        one.answer("Error")
        one.answer(lines=TOLD, now=1.0)
        assert one.asked[-1]["Action"] == "Ping"
        assert one.session.due == 11.0
        assert one.answer(lines="Ping: Pong\r\nTimestamp: 1700000000.000042", now=1.25) == [
            Pong(1_700_000_000_000_042, 250_000)
        ]
        assert one.session.due == 11.25

    def test_they_go_out_at_their_interval_while_events_flow(self) -> None:
        one = Dialogue().up_to_ready()
        pongs = 0
        for now in range(1, 61):
            one.hear(wire(HANGUP), now=now)
            asked = len(one.asked)
            one.tick(now)
            if len(one.asked) > asked:
                pongs += len(one.answer(lines="Timestamp: 1700000000.000042", now=now))
        assert pongs == 6

    @pytest.mark.parametrize("lines", ["Ping: Pong", "Timestamp: now"])
    def test_an_answer_without_a_clock_is_one_too(self, lines: str) -> None:
        one = Dialogue().up_to_ready()
        one.tick(10.0)
        assert one.answer(lines=lines, now=10.5) == []
        assert one.session.due == 20.5

    def test_silence_is_a_loss(self) -> None:
        one = Dialogue().up_to_ready()
        one.hear(wire(HANGUP), now=8.0)
        one.tick(10.0)
        assert one.session.due == 20.0
        (step,) = one.tick(20.0)
        assert step == Lost("the PBX is silent: a Ping and 12 s without a byte")

    def test_any_byte_is_a_sign_of_life(self) -> None:
        one = Dialogue().up_to_ready()
        one.tick(10.0)
        one.hear(b"E", now=19.0)
        assert one.tick(20.0) == []
        assert one.session.due == 29.0
        assert isinstance(one.tick(29.0)[0], Lost)

    def test_none_goes_out_while_asterisk_is_in_an_action(self) -> None:
        one = Dialogue().up_to_ready()
        action_id, _ = one.session.ask(AmiAction("Reload"), 0.0, 60.0)
        assert one.session.due == 60.0
        assert one.tick(59.0) == []
        assert one.asked[-1]["Action"] == "CoreSettings"
        one.hear(response(action_id), now=59.5)
        assert one.session.due == 10.0
        one.tick(59.5)
        assert one.asked[-1]["Action"] == "Ping"

    def test_one_goes_out_while_a_call_rings(self) -> None:
        one = Dialogue().up_to_ready()
        action_id, _ = one.session.ask(CALL, 0.0, 60.0)
        one.hear(response(action_id))
        one.tick(10.0)
        assert one.asked[-1]["Action"] == "Ping"

    def test_an_answer_before_the_pong_is_none(self) -> None:
        one = Dialogue().up_to_ready()
        one.tick(10.0)
        action_id, _ = one.session.ask(AmiAction("Reload"), 10.0, 60.0)
        one.hear(response(action_id), now=11.0)
        assert one.session.due == 21.0
        assert isinstance(one.tick(21.0)[-1], Lost)

    def test_one_is_out_at_a_time(self) -> None:
        one = Dialogue().up_to_ready()
        for now in range(10, 60):
            one.hear(wire(HANGUP), now=now)
            one.tick(now)
        assert [asked["Action"] for asked in one.asked].count("Ping") == 1


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ([], "without a greeting"),
        ([GREETING], "during the login"),
        ([GREETING, response("t-1"), response("t-2")], "closed the connection"),
        ([GREETING, response("t-1"), response("t-2"), HANGUP[:20]], "20 bytes into a message"),
    ],
)
def test_a_closed_connection_says_when(heard: list[bytes], words: str) -> None:
    one = Dialogue()
    for data in heard:
        one.hear(data)
    (step,) = one.session.closed("reset by peer")
    assert isinstance(step, Lost)
    assert words in step.reason
    assert "reset by peer" in step.reason


class TestLeave:
    def test_reads_on_until_the_goodbye(self) -> None:
        one = Dialogue().up_to_ready()
        one.hear(b"")
        assert one._note(one.session.leave(0.0)) == []
        assert one.asked[-1]["Action"] == "Logoff"
        assert one.session.leave(0.0) == []
        assert one.hear(wire(HANGUP), response("t-3", "Goodbye")) == [Messages([HANGUP]), Left()]
        assert one.session.closed() == []

    def test_a_ping_that_is_out_is_answered_to_nobody(self) -> None:
        one = Dialogue().up_to_ready()
        one.tick(10.0)
        ping = one.asked[-1]["ActionID"]
        one._note(one.session.leave(10.0))
        assert one.hear(response(ping, lines="Ping: Pong"), wire(HANGUP)) == [Messages([HANGUP])]
        assert one.hear(response(one.asked[-1]["ActionID"], "Goodbye")) == [Left()]

    def test_does_not_wait_for_ever(self) -> None:
        one = Dialogue().up_to_ready()
        one.session.leave(100.0)
        assert one.session.due == 102.0
        assert one.tick(102.0) == [Left()]

    def test_a_pbx_that_just_closes_is_fine(self) -> None:
        one = Dialogue().up_to_ready()
        one.session.leave(0.0)
        assert one.session.closed() == [Left()]

    def test_leaves_at_once_where_it_is_not_in(self) -> None:
        one = Dialogue()
        assert one.session.leave(0.0) == [Left()]


@given(st.data())
def test_any_cut_of_the_stream_gives_the_same_messages(data: st.DataObject) -> None:
    stream = (
        GREETING
        + response("t-1")
        + wire(BOOTED, HANGUP)
        + response("t-2", lines=TOLD)
        + wire(HANGUP, b"x: y", BOOTED)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    one = Dialogue()
    steps: list[Step] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        steps += one.hear(stream[begin:end])
    assert steps[0] == Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))
    frames = [frame for step in steps[1:] if isinstance(step, Messages) for frame in step.frames]
    assert frames == [BOOTED, HANGUP, HANGUP, b"x: y", BOOTED]


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([GREETING, response("t-1"), wire(HANGUP)])))
)
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    one = Dialogue()
    for number, chunk in enumerate(chunks):
        one.hear(chunk, now=number)
        one.tick(number)
    one.session.closed()
    assert one.hear(b"Event: late\r\n\r\n") == []
