"""How far an action came: the fact on which "was not done" against "may have been done" rests."""

from enum import Enum, auto
from typing import NamedTuple

from connector.ami.completion import Answer


class Reach(Enum):
    """How far an action came on its way to the PBX."""

    NOT_SENT = auto()
    """Not one byte was written: it was not done."""

    SENT = auto()
    """Written, at least in part, and not answered in time or before the connection ended."""

    ANSWERED = auto()
    """The answer is whole."""


class Result(NamedTuple):
    """What became of an action at the PBX.

    `answer` is whole where ANSWERED, else what had come of it by then, if anything; `late` where its
    time was over, as against a connection that ended or was never there; `reason` in words.
    """

    reach: Reach
    answer: Answer | None = None
    late: bool = False
    reason: str = ""
