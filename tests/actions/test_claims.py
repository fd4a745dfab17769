"""What is remembered of requests, for how long, and which of two claims counts."""

from dataclasses import replace

from connector.actions.claim import Claim
from connector.actions.dispatch.claims import Claims, Memory, Recalled, Wait
from connector.actions.dispatch.job import invalid
from connector.actions.dispatch.ticket import Ticket
from connector.actions.request import Reply, Request
from connector.actions.response import Executed, Outcome, Status
from tests.actions.dispatchers import NOW, PBX, ping

DONE = Outcome(status=Status.SUCCESS, executed=Executed.YES)
REQUEST = Request(
    record=ping(7),
    request_id="r1",
    pbx=PBX,
    action="Ping",
    expires_at_ms=NOW,
    timeout_ms=1,
    reply=Reply(topic="responses", partition=None),
    digest="d1",
)
CLAIM = Claim(
    request_id="r1",
    pbx=PBX,
    action="Ping",
    digest="d1",
    topic="requests",
    offset=3,
    owner="me",
    at_ms=NOW,
    outcome=DONE,
)


def memory(retention_ms: int = 1_000, max_reads: int = 10) -> Claims:
    return Claims(Memory(retention_ms, max_reads))


def test_what_is_not_known_is_new() -> None:
    claims = memory()
    claims.keep(CLAIM, NOW, effect=True)
    assert claims.recall(replace(REQUEST, request_id="r2"), PBX, effect=True) is None
    assert claims.recall(REQUEST, "pbx2", effect=True) is None


def test_what_is_done_is_told_again_and_its_own_record_is_told_nothing() -> None:
    claims = memory()
    claims.keep(CLAIM, NOW, effect=True)
    assert claims.recall(REQUEST, PBX, effect=True) == Recalled(replace(DONE, replayed=True))
    own = replace(REQUEST, record=ping(3))
    assert claims.recall(own, PBX, effect=True) == Recalled(None)


def test_other_content_is_invalid_whether_the_first_is_done_or_under_way() -> None:
    claims = memory()
    other = Recalled(invalid("this request_id is known with other content"))
    claims.keep(CLAIM, NOW, effect=True)
    assert claims.recall(replace(REQUEST, digest="d2"), PBX, effect=True) == other
    claims.begin(Ticket(ping(7), 0, request=REQUEST, pbx=PBX))
    assert claims.recall(replace(REQUEST, digest="d2"), PBX, effect=True) == other
    assert claims.recall(REQUEST, PBX, effect=True) is Wait.FOR_FIRST


def test_what_is_begun_is_unknown_or_done_again() -> None:
    claims = memory()
    claims.keep(replace(CLAIM, outcome=None), NOW, effect=True)
    recalled = claims.recall(REQUEST, PBX, effect=True)
    assert isinstance(recalled, Recalled)
    assert recalled.keeps
    assert recalled.outcome
    assert recalled.outcome.status is Status.UNKNOWN
    assert claims.recall(REQUEST, PBX, effect=False) is None


def test_the_later_claim_takes_the_place_of_the_earlier() -> None:
    claims = memory()
    claims.keep(replace(CLAIM, outcome=None), NOW, effect=True)
    claims.keep(CLAIM, NOW, effect=False)
    assert claims.recall(REQUEST, PBX, effect=True) == Recalled(replace(DONE, replayed=True))
    assert not claims._effects


def test_only_the_end_of_the_first_wakes_who_waits_for_it() -> None:
    claims = memory()
    first, repeat = (Ticket(ping(offset), 0, request=REQUEST, pbx=PBX) for offset in (7, 8))
    claims.begin(first)
    claims.wait(repeat)
    assert claims.end(repeat) == []
    assert claims.end(first) == [repeat]
    assert claims.end(first) == []


def test_memory_is_bounded_by_time_and_for_reads_by_number() -> None:
    claims = memory(max_reads=2)
    for number in range(4):
        claim = replace(CLAIM, request_id=f"r{number}", at_ms=NOW + number)
        claims.keep(claim, NOW, effect=number == 0)
    assert [claim.request_id for claim in claims._effects.values()] == ["r0"]
    assert [claim.request_id for claim in claims._reads.values()] == ["r2", "r3"]
    claims.keep(replace(CLAIM, request_id="r9", at_ms=NOW + 1_003), NOW + 1_003, effect=True)
    assert [claim.request_id for claim in claims._effects.values()] == ["r9"]
    assert [claim.request_id for claim in claims._reads.values()] == ["r3"]


def test_a_claim_from_a_clock_ahead_makes_nothing_forgotten() -> None:
    claims = memory()
    claims.keep(CLAIM, NOW, effect=True)
    claims.keep(replace(CLAIM, request_id="r2", at_ms=NOW + 10**9), NOW, effect=True)
    assert len(claims._effects) == 2
