"""Dialogues with a PBX: bytes and the clock in, steps out."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import AmiAction
from connector.ami.session import Session
from connector.ami.steps import (
    Account,
    Answered,
    Deadlines,
    Left,
    Lost,
    Messages,
    Ready,
    Refused,
    Send,
    Step,
    Welcome,
    refused_delay,
    retry_delay,
)
from connector.errors import ActionError

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
PLAIN = Account("kafka", "s3cret", events="system,call", md5=False)
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted"
HANGUP = b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
TOLD = "AMIversion: 11.0.0\r\nAsteriskVersion: 22.10.1\r\nSystemName: pbx-a"


class Dialogue:
    """A session opened at the instant 0, with the PBX's side played by hand."""

    def __init__(self, account: Account = PLAIN, deadlines: Deadlines = Deadlines()) -> None:  # noqa: B008
        self.session = Session(account, deadlines, "t")
        self.session.opened(0.0)
        self.asked: list[dict[str, str]] = []

    def hear(self, *texts: str | bytes, now: float = 0.0) -> list[Step]:
        """Let whole messages arrive in one read, and give the steps that are no sending."""
        data = b"".join(text if isinstance(text, bytes) else text.encode() for text in texts)
        return self._note(self.session.receive(data, now))

    def tick(self, now: float) -> list[Step]:
        return self._note(self.session.tick(now))

    def answer(self, status: str = "Success", lines: str = "", now: float = 0.0) -> list[Step]:
        """Answer what was asked last."""
        return self.hear(response(self.asked[-1]["ActionID"], status, lines), now=now)

    def up_to_ready(self) -> "Dialogue":
        self.hear(GREETING)
        self.answer()
        assert self.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))]
        return self

    def _note(self, steps: Sequence[Step]) -> list[Step]:
        for step in steps:
            if isinstance(step, Send):
                lines = step.data.decode().removesuffix("\r\n\r\n").split("\r\n")
                self.asked.append(dict(line.split(": ", 1) for line in lines))
        return [step for step in steps if not isinstance(step, Send)]


def response(action_id: str, status: str = "Success", lines: str = "") -> bytes:
    told = f"{lines}\r\n" if lines else ""
    return f"Response: {status}\r\nActionID: {action_id}\r\n{told}\r\n".encode()


def wire(*frames: bytes) -> bytes:
    return b"".join(frame + b"\r\n\r\n" for frame in frames)


def test_plain_login() -> None:
    one = Dialogue()
    assert one.hear(GREETING) == []
    assert one.asked == [
        {
            "Action": "Login",
            "ActionID": "t-1",
            "Secret": "s3cret",
            "Username": "kafka",
            "Events": "system,call",
        }
    ]
    assert one.answer() == []
    assert one.asked[-1] == {"Action": "CoreSettings", "ActionID": "t-2"}
    assert one.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))]


def test_login_by_challenge_never_shows_the_secret() -> None:
    one = Dialogue(Account("kafka", "s3cret"))
    one.hear(GREETING)
    assert one.asked == [{"Action": "Challenge", "ActionID": "t-1", "AuthType": "MD5"}]
    one.answer(lines="Challenge: 59305706")
    key = hashlib.md5(b"59305706s3cret").hexdigest()
    assert one.asked[-1]["Key"] == key
    assert "s3cret" not in str(one.asked)
    one.answer()
    assert one.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))]


def test_the_secret_is_in_no_repr() -> None:
    assert "s3cret" not in repr(PLAIN)


def test_filters_follow_the_login() -> None:
    one = Dialogue(Account("kafka", "s", md5=False, filters=("!Event: VarSet", "Event: .*")))
    one.hear(GREETING)
    one.answer()
    one.answer()
    one.answer()
    assert [asked.get("Filter") for asked in one.asked] == [None, "!Event: VarSet", "Event: .*", None]
    assert one.asked[1]["Operation"] == "Add"


def test_a_refused_filter_says_what_it_needs() -> None:
    one = Dialogue(Account("kafka", "s", md5=False, filters=("x",)))
    one.hear(GREETING)
    one.answer()
    (step,) = one.answer("Error", "Message: Permission denied")
    assert isinstance(step, Refused)
    assert "write=system" in step.reason


@pytest.mark.parametrize("account", [PLAIN, Account("kafka", "s3cret")])
def test_a_refused_login_is_told_from_a_loss(account: Account) -> None:
    one = Dialogue(account)
    one.hear(GREETING)
    if account.md5:
        one.answer(lines="Challenge: 1")
    (step,) = one.answer("Error", "Message: Authentication failed")
    assert isinstance(step, Refused)
    assert "Authentication failed" in step.reason
    assert "s3cret" not in step.reason
    assert one.session.closed() == []


