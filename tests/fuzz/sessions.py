"""A session at a PBX that may say anything: it ends once, all that was asked is answered once, and none passes its deadline."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from connector.ami.action import AmiAction
from connector.ami.session import Session
from connector.ami.steps import (
    Account,
    Answered,
    Deadlines,
    Items,
    Left,
    Lost,
    Messages,
    Ready,
    Refused,
    Step,
)
from tests.fuzz.mutation import Mutator

SECRET: Final = "hunter2"
MAX_FRAME: Final = 8_192
_LONGEST_S: Final = 300.0
ACCOUNTS: Final = tuple(
    Account("kafka", SECRET, events=events, md5=md5, max_frame=MAX_FRAME, asks_start=asks, filters=filters)
    for events, md5, asks, filters in (
        ("on", True, True, ("!Event: RTCP.*",)),
        ("system,call", False, False, ()),
        ("off", False, True, ()),
    )
)
_ACTIONS: Final = (
    AmiAction("Ping"),
    AmiAction("QueueStatus"),
    AmiAction("Command", (("Command", "core show uptime"),)),
    AmiAction("Originate", (("Channel", "Local/1@x"), ("Async", "true"))),
)


def _told(status: str, number: int, lines: str = "") -> bytes:
    return f"Response: {status}\r\nActionID: t-{number}\r\n{lines}\r\n".encode()


CORPUS: Final = (
    b"Asterisk Call Manager/11.0.0\r\n"
    + _told("Success", 1, "Challenge: 1234\r\n")
    + _told("Success", 2, "Message: Authentication accepted\r\n")
    + b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\nUptime: 7\r\n\r\n"
    + _told("Success", 3)
    + _told("Success", 4, "CoreStartupDate: 2026-01-02\r\nCoreStartupTime: 03:04:05\r\n")
    + _told("Success", 5, "AMIversion: 11.0.0\r\nAsteriskVersion: 22.10.1\r\nSystemName: a\r\n")
    + _told("Success", 6, "Ping: Pong\r\nTimestamp: 1700000000.000001\r\n"),
    b"Asterisk Call Manager/2.10.6\r\n"
    + _told("Success", 1)
    + _told("Success", 2, "AMIversion: 2.10.6\r\n")
    + _told("Success", 3, "EventList: start\r\nMessage: Queue status will follow\r\n")
    + b"Event: QueueParams\r\nQueue: a\r\nActionID: t-3\r\n\r\n"
    + b"Event: QueueStatusComplete\r\nActionID: t-3\r\nEventList: Complete\r\nListItems: 1\r\n\r\n"
    + _told("Success", 4, "Message: Originate successfully queued\r\n")
    + b"Event: OriginateResponse\r\nActionID: t-4\r\nResponse: Success\r\nUniqueid: 1.1\r\n\r\n",
    b"Asterisk Call Manager/2.8.0\r\n" + _told("Error", 1, "Message: Authentication failed\r\n"),
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"\x15\x03\x03\x00\x02\x02\x46",
)
_WORDS: Final = (
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\x00", b"\xff", b"9" * 5_000, b"A" * 9_000),
    *(_told(status, number) for status in ("Success", "Error", "Follows", "Goodbye") for number in range(1, 9)),
    *(b"Event: Hangup\r\n\r\n", b"EventList: start\r\n", b"EventList: Complete\r\n", b"EventList: cancelled\r\n"),
    *(b"Response: Success\r\n\r\n", b"Response: Follows\r\nPrivilege: Command\r\nx\n--END COMMAND--\r\n\r\n"),
    *(b"ActionID: t-3\r\n", b"ActionID: t-4\r\n", b"Uptime: " + b"9" * 4_500, b"Timestamp: " + b"9" * 5_000 + b".000001\r\n"),
    *(b"Event: OriginateResponse\r\n", b"Message: already in use\r\n", b"Challenge: \r\n"),
)  # fmt: skip


def target(seed: int) -> Callable[[], None]:
    """Return a function that plays one PBX and judges what the session makes of it."""
    maker = Mutator(CORPUS, _WORDS, seed)

    def once() -> None:
        chance = maker.chance
        data = maker.make()
        cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.choice((0, 2, 9, 30))))
        pieces = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        waits = [chance.choice((0.0, 0.0, 0.1, 7.0, 40.0)) for _ in pieces]
        judge(chance.choice(ACCOUNTS), [*zip(pieces, waits, strict=True)])

    return once


def judge(account: Account, reads: Sequence[tuple[bytes, float]]) -> None:
    """Play reads, each after a wait, and then silence; raise what is wrong."""
    played = _Played(account)
    for data, wait in reads:
        played.wait(wait)
        if data and not played.over:
            played.note(played.session.receive(data, played.now))
    played.wait(_LONGEST_S)
    if not played.over:
        played.note(played.session.leave(played.now))
        played.wait(_LONGEST_S)
    if not played.over:
        raise AssertionError("it does not end")
    if played.asked:
        raise AssertionError(f"{len(played.asked)} actions were never answered")


class _Played:
    """A session, the clock, and what has come of it so far."""

    def __init__(self, account: Account) -> None:
        self.session = Session(account, Deadlines(), "t")
        self.session.opened(0.0)
        self.now = 0.0
        self.asked: set[str] = set()
        self.ready = self.over = False

    def wait(self, seconds: float) -> None:
        """Let time pass, with the alarms that the session has set."""
        until, alarms = self.now + seconds, 0
        while not self.over and (due := self.session.due) <= until:
            self.now = max(self.now, due)
            self.note(self.session.tick(self.now))
            alarms += 1
            if alarms > _LONGEST_S:
                raise AssertionError("its alarm never ends")
        self.now = max(self.now, until) if math.isfinite(until) else self.now

    def note(self, steps: Sequence[Step]) -> None:
        """Look at steps; ask for something once logged in."""
        for step in steps:
            if self.over:
                raise AssertionError(f"{step} after the end")
            self._look(step)
        if self.ready and not self.over and len(self.asked) < len(_ACTIONS):
            action = _ACTIONS[len(self.asked)]
            streamed = action.name == "QueueStatus"
            action_id, more = self.session.ask(action, self.now, 5.0, streamed=streamed)
            self.asked.add(action_id)
            self.note(more)

    def _look(self, step: Step) -> None:
        match step:
            case Ready():
                if self.ready:
                    raise AssertionError("ready twice")
                self.ready = True
            case Messages(frames) | Items(_, frames):
                if not self.ready or not frames or any(len(frame) > MAX_FRAME for frame in frames):
                    raise AssertionError(f"{step} where none may be")
            case Answered(action_id):
                # Whatever is answered was asked, and is answered once.
                self.asked.remove(action_id)
            case Refused(reason) | Lost(reason):
                self.over = True
                if SECRET in reason or not reason.encode():
                    raise AssertionError(f"a reason that may not be told: {reason}")
            case Left():
                self.over = True
