"""The evidence, sorted for the judge and for the report."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.soak.evidence import Evidence, Gap, Kept, Lost, Sent


class Absence(NamedTuple):
    """Events in a row that are not in Kafka, between two that are, in the order of the witness.

    None: the row begins or ends what is judged, so that nothing can excuse it.
    """

    before: Kept | None
    events: Sequence[Sent]
    behind: Kept | None


class Account:
    """Who is where."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        span = range(evidence.first, evidence.last + 1)
        self.sent = [each for each in evidence.sent if each.number in span]
        self.firsts = first_occurrences(evidence.kept)
        self.by_number: dict[int, Kept] = {}
        for each in self.firsts:
            if each.number is not None:
                self.by_number.setdefault(each.number, each)
        self.gaps: list[Gap] = [each.gap for each in self.firsts if each.gap]
        self.losses: list[Lost] = [each.lost for each in self.firsts if each.lost]

    @property
    def arrived(self) -> int:
        """How many of the judged events are in Kafka."""
        return sum(1 for each in self.sent if each.number in self.by_number)

    def absences(self) -> list[Absence]:
        """Return what is not in Kafka, in rows. A dead letter, whose time of receipt is not known, ends none."""
        found, before, row = [], None, list[Sent]()
        for each in self.sent:
            kept = self.by_number.get(each.number)
            if kept is None:
                row.append(each)
            elif not kept.letter:
                if row:
                    found.append(Absence(before, row, kept))
                before, row = kept, []
        return [*found, Absence(before, row, None)] if row else found


def first_occurrences(kept: Sequence[Kept]) -> list[Kept]:
    """Return records without their repeats."""
    known: dict[str, Kept] = {}
    for each in kept:
        known.setdefault(each.event_id, each)
    return [*known.values()]