@pytest.mark.parametrize("words", ["Login Already In Use", "Asterisk is shutting down"])
def test_a_refusal_that_passes_is_a_loss(words: str) -> None:
    one = Dialogue()
    one.hear(GREETING)
    (step,) = one.answer("Error", f"Message: {words}")
    assert isinstance(step, Lost)
    assert words in step.reason


def test_an_account_that_cannot_go_on_the_wire_is_refused_here() -> None:
    one = Dialogue(Account("kafka", "s3cret\r\nAction: Command", md5=False))
    (step,) = one.hear(GREETING)
    assert isinstance(step, Refused)
    assert "s3cret" not in step.reason
    assert one.asked == []


@pytest.mark.parametrize("status", ["Error", None])
def test_an_account_without_rights_for_core_settings_logs_in_all_the_same(status: str | None) -> None:
    one = Dialogue()
    one.hear(GREETING)
    one.answer()
    steps = one.answer(status, "Message: Permission denied") if status else one.tick(5.0)
    assert steps == [Ready(Welcome("11.0.0"))]


def test_a_late_answer_to_core_settings_disturbs_nothing() -> None:
    one = Dialogue()
    one.hear(GREETING)
    one.answer()
    one.tick(5.0)
    late = response(one.asked[-1]["ActionID"], lines=TOLD)
    assert one.hear(late, now=6.0) == [Messages([late[:-4]])]


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
    assert steps[1].answer is not None
    assert [event.get("Channel") for event in steps[1].answer.events] == ["a", "a", ""]
    assert steps[2] == Messages([BOOTED])
    assert one.hear(wire(item)) == [Messages([item])]


def test_an_originate_response_goes_to_its_asker_and_to_everybody() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Originate", (("Async", "true"),)), 0.0, 60.0)
    event = f"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: {action_id}\r\nReason: 4".encode()
    steps = one.hear(response(action_id), wire(event))
    assert steps[0] == Messages([event])
    assert isinstance(steps[1], Answered)
    assert steps[1].answer is not None


def test_what_is_not_answered_in_time_is_given_up() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Reload"), 0.0, 3.0)
    assert one.session.due == 3.0
    assert one.tick(2.9) == []
    assert one.tick(3.0) == [Answered(action_id, None)]
    assert one.hear(response(action_id)) == [Messages([response(action_id)[:-4]])]


def test_what_is_open_at_the_end_is_given_up_before_it() -> None:
    one = Dialogue().up_to_ready()
    action_id, _ = one.session.ask(AmiAction("Reload"), 0.0, 30.0)
    answered, lost = one.session.closed()
    assert answered == Answered(action_id, None)
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

    def test_one_is_out_at_a_time(self) -> None:
        one = Dialogue().up_to_ready()
        for now in range(10, 60):
            one.hear(wire(HANGUP), now=now)
            one.tick(now)
        assert [asked["Action"] for asked in one.asked].count("Ping") == 1


@pytest.mark.parametrize(
    ("answers", "due", "words"),
    [(0, 10.0, "no greeting in 10 s"), (1, 10.0, "no answer to Challenge"), (2, 10.0, "no answer to Login")],
)
def test_each_step_of_the_login_has_a_deadline(answers: int, due: float, words: str) -> None:
    one = Dialogue(Account("kafka", "s3cret"))
    if answers:
        one.hear(GREETING)
    if answers > 1:
        one.answer(lines="Challenge: 1")
    assert one.session.due == due
    assert one.tick(due - 0.1) == []
    (step,) = one.tick(due)
    assert isinstance(step, Lost)
    assert words in step.reason
    assert one.tick(99.0) == []


@pytest.mark.parametrize(
    "banner", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03"]
)
def test_what_is_no_manager_is_told_at_once(banner: bytes) -> None:
    (step,) = Dialogue().hear(banner)
    assert isinstance(step, Lost)
    assert repr(banner[:3])[:-1] in step.reason


def test_a_greeting_may_come_in_pieces() -> None:
    one = Dialogue()
    for place in range(len(GREETING)):
        assert one.hear(GREETING[place : place + 1]) == []
    assert one.asked[-1]["Action"] == "Login"


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


class TestDelays:
    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_stay_in_their_bounds(self, attempt: int, chance: float) -> None:
        assert 0.25 <= retry_delay(attempt, chance) <= 30
        assert 60 <= refused_delay(attempt, chance) <= 750

    def test_grow(self) -> None:
        assert [retry_delay(attempt, 1.0) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
        assert [refused_delay(attempt, 0.0) for attempt in range(1, 7)] == [60, 120, 240, 480, 600, 600]

    def test_a_refused_login_stays_under_what_bans(self) -> None:
        tries = [0.0]
        while tries[-1] < 3600:
            tries.append(tries[-1] + refused_delay(len(tries), 0.0))
        assert all(sum(begin <= one < begin + 600 for one in tries) < 5 for begin in tries)
