"""Logins: greeting, challenge, refusals, deadlines, and how long to wait after them."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.steps import (
    Account,
    Lost,
    Messages,
    Ready,
    Refused,
    Start,
    Welcome,
    refused_delay,
    retry_delay,
)
from tests.ami.dialogue import GREETING, PLAIN, TOLD, Dialogue, response


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


ASKING = Account("kafka", "s3cret", events="system,call", md5=False, asks_start=True)
STARTED = "CoreStartupDate: 2026-11-23\r\nCoreStartupTime: 08:00:00\r\nCoreReloadDate: 2026-11-24"


def test_asks_since_when_the_pbx_runs() -> None:
    one = Dialogue(ASKING)
    one.hear(GREETING)
    assert one.answer() == []
    assert one.asked[-1] == {"Action": "CoreStatus", "ActionID": "t-2"}
    assert one.answer(lines=STARTED) == []
    assert one.asked[-1] == {"Action": "CoreSettings", "ActionID": "t-3"}
    start = Start("2026-11-23 08:00:00")
    assert one.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a", start))]


@pytest.mark.parametrize("status", ["Error", None])
def test_who_may_not_ask_for_the_start_logs_in_all_the_same(status: str | None) -> None:
    one = Dialogue(ASKING)
    one.hear(GREETING)
    one.answer()
    assert (one.answer(status, "Message: Permission denied") if status else one.tick(5.0)) == []
    assert one.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))]


@pytest.mark.parametrize(
    ("uptime", "told"), [("5", 5), ("0", 0), ("", None), ("-5", None), ("²", None), ("9" * 5_000, None)]
)
def test_a_pbx_that_has_booted_tells_its_age_before_all_else(uptime: str, told: int | None) -> None:
    one = Dialogue()
    one.hear(GREETING)
    booted = f"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: {uptime}\r\n\r\n"
    other = "Event: FullyBootedToo\r\nUptime: 99\r\n\r\n"
    one.hear(response(one.asked[-1]["ActionID"]), other, booted)
    ready, held = one.answer(lines=TOLD)
    assert ready == Ready(Welcome("11.0.0", "22.10.1", "pbx-a", Start(uptime_s=told)))
    assert isinstance(held, Messages)
    assert len(held.frames) == 2


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
