"""What watching leaves behind in the records: no canary, a gap where one was missed, the clocks in heartbeats."""

from connector.ami.clock import Pong
from connector.events.gaps.holes import Holes
from connector.events.intake import Intake
from connector.events.selection import Selection
from connector.events.watching.canary import Canary, Verdict
from connector.events.watching.delay import Delays
from connector.events.watching.heartbeat import Depth, Health
from connector.facts import Fact
from tests.events.frames import NORMALISER, NOW, SCHEMAS, SOURCE, event, record, snapshot
from tests.events.test_canary import TAKEN, seen
from tests.events.test_holes import frame

HEALTH = Health(Depth(0, 0, None), 0, "bridge", "1.2.3")
HANGUP = event("Hangup", snapshot("1.1", "1.1"), "Cause: 16", "Cause-txt: Normal Clearing")


class Watched:
    def __init__(self, *terms: str) -> None:
        self.facts: list[Fact] = []
        self.unselected: list[str] = []
        self.canary = Canary("pbx1", self.facts.append, 10.0)
        self.delays = Delays("pbx1", self.facts.append)
        self.intake = Intake(
            SOURCE,
            NORMALISER,
            Selection(SCHEMAS, terms or ("@all",), snapshots=True),
            self.unselected.append,
            holes=Holes("pbx1", self.facts.append),
            delays=self.delays,
            canary=self.canary,
        )
        self.intake.up(SOURCE, NOW, "pbx:5038")

    def send(self, nonce: str, at_us: int = NOW) -> None:
        self.canary.send(nonce, at_us)
        self.canary.taken(TAKEN)


def test_a_canary_is_neither_published_nor_counted() -> None:
    for terms in ((), ("Hangup",)):
        watched = Watched(*terms)
        watched.send("abc")
        entries = watched.intake.frames([HANGUP, seen("abc")], NOW)
        assert [entry.frame for entry in entries] == [HANGUP]
        assert watched.unselected == []
        assert record(watched.intake.heartbeat(HEALTH, NOW))["events"] == 1
        assert not watched.canary.pending


def test_a_forged_one_is_an_event_as_any_other() -> None:
    watched = Watched()
    watched.send("abc")
    entries = watched.intake.frames([seen("abd")], NOW)
    assert [entry.frame for entry in entries] == [seen("abd")]
    assert watched.canary.pending


def test_the_number_of_a_canary_is_no_hole() -> None:
    watched = Watched()
    watched.send("abc")
    numbered = seen("abc").replace(b"000001\r\n", b"000001\r\nSequenceNumber: 2\r\n", 1)
    watched.intake.frames([frame(1), numbered, frame(3)], NOW)
    assert [record(entry)["type"] for entry in watched.intake.down(NOW, "lost")] == ["session_down"]
    assert watched.facts == []


def test_a_missed_one_is_a_gap_from_what_was_read_before_it() -> None:
    watched = Watched()
    watched.intake.frames([HANGUP], NOW + 5)
    watched.send("abc", NOW + 10)
    assert watched.canary.judge() is Verdict.RENEW
    watched.intake.down(NOW + 20, "a canary was not seen")
    _, gap = watched.intake.up(SOURCE, NOW + 30, "pbx:5038")
    told = record(gap)
    assert (told["type"], told["reason"], told["loss"]) == ("gap", "stream-stalled", "possible")
    assert (told["from_time_us"], told["to_time_us"]) == (NOW + 5, NOW + 30)
    watched.intake.down(NOW + 40, "lost")
    assert record(watched.intake.up(SOURCE, NOW + 50, "pbx:5038")[1])["reason"] == "session-lost"


def test_events_older_than_a_canary_are_known_by_the_pbxs_clock() -> None:
    watched = Watched()
    ahead_us = 3_600_000_000
    watched.delays.pong(Pong(NOW + ahead_us, 0), NOW)
    watched.send("abc", NOW)

    def made(at_us: int) -> bytes:
        stamp = b"%d.%06d" % divmod(at_us + ahead_us, 1_000_000)
        return HANGUP.replace(b"1700000000.123456", stamp)

    watched.intake.frames([made(NOW)], NOW + 9_000_000)
    assert watched.canary.judge() is Verdict.LATE
    watched.intake.frames([made(NOW + 1)], NOW + 9_500_000)
    assert watched.canary.judge() is Verdict.RENEW


def test_a_heartbeat_tells_the_clocks_difference_and_the_delay_without_it() -> None:
    watched = Watched()
    watched.delays.pong(Pong(NOW - 90_000_400, 800), NOW)
    stamp = b"%d.%06d" % divmod(NOW - 90_000_000 - 70_000, 1_000_000)
    watched.intake.frames([HANGUP.replace(b"1700000000.123456", stamp)], NOW)
    told = record(watched.intake.heartbeat(HEALTH, NOW))
    assert (told["lag_ms"], told["offset_ms"]) == (70, -90_000)
    watched.intake.down(NOW, "lost")
    watched.intake.up(SOURCE, NOW, "pbx:5038")
    told = record(watched.intake.heartbeat(HEALTH, NOW))
    assert (told["lag_ms"], told["offset_ms"]) == (None, None)
