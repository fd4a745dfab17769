"""Says what is wrong with a crash run; whatever it says is a broken promise.

It shares no code with the connector, and sees only what others could see: topics, the PBX's own file, and
the times of faults.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.crash.evidence import Asked, Begun, Evidence, Fault, Told

FINE = {
    "originate": "SUCCESS",
    "read": "SUCCESS",
    "no-partition": "FAILURE",
    "no-topic": "INVALID",
    "too-large": "FAILURE",
    "no-request": "INVALID",
    "other-content": "INVALID",
}
"""How a request of each kind ends where nothing goes wrong."""

REPEATABLE = frozenset({"originate", "read"})
BREAKS = frozenset({"kill", "stop", "link", "pbx"})
"""Faults that may part a claim from its result; brokers and members that come and go may not."""


class Case:
    """The evidence, sorted."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.told: defaultdict[str, list[Told]] = defaultdict(list)
        for told in evidence.told:
            self.told[told.correlation].append(told)
        self.begun: defaultdict[str, list[Begun]] = defaultdict(list)
        for begun in evidence.begun:
            self.begun[begun.request_id].append(begun)
        self.ids: defaultdict[str, list[Asked]] = defaultdict(list)
        for asked in sorted(evidence.asked, key=lambda each: (each.place, each.offset)):
            if asked.kind in REPEATABLE:
                self.ids[asked.request_id].append(asked)
        self.done = Counter(evidence.effects)

    def answer(self, asked: Asked) -> Told | None:
        """Return the one final answer; None where there is none, or no single one."""
        told = self.told[asked.correlation]
        return told[0] if told and _is_one(told) else None

    def broken(self, from_ms: int, to_ms: int, pids: Sequence[int] | None = None) -> bool:
        """Say whether a fault fell into this time; of a process, only where it is one of these."""
        return any(
            fault.kind in BREAKS and fault.from_ms <= to_ms and from_ms <= fault.to_ms
            for fault in self.evidence.faults
            if not (pids and fault.pid) or fault.pid in pids
        )


def violations(evidence: Evidence) -> list[str]:
    """Return every broken promise, in words."""
    case = Case(evidence)
    rules = (_complete, _answered_once, _repeats, _effects, _unknown, _spoiled, _order, _claims)
    return [f"{rule.__name__[1:]}: {each}" for rule in rules for each in rule(case)]


def late_effects(evidence: Evidence) -> int:
    """Count effects that the PBX did after those of later requests with the same key: UNKNOWN ones may."""
    return sum(1 for _ in _overtaken(Case(evidence), unknown=True))


def _complete(case: Case) -> Iterator[str]:
    """Nothing that was asked is missing, and the group's offsets are at the ends."""
    evidence = case.evidence
    if len(evidence.asked) != evidence.sent:
        yield f"{evidence.sent} requests were sent, {len(evidence.asked)} are in the topic"
    for (topic, partition), left in evidence.left.items():
        if left:
            yield f"{left} requests of {topic}/{partition} lie behind the group's offset"


def _answered_once(case: Case) -> Iterator[str]:
    known = {asked.correlation for asked in case.evidence.asked}
    for asked in case.evidence.asked:
        told = case.told[asked.correlation]
        if not told:
            yield f"{asked.correlation} ({asked.kind}) has no answer"
        elif not _is_one(told):
            yield f"{asked.correlation} ({asked.kind}) has {[each[1:] for each in told]}"
    for correlation in case.told.keys() - known:
        yield f"an answer to nobody: {correlation}"


def _is_one(told: Sequence[Told]) -> bool:
    """Say whether these records are one answer: a single one, or the numbered parts of one."""
    parts = sorted(each.part for each in told)
    return parts == [*range(1, told[0].parts + 1)] and len({each.parts for each in told}) == 1


