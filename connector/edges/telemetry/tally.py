"""What has happened since the start, counted for summaries."""

from collections import Counter
from dataclasses import dataclass, field

from connector import facts
from connector.facts import Fact


@dataclass(slots=True)
class Tally:
    """What has happened since the start, for summaries.

    Records by topic, events left out by name, dead letters by reason, and how many were lost.
    """

    published: Counter[str] = field(default_factory=Counter)
    unselected: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def take(self, fact: Fact) -> None:
        """Count a fact."""
        match fact:
            case facts.EventsPublished(counts):
                self.published.update(counts)
            case facts.EventDropped(event=event):
                self.unselected[event] += 1
            case facts.EventQuarantined(reason=reason):
                self.quarantined[reason] += 1
            case facts.EventsLost(count=count):
                self.lost += count or 0
