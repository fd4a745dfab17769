"""Says what is wrong with a soak; whatever it says is a broken promise.

It shares no code with the connector. It holds the numbers that the PBX gave its events, as a session of the
soak's own read them, against the records in Kafka, and both against the times of the faults.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tests.soak.account import Absence, Account
from tests.soak.evidence import Evidence, Gap, Kept, Lost, Sent
from tests.soak.faults import INTERRUPTIONS

SLACK_US: Final = 1_000_000
"""How far a Timestamp may lie from the time at which an event is on the wire."""


def findings(evidence: Evidence) -> list[str]:
    """Return every broken promise, in words that begin with the name of the law."""
    account = Account(evidence)
    laws = (_witness, _lost, _invented, _twice, _same, _gaps, _unread, _holes, _order, _keys, _repeats)
    return [f"{law.__name__[1:]}: {each}" for law in laws for each in law(account)]


def _witness(account: Account) -> Iterator[str]:
    """The witness has read every number once: else it proves nothing. Neighbours may swap."""
    numbers = sorted(each.number for each in account.sent)
    ends = (account.evidence.first, account.evidence.last)
    if (numbers[:1], numbers[-1:]) != ([ends[0]], [ends[1]]):
        yield f"it has not read both ends, {ends}"
    for one, next_one in pairwise(numbers):
        if next_one != one + 1:
            yield f"{one} is followed by {next_one}"


def _lost(account: Account) -> Iterator[str]:
    """What is not in Kafka lies in a gap, or in an overflow."""
    for absence in account.absences():
        for event in absence.events:
            if not _excused(account, absence, event):
                yield f"{event.number}, {event.name} at {event.at_us}"


def _excused(account: Account, absence: Absence, event: Sent) -> bool:
    before, behind = absence.before, absence.behind
    if before is None or behind is None:
        return False
    return any(_lies_in(event, before, behind, gap) for gap in account.gaps) or any(
        _is_named(event, before, behind, lost) for lost in account.losses
    )


def _lies_in(event: Sent, before: Kept, behind: Kept, gap: Gap) -> bool:
    """Say whether an event came while nobody read: its neighbours were read outside the gap.

    It would have been read as late behind its Timestamp as its neighbour was.
    """
    late_us = before.received_us - (before.at_us or before.received_us)
    between = before.received_us <= gap.from_us and gap.to_us <= behind.received_us
    return between and gap.from_us - SLACK_US <= event.at_us + late_us and event.at_us <= gap.to_us + SLACK_US


def _is_named(event: Sent, before: Kept, behind: Kept, lost: Lost) -> bool:
    place = (before.epoch, before.sequence), (behind.epoch, behind.sequence)
    fits = lost.name in (None, event.name)
    return fits and place[0] < (lost.epoch, lost.last + 1) and (lost.epoch, lost.first - 1) < place[1]


def _invented(account: Account) -> Iterator[str]:
    numbers = {each.number for each in account.sent}
    for number, kept in account.by_number.items():
        if account.evidence.first <= number <= account.evidence.last and number not in numbers:
            yield f"{kept.event_id} has the number {number}, which the PBX never gave"


def _twice(account: Account) -> Iterator[str]:
    """An event of the PBX has one id."""
    for each in account.firsts:
        if each.number is not None and each.event_id != (other := account.by_number[each.number].event_id):
            yield f"{each.number} is {other} and {each.event_id}"


def _same(account: Account) -> Iterator[str]:
    """The record of a number is that of the event which has it."""
    for event in account.sent:
        kept = account.by_number.get(event.number)
        if kept and kept.at_us not in (None, event.at_us):
            yield f"{event.number} was sent at {event.at_us}, and {kept.event_id} says {kept.at_us}"


def _gaps(account: Account) -> Iterator[str]:
    """No gap outside an interruption."""
    for gap in account.gaps:
        if not any(
            fault.kind in INTERRUPTIONS and fault.from_us <= gap.to_us and gap.from_us <= fault.to_us
            for fault in account.evidence.faults
        ):
            yield f"{gap} without a fault that explains it"


def _unread(account: Account) -> Iterator[str]:
    """Nothing was read in a gap: it is no longer than what was missed."""
    times = sorted(
        (each.received_us, each.event_id) for each in account.by_number.values() if not each.letter
    )
    for gap in account.gaps:
        inside = [name for at, name in times if gap.from_us < at < gap.to_us]
        if inside:
            yield f"in {gap} there was read {inside[0]}, and {len(inside) - 1} more"


def _holes(account: Account) -> Iterator[str]:
    """The numbers of an epoch are all there, or named."""
    there: defaultdict[int, set[int]] = defaultdict(set)
    for each in account.firsts:
        there[each.epoch].add(each.sequence)
    for epoch, numbers in there.items():
        absent = {*range(1, max(numbers) + 1)} - numbers
        named = [lost for lost in account.losses if lost.epoch == epoch]
        unnamed = [at for at in absent if not any(lost.first <= at <= lost.last for lost in named)]
        if unnamed:
            yield f"{len(unnamed)} of epoch {epoch}, from {min(unnamed)} to {max(unnamed)}"
        elif len(absent) > sum(lost.events for lost in named):
            yield f"{len(absent)} of epoch {epoch}, more than are told to be gone"


def _order(account: Account) -> Iterator[str]:
    """First occurrences are in order in each partition, and so are those of each key."""
    latest: dict[tuple[str, int], tuple[int, int]] = {}
    for each in account.firsts:
        number = each.epoch, each.sequence
        if number < latest.get(each.place, (0, 0)):
            yield f"{each.event_id} in {each.place} stands behind {latest[each.place]}"
        latest[each.place] = max(number, latest.get(each.place, number))


def _keys(account: Account) -> Iterator[str]:
    """A key keeps its partition of a topic."""
    partitions: dict[tuple[str, bytes], int] = {}
    for each in account.evidence.kept:
        topic, partition = each.place
        if partitions.setdefault((topic, each.key), partition) != partition:
            yield f"{each.key!r} is in two partitions of {topic}: {each.event_id}"


def _repeats(account: Account) -> Iterator[str]:
    """What has the same id is the same record."""
    firsts = {each.event_id: each for each in account.firsts}
    for each in account.evidence.kept:
        first = firsts[each.event_id]
        if (each.place, each.key, each.content) != (first.place, first.key, first.content):
            yield f"{each.event_id} in {each.place} differs from the first"