def _repeats(case: Case) -> Iterator[str]:
    for request_id, (first, *repeats) in case.ids.items():
        one = case.answer(first)
        if one is not None and one.replayed:
            yield f"{request_id}: the first answer says that it is a repeat"
        for repeat in repeats:
            again = case.answer(repeat)
            if one is None or again is None:
                continue
            if not again.replayed:
                yield f"{request_id}: a repeat was done anew: {repeat.correlation}"
            if (one.status, one.executed) != (again.status, again.executed):
                yield f"{request_id}: first {one.status}/{one.executed}, then {again.status}/{again.executed}"


def _effects(case: Case) -> Iterator[str]:
    """No effect twice, none unasked, none missing where it was told, none where it was denied."""
    numbers = {asked.number for asked in case.evidence.asked if asked.number}
    for number, times in case.done.items():
        if times > 1:
            yield f"{number} was dialled {times} times"
        if number not in numbers:
            yield f"{number} was dialled, and nobody asked for it"
    for asked in case.evidence.asked:
        answer = case.answer(asked)
        if not asked.number or answer is None:
            continue
        if answer.status == "SUCCESS" and not case.done[asked.number]:
            yield f"{asked.number} was answered {answer.status} and never dialled"
        if answer.executed == "no" and case.done[asked.number]:
            yield f"{asked.number} was answered {answer.status}, executed no, and was dialled"


def _unknown(case: Case) -> Iterator[str]:
    """UNKNOWN only where a fault fell between the claim and the answer, and hit who had claimed it."""
    for asked in case.evidence.asked:
        answer = case.answer(asked)
        if answer is None or answer.replayed or answer.status != "UNKNOWN":
            continue
        begun = case.begun[asked.request_id]
        if not begun:
            yield f"{asked.correlation} is UNKNOWN without a claim"
        elif not case.broken(begun[0].at_ms, answer.at_ms, [each.pid for each in begun]):
            yield f"{asked.correlation} is UNKNOWN without a fault, from {begun[0]} to {answer}"


def _spoiled(case: Case) -> Iterator[str]:
    """Where no fault came, each request ends as its kind does."""
    for asked in case.evidence.asked:
        answer = case.answer(asked)
        if answer is None or answer.replayed or answer.status in (FINE[asked.kind], "UNKNOWN"):
            continue
        if FINE[asked.kind] == "INVALID" or not case.broken(asked.at_ms, answer.at_ms):
            yield f"{asked.correlation} ({asked.kind}) is {answer.status}, executed {answer.executed}: {answer.message}"


def _order(case: Case) -> Iterator[str]:
    return _overtaken(case, unknown=False)


def _overtaken(case: Case, *, unknown: bool) -> Iterator[str]:
    """Find effects that the PBX did after that of a later request with the same key."""
    at = {number: place for place, number in enumerate(case.evidence.effects)}
    lines: defaultdict[tuple[object, bytes | None], list[Asked]] = defaultdict(list)
    for first, *_ in case.ids.values():
        if first.number in at:
            lines[first.place, first.key].append(first)
    for line in lines.values():
        line.sort(key=lambda each: each.offset)
        soonest = len(at)
        for asked in reversed(line):
            answer = case.answer(asked)
            doubtful = answer is not None and answer.status == "UNKNOWN"
            if at[asked.number] > soonest and doubtful is unknown:
                yield f"{asked.number} was dialled after what was asked for later with the key {asked.key!r}"
            if not doubtful:
                soonest = min(soonest, at[asked.number])


def _claims(case: Case) -> Iterator[str]:
    """No effect without a claim, and no claim twice."""
    for request_id, (first, *_) in case.ids.items():
        claims = len(case.begun[request_id])
        if case.done[first.number] and not claims:
            yield f"{first.number} was dialled without a claim"
        if claims > 1:
            yield f"{request_id} was claimed {claims} times"


def breaks(faults: Sequence[Fault]) -> Counter[str]:
    """Count faults by kind and step."""
    return Counter(f"{fault.kind} {fault.step}".strip() for fault in faults)
