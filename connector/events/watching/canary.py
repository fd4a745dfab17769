"""Whether events still come: a UserEvent of our own is sent at one session, and must be seen at another.

A canary is told from what callers write by its nonce alone. One that is not seen within its time was
lost, unless events that are older than it still come: then the stream is only late.

    send --taken--> awaited --seen--> (whole)
      `-not taken--> (unknown)  `-missed--> renew the session

A session is renewed once for each canary that was seen: where canaries never come, since a filter of
the PBX or a missing class keeps them away, one renewal shows that it does not help.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.message import parse
from connector.ami.reach import Reach, Result
from connector.events.gaps.interruption import Interruption
from connector.facts import CanaryMissed, CanarySeen, CanaryUnsent, Report

STREAM_STALLED: Final = "stream-stalled"
NAME: Final = "AmiKafkaCanary"
"""What the header UserEvent of a canary says."""

_NONCE: Final = "Nonce"
_REMEMBERED: Final = 8
_USER_EVENT: Final = b"Event: UserEvent\r\n"


class Verdict(Enum):
    """What is known of a canary whose time is over."""

    SETTLED = auto()
    LATE = auto()
    RENEW = auto()
    MISSED = auto()


class _Trouble(Enum):
    """What was told last of the canaries."""

    NONE = auto()
    UNSENT = auto()
    MISSED = auto()
    IN_VAIN = auto()


class _Awaited(NamedTuple):
    nonce: bytes
    sent_us: int


class Canary:
    """The canaries of one PBX, session after session.

    Args:
        pbx: its name.
        report: told what canaries show, where that changes.
        within_s: the time in seconds in which one must be seen.
    """

    def __init__(self, pbx: str, report: Report, within_s: float) -> None:
        self._pbx = pbx
        self._report = report
        self._within_s = within_s
        self._unseen: dict[bytes, None] = {}
        self._awaited: _Awaited | None = None
        self._read_us = 0
        self._whole_us = 0
        self._older = False
        self._renewable = True
        self._trouble = _Trouble.NONE
        self._stalled: Interruption | None = None

    @property
    def pending(self) -> bool:
        """Whether a canary is under way that must be seen."""
        return self._awaited is not None

    def began(self, now_us: int) -> None:
        """Note a new session for events: what was sent before is not seen on it."""
        self._unseen.clear()
        self._awaited = None
        self._stalled = None
        self._read_us = now_us

    def ended(self) -> Interruption | None:
        """Note the end of that session; return what it was if it ended for a missed canary."""
        self._awaited = None
        return self._stalled

    def send(self, nonce: str, now_us: int) -> AmiAction:
        """Return the action that sends a canary; `nonce` is known to nobody else."""
        self._awaited = _Awaited(nonce.encode(), now_us)
        # Those that were given up may still come, and are no less ours.
        self._unseen[self._awaited.nonce] = None
        for oldest in [*self._unseen][:-_REMEMBERED]:
            del self._unseen[oldest]
        self._whole_us, self._older = self._read_us, False
        return AmiAction("UserEvent", (("UserEvent", NAME), (_NONCE, nonce)))

    def taken(self, result: Result) -> None:
        """Take what became of that action; only a canary that the PBX has taken can be missed."""
        if self._awaited is None:
            return
        if result.reach is not Reach.ANSWERED or result.answer is None:
            self._unsent(result.reason)
        elif not result.answer.success:
            said = result.answer.response.get("Message")
            self._unsent(f"UserEvent refused ({said}): the account for actions needs write = user")

    def sift(self, frames: Sequence[bytes], received_us: int) -> Sequence[bytes]:
        """Return the frames of a read without canaries of ours."""
        self._read_us = received_us
        if not self._unseen:
            return frames
        return [frame for frame in frames if not (frame.startswith(_USER_EVENT) and self._take(frame))]

    def heard(self, made_us: int) -> None:
        """Take when the last event of a read was made, by our clock, in microseconds since 1970."""
        if self._awaited is not None and made_us <= self._awaited.sent_us:
            self._older, self._whole_us = True, self._read_us

    def judge(self) -> Verdict:
        """Say what is to be done where the time of a canary is over."""
        if self._awaited is None:
            return Verdict.SETTLED
        if self._older:
            self._older = False
            return Verdict.LATE
        self._awaited = None
        if not self._renewable:
            self._missed(renewed=False)
            return Verdict.MISSED
        self._renewable = False
        # Up to here the stream was whole; what came later may have come past what is missing.
        self._stalled = Interruption(self._whole_us, STREAM_STALLED)
        self._missed(renewed=True)
        return Verdict.RENEW

    def _take(self, frame: bytes) -> bool:
        """Say whether this is one of ours that was not seen yet."""
        if not any(nonce in frame for nonce in self._unseen):
            return False
        event = parse(frame)
        nonce = event.get(_NONCE).encode()
        if event.get("UserEvent") != NAME or nonce not in self._unseen:
            return False
        del self._unseen[nonce]
        if self._awaited is not None and self._awaited.nonce == nonce:
            self._seen()
        return True

    def _seen(self) -> None:
        self._awaited, self._renewable = None, True
        if self._trouble is not _Trouble.NONE:
            self._trouble = _Trouble.NONE
            self._report(CanarySeen(self._pbx))

    def _unsent(self, reason: str) -> None:
        self._awaited = None
        if self._trouble is not _Trouble.UNSENT:
            self._trouble = _Trouble.UNSENT
            self._report(CanaryUnsent(self._pbx, reason))

    def _missed(self, *, renewed: bool) -> None:
        if renewed or self._trouble is not _Trouble.IN_VAIN:
            self._report(CanaryMissed(self._pbx, self._within_s, renewed))
        self._trouble = _Trouble.MISSED if renewed else _Trouble.IN_VAIN
