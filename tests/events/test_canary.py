"""Canaries: ours and nobody else's are taken out, and a missed one renews the session once."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.completion import Answer
from connector.ami.message import parse
from connector.ami.reach import Reach, Result
from connector.events.gaps.interruption import Interruption
from connector.events.watching.canary import NAME, STREAM_STALLED, Canary, Verdict
from connector.facts import CanaryMissed, CanarySeen, CanaryUnsent, Fact

NOW = 1_700_000_000_000_000
TAKEN = Result(Reach.ANSWERED, Answer(parse(b"Response: Success\r\nMessage: Event Sent")))
DENIED = Result(Reach.ANSWERED, Answer(parse(b"Response: Error\r\nMessage: Permission denied")))
AWAY = Result(Reach.NOT_SENT, reason="the PBX is away")
SILENT = Result(Reach.SENT, reason="not answered in 10 s")


def seen(nonce: str, name: str = NAME) -> bytes:
    """Write a canary as Asterisk tells it."""
    return (
        "Event: UserEvent\r\nPrivilege: user,all\r\nTimestamp: 1700000000.000001\r\n"
        f"UserEvent: {name}\r\nActionID: connector-1\r\nNonce: {nonce}"
    ).encode()


class Told:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.canary = Canary("main", self.facts.append, 10.0)
        self.canary.began(NOW)

    def send(self, nonce: str, result: Result = TAKEN, at_us: int = NOW) -> None:
        action = self.canary.send(nonce, at_us)
        assert (action.name, dict(action.headers)) == ("UserEvent", {"UserEvent": NAME, "Nonce": nonce})
        self.canary.taken(result)

    def read(self, *frames: bytes, at_us: int = NOW) -> Sequence[bytes]:
        return self.canary.sift(frames, at_us)

    def miss(self, nonce: str) -> Verdict:
        self.send(nonce)
        return self.canary.judge()


def test_a_canary_is_taken_out_and_nothing_else_is() -> None:
    told = Told()
    told.send("abc")
    hangup = b"Event: Hangup\r\nPrivilege: call,all\r\nCallerIDName: abc"
    others = [hangup, seen("abd"), seen("abc", "Other"), seen("x").replace(b"x", b"y\r\nNote: abc")]
    assert told.read(*others, seen("abc"), hangup) == [*others, hangup]
    assert not told.canary.pending
    assert told.canary.judge() is Verdict.SETTLED
    assert told.read(seen("abc")) == (seen("abc"),)
    assert told.facts == []


def test_one_that_is_seen_before_the_answer_is_seen() -> None:
    told = Told()
    told.canary.send("abc", NOW)
    assert told.read(seen("abc")) == []
    told.canary.taken(AWAY)
    assert told.facts == []


def test_a_missed_one_renews_the_session_and_tells_since_when_the_stream_may_have_stalled() -> None:
    told = Told()
    told.read(b"Event: Hangup", at_us=NOW + 5)
    told.send("abc", at_us=NOW + 10)
    told.read(b"Event: Hangup", at_us=NOW + 20)
    assert told.canary.judge() is Verdict.RENEW
    assert told.canary.ended() == Interruption(NOW + 5, STREAM_STALLED)
    assert told.facts == [CanaryMissed("main", 10.0, renewed=True)]
    told.canary.began(NOW + 30)
    assert told.canary.ended() is None


def test_while_older_events_come_it_is_late_and_not_missed() -> None:
    told = Told()
    told.send("abc", at_us=NOW + 10)
    told.read(b"Event: Hangup", at_us=NOW + 9_000_000)
    told.canary.heard(NOW + 10)
    assert told.canary.judge() is Verdict.LATE
    told.read(b"Event: Hangup", at_us=NOW + 15_000_000)
    told.canary.heard(NOW + 11)
    assert told.canary.judge() is Verdict.RENEW
    assert told.canary.ended() == Interruption(NOW + 9_000_000, STREAM_STALLED)


def test_where_a_renewal_did_not_help_none_follows_and_that_is_told_once() -> None:
    told = Told()
    assert told.miss("a") is Verdict.RENEW
    told.canary.began(NOW)
    assert [told.miss("b"), told.miss("c")] == [Verdict.MISSED, Verdict.MISSED]
    assert told.canary.ended() is None
    assert told.facts == [CanaryMissed("main", 10.0, renewed=True), CanaryMissed("main", 10.0, renewed=False)]
    told.send("d")
    told.read(seen("d"))
    assert told.facts[2:] == [CanarySeen("main")]
    assert told.miss("e") is Verdict.RENEW


@pytest.mark.parametrize(
    ("result", "said"),
    [(AWAY, "the PBX is away"), (SILENT, "not answered in 10 s"), (DENIED, "Permission denied")],
)
def test_one_that_the_pbx_has_not_taken_cuts_nothing_and_is_told_once(result: Result, said: str) -> None:
    told = Told()
    for nonce in "ab":
        told.send(nonce, result)
        assert told.canary.judge() is Verdict.SETTLED
    (fact,) = told.facts
    assert isinstance(fact, CanaryUnsent)
    assert said in fact.reason
    # It may have gone out all the same.
    assert told.read(seen("a"), seen("b")) == []


def test_the_end_of_a_session_ends_the_wait() -> None:
    told = Told()
    told.send("abc")
    assert told.canary.ended() is None
    assert told.canary.judge() is Verdict.SETTLED
    told.canary.began(NOW)
    assert told.read(seen("abc")) == (seen("abc"),)


NONCES = st.sampled_from("abcdefghijklmnopqrst")
STEPS = st.one_of(
    st.tuples(st.just("send"), NONCES),
    st.tuples(st.just("unsent"), NONCES),
    st.tuples(st.just("read"), NONCES),
    st.tuples(st.just("forged"), NONCES),
    st.tuples(st.just("judge"), st.just("")),
    st.tuples(st.just("renewed"), st.just("")),
)


@given(st.lists(STEPS, max_size=60))
def test_each_nonce_is_taken_once_and_between_two_renewals_lies_one_that_was_seen(
    steps: list[tuple[str, str]],
) -> None:
    told = Told()
    out: list[str] = []
    renewals, proofs = 0, 1
    for kind, nonce in steps:
        if kind in ("send", "unsent"):
            out = [each for each in out if each != nonce] + [nonce]
            told.send(nonce, TAKEN if kind == "send" else AWAY)
        elif kind == "read":
            left = told.read(seen(nonce))
            assert len(left) == (nonce not in out[-8:])
            if not left:
                proofs += nonce == out[-1] and not told.canary.pending
                out.remove(nonce)
        elif kind == "forged":
            assert told.read(seen(nonce + "x")) == (seen(nonce + "x"),) or told.read(seen(nonce + "x")) != []
        elif kind == "judge" and told.canary.judge() is Verdict.RENEW:
            renewals += 1
            assert renewals <= proofs
        elif kind == "renewed":
            told.canary.ended()
            told.canary.began(NOW)
            out = []
        out = out[-8:]
