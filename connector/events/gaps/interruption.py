"""What is known after an interruption: whether the same process of Asterisk answers as before.

SystemName tells nodes apart where the operator has set it. Each process of Asterisk has one instant of
start: CoreStatus gives it as local text, good for equality, and FullyBooted as an age, which neither a
wrong clock nor a wrong timezone can spoil.
"""

from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from connector.ami.steps import Start

_ROUNDING_US: Final = 2_000_000
"""An Uptime is in whole seconds, and the way to us takes time too."""

_TEXT: Final = "%Y-%m-%d %H:%M:%S"


class Interruption(NamedTuple):
    """A time in which nobody read: `since_us` (microseconds since 1970, UTC) is when something was read last.

    `reason` is a word that programs can rely on.
    """

    since_us: int
    reason: str


class Node(NamedTuple):
    """Who answered a login: its SystemName, the text of its start, and the start by its age in microseconds."""

    name: str | None = None
    start_text: str | None = None
    booted_us: int | None = None


class Change(NamedTuple):
    """Whether another node answers than before, and whether the PBX was started since; None: not known."""

    node_changed: bool | None
    restarted: bool | None

    @property
    def another_process(self) -> bool:
        """Whether it is sure that what answers now has none of the calls of before."""
        return bool(self.node_changed or self.restarted)


def node(name: str | None, start: Start, now_us: int) -> Node:
    """Return who answered a login at `now_us`."""
    booted_us = None if start.uptime_s is None else now_us - start.uptime_s * 1_000_000
    return Node(name, start.text, booted_us)


def started_at(who: Node, zone: tzinfo | None) -> int | None:
    """Return when it started, in microseconds since 1970 (UTC): by its age, else by its text in its timezone."""
    if who.booted_us is not None:
        return who.booted_us
    if who.start_text is None or zone is None:
        return None
    try:
        return int(datetime.strptime(who.start_text, _TEXT).replace(tzinfo=zone).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None


def compare(before: Node | None, now: Node, since_us: int) -> Change:
    """Return what has changed since `since_us`, when `before` was heard last; None: nobody remembers it.

    What was started only after that instant was started since. What ran already then, and has
    another start than what was heard then, is another node.
    """
    if before and before.name and now.name and before.name != now.name:
        return Change(node_changed=True, restarted=None)
    same_node = False if before and before.name and now.name else None
    same, since = _same_start(before, now), _started_since(now, since_us)
    if same:
        return Change(node_changed=False, restarted=False)
    if same is None:
        return Change(same_node, restarted=since)
    if since is False:
        return Change(node_changed=True, restarted=None)
    return Change(same_node, restarted=True)


def _started_since(now: Node, since_us: int) -> bool | None:
    if now.booted_us is None or abs(now.booted_us - since_us) <= _ROUNDING_US:
        return None
    return now.booted_us > since_us


def _same_start(before: Node | None, now: Node) -> bool | None:
    if before is None:
        return None
    if before.start_text and now.start_text:
        return before.start_text == now.start_text
    if before.booted_us is None or now.booted_us is None:
        return None
    return abs(before.booted_us - now.booted_us) <= _ROUNDING_US
