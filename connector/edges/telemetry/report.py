"""Where every fact goes: the counts, the log, and whoever else listens.

A fact that repeats is said once in a while, with how often it was true in between.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from connector import facts
from connector.edges.telemetry.log import LOGGER
from connector.edges.telemetry.sayings import SAYINGS, Saying, level_of, worded
from connector.edges.telemetry.tally import Tally
from connector.facts import Fact, Report

REPEAT_S: Final = 10.0
"""Seconds within which the same fact is said only once."""

PUBLISHED_S: Final = 60.0
"""Seconds between two lines on what was published."""

_MAX_HELD: Final = 4_096


@dataclass(slots=True)
class _Held:
    since: float
    times: int = 0
    last: Fact | None = None


class Telemetry:
    """Takes facts (it is a `Report`), counts them and says them in the log."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.tally = Tally()
        self._now = now
        self._listeners: list[Report] = []
        self._log = logging.getLogger(LOGGER)
        self._held: dict[tuple[object, ...], _Held] = {}
        self._published: Counter[str] = Counter()
        self._published_at = now()

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        self.tally.take(fact)
        for listener in self._listeners:
            listener(fact)
        if isinstance(fact, facts.EventsPublished):
            self._publish(fact)
        else:
            self._say(fact, SAYINGS[type(fact)])

    def hear(self, listener: Report) -> None:
        """Have somebody else told of each fact from now on."""
        self._listeners.append(listener)

    def unselected(self, event: str) -> None:
        """Count an event that the selection leaves out; it is no fact, since there are so many."""
        self.tally.unselected[event] += 1

    def flush(self) -> None:
        """Say what was held back."""
        for held in self._held.values():
            if held.last is not None:
                self._write(held.last, f" (the last of {held.times} more)")
        self._held.clear()
        self._say_published()

    def _say(self, fact: Fact, saying: Saying) -> None:
        more = ""
        if saying.same:
            key = (type(fact).__name__, *(getattr(fact, name) for name in saying.same))
            held = self._held.get(key)
            if held is not None and self._now() - held.since < REPEAT_S:
                held.times, held.last = held.times + 1, fact
                return
            if held is not None and held.times:
                more = f" ({held.times} more since the last such line)"
            self._remember(key)
        self._write(fact, more)

    def _remember(self, key: tuple[object, ...]) -> None:
        if len(self._held) >= _MAX_HELD:
            self.flush()
        self._held[key] = _Held(self._now())

    def _write(self, fact: Fact, more: str) -> None:
        saying = SAYINGS[type(fact)]
        level = level_of(fact)
        if self._log.isEnabledFor(level):
            text = saying.text.format_map(asdict(fact) | worded(fact))
            self._log.log(level, "%s", text + more, extra={"fact": fact})

    def _publish(self, fact: facts.EventsPublished) -> None:
        self._published.update(fact.counts)
        if self._now() - self._published_at >= PUBLISHED_S:
            self._say_published()

    def _say_published(self) -> None:
        count, topics = self._published.total(), len(+self._published)
        if count:
            saying = SAYINGS[facts.EventsPublished]
            fact = facts.EventsPublished(dict(self._published))
            text = saying.text.format(count=count, topics=topics)
            self._log.log(saying.level, "%s", text, extra={"fact": fact})
        self._published.clear()
        self._published_at = self._now()
