"""A run's evidence and verdict as text."""

from collections import Counter
from collections.abc import Sequence

from tests.crash.evidence import Evidence
from tests.crash.judge import breaks, late_effects


def text(evidence: Evidence, violations: Sequence[str], seconds: float) -> str:
    """Return the report."""
    kinds = Counter(each.kind for each in evidence.asked)
    statuses = Counter(f"{each.status}, executed {each.executed}" for each in evidence.told if each.part == 1)
    replayed = sum(1 for each in evidence.told if each.replayed and each.part == 1)
    lines = [
        f"requests      {len(evidence.asked)}: {_counts(kinds)}",
        f"responses     {sum(statuses.values())}: {_counts(statuses)}; {replayed} of them repeats' answers",
        f"in parts      {sum(1 for each in evidence.told if each.part == 1 and each.parts > 1)}",
        f"claims begun  {len(evidence.begun)}",
        f"effects       {len(evidence.effects)}, {len(set(evidence.effects))} of them different",
        f"late          {late_effects(evidence)} of them, whose answer was UNKNOWN",
        f"faults        {len(evidence.faults)}",
        *(f"  {number:4}  {fault}" for fault, number in sorted(breaks(evidence.faults).items())),
        f"seconds       {seconds:.0f}",
        f"violations    {len(violations)}",
        *(f"  {each}" for each in violations),
    ]
    return "\n".join(lines)


def _counts(counter: Counter[str]) -> str:
    return "; ".join(f"{number} {name}" for name, number in counter.most_common())
