"""A soak's evidence and verdict as text."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.soak.account import Account
from tests.soak.evidence import Evidence

SHOWN = 20
"""So many findings are told in words."""


def text(evidence: Evidence, findings: Sequence[str], seconds: float) -> str:
    """Return the report."""
    account = Account(evidence)
    letters = sum(1 for each in account.firsts if each.letter)
    own = sum(1 for each in account.firsts if each.number is None and not each.letter)
    rows = account.absences()
    span = (account.sent[-1].at_us - account.sent[0].at_us) / 1e6 if account.sent else 0.0
    gone = sum((gap.to_us - gap.from_us) / 1e6 for gap in account.gaps)
    lines = [
        f"events        {len(account.sent)} at the witness in {span:.0f} s, {_rate(len(account.sent), span)} a second",
        f"in Kafka      {account.arrived} of them, {letters} as dead letters; beside them {own} without a number",
        f"repeats       {len(evidence.kept) - len(account.firsts)}",
        f"not in Kafka  {sum(len(each.events) for each in rows)}, in {len(rows)} rows",
        f"gaps          {len(account.gaps)}, {gone:.1f} s of them: {_counts(each.reason for each in account.gaps)}",
        f"overflows     {len(account.losses)}, of {sum(each.events for each in account.losses)} numbers",
        f"epochs        {len({each.epoch for each in account.firsts})}",
        f"partitions    {len({each.place for each in account.firsts})} with records",
        f"kinds         {_counts((each.name for each in account.sent), 8)}",
        f"faults        {len(evidence.faults)}: {_counts(each.kind for each in evidence.faults)}",
        f"seconds       {seconds:.0f}",
        f"findings      {len(findings)}",
        *(f"  {each}" for each in findings[:SHOWN]),
    ]
    return "\n".join(lines)


def _rate(number: int, seconds: float) -> int:
    return round(number / seconds) if seconds else 0


def _counts(names: Iterable[str], shown: int | None = None) -> str:
    counts = Counter(names)
    told = [f"{number} {name}" for name, number in counts.most_common(shown)]
    rest = len(counts) - len(told)
    return "; ".join([*told, f"{rest} other names"] if rest else told) or "none"
