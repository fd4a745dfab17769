"""The judge convicts each broken promise, and nobody else."""

from dataclasses import dataclass, field

from tests.crash.evidence import Asked, Begun, Evidence, Fault, Told
from tests.crash.judge import late_effects, violations
from tests.crash.report import text

TOPIC = "t"
KILLED = Fault("kill", "send.sent", 7, 1_500, 1_500)
"""Between the claim of the second request here and its answer."""


@dataclass
class Run:
    """A run of three requests with one key and one of another, which went well; tests spoil it."""

    asked: list[Asked] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: dict[tuple[str, int], int] = field(default_factory=lambda: {(TOPIC, 0): 0})

    def __post_init__(self) -> None:
        for number in (1, 2, 3):
            self.originate(number)
        self.ask(4, "read", key=b"other")
        self.tell(4, "SUCCESS", "yes")

    def ask(
        self, number: int, kind: str, *, request: int | None = None, key: bytes = b"k", dials: bool = False
    ) -> None:
        request = request or number
        at = number * 1_000 - 500
        dialled = str(request) if dials else ""
        self.asked.append(Asked((TOPIC, 0), number, at, key, f"c{number}", f"r{request}", kind, dialled))

    def tell(self, number: int, status: str, executed: str, *, replayed: bool = False, at: int = 0) -> None:
        self.told.append(Told(f"c{number}", status, executed, replayed, at or number * 1_000))

    def originate(self, number: int) -> None:
        self.ask(number, "originate", dials=True)
        self.begun.append(Begun(f"r{number}", 7, number * 1_000 - 400))
        self.effects.append(str(number))
        self.tell(number, "SUCCESS", "yes")

    def retell(self, number: int, status: str, executed: str) -> None:
        """Put another answer in the place of one."""
        self.told = [each for each in self.told if each.correlation != f"c{number}"]
        self.tell(number, status, executed)

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            self.asked, self.told, self.begun, self.effects, self.faults, self.left, len(self.asked)
        )

    @property
    def rules(self) -> list[str]:
        """The rules that the judge finds broken."""
        return [each.partition(":")[0] for each in violations(self.evidence)]


def test_a_run_that_went_well() -> None:
    assert violations(Run().evidence) == []


def test_no_answer() -> None:
    run = Run()
    del run.told[2]
    assert run.rules == ["answered_once"]


def test_two_answers() -> None:
    run = Run()
    run.tell(2, "SUCCESS", "yes")
    assert run.rules == ["answered_once"]


def test_an_answer_to_nobody() -> None:
    run = Run()
    run.tell(9, "SUCCESS", "yes")
    assert run.rules == ["answered_once"]


def test_parts_are_one_answer_where_all_are_there() -> None:
    run = Run()
    whole = [
        Told("c4", "SUCCESS", "yes", replayed=False, at_ms=4_000, part=part, parts=3) for part in (2, 1, 3)
    ]
    run.told = [*run.told[:3], *whole]
    assert run.rules == []
    run.told = [*run.told[:3], *whole[1:]]
    assert run.rules == ["answered_once"]
    run.told = [*run.told[:3], *whole, whole[0]]
    assert run.rules == ["answered_once"]


def test_a_repeat_is_told_the_same() -> None:
    run = Run()
    run.ask(5, "originate", request=1, dials=True)
    run.tell(5, "SUCCESS", "yes", replayed=True)
    assert run.rules == []
    run.retell(5, "SUCCESS", "yes")
    assert run.rules == ["repeats"]


def test_a_repeat_is_told_something_else() -> None:
    run = Run()
    run.ask(5, "originate", request=1, dials=True)
    run.tell(5, "UNKNOWN", "unknown", replayed=True)
    assert run.rules == ["repeats"]


def test_a_first_request_told_as_a_repeat() -> None:
    run = Run()
    run.told[0] = run.told[0]._replace(replayed=True)
    assert run.rules == ["repeats"]


def test_an_effect_twice() -> None:
    run = Run()
    run.effects.append("3")
    assert run.rules == ["effects"]


def test_an_effect_that_nobody_asked_for() -> None:
    run = Run()
    run.effects.append("99")
    assert run.rules == ["effects"]


def test_success_without_an_effect() -> None:
    run = Run()
    run.effects.remove("3")
    assert run.rules == ["effects"]


def test_an_effect_that_is_denied() -> None:
    run = Run()
    run.retell(3, "UNAVAILABLE", "no")
    run.faults.append(Fault("pbx", "kill", 0, 0, 9_000))
    assert run.rules == ["effects"]
    run.effects.remove("3")
    assert run.rules == []


def test_the_effect_of_a_request_that_must_not_be_carried_out() -> None:
    run = Run()
    run.ask(5, "no-topic", dials=True)
    run.tell(5, "INVALID", "no")
    assert run.rules == []
    run.effects.append("5")
    assert run.rules == ["effects"]


def test_unknown_behind_a_fault() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults.append(KILLED._replace(from_ms=1_700, to_ms=1_700))
    assert run.rules == []
    run.effects.remove("2")
    assert run.rules == []


def test_unknown_without_a_fault() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    assert run.rules == ["unknown"]


def test_unknown_and_a_fault_before_the_claim() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults.append(KILLED)
    assert run.rules == ["unknown"]


def test_unknown_and_a_fault_after_the_answer() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults.append(KILLED._replace(from_ms=2_100, to_ms=2_100))
    assert run.rules == ["unknown"]


def test_unknown_and_a_fault_of_another_connector() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults.append(KILLED._replace(pid=8, from_ms=1_700, to_ms=1_700))
    assert run.rules == ["unknown"]


def test_unknown_and_no_fault_but_brokers_and_members_that_went() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults += [Fault("broker", "kill", 0, 0, 9_000), Fault("member", "", 0, 0, 9_000)]
    assert run.rules == ["unknown"]


def test_unknown_without_a_claim() -> None:
    run = Run()
    run.retell(4, "UNKNOWN", "unknown")
    run.faults.append(Fault("link", "cut", 0, 0, 9_000))
    assert run.rules == ["unknown"]


def test_a_poisoned_request_ends_as_it_must() -> None:
    run = Run()
    run.ask(5, "too-large")
    run.tell(5, "FAILURE", "yes")
    assert run.rules == []
    run.retell(5, "SUCCESS", "yes")
    assert run.rules == ["spoiled"]


def test_a_request_that_another_has_spoiled() -> None:
    run = Run()
    run.retell(4, "TIMEOUT", "unknown")
    assert run.rules == ["spoiled"]
    run.faults.append(Fault("link", "cut", 0, 3_700, 3_700))
    assert run.rules == []


def test_no_fault_excuses_that_what_is_invalid_was_taken() -> None:
    run = Run()
    run.ask(5, "no-topic", dials=True)
    run.tell(5, "SUCCESS", "yes")
    run.effects.append("5")
    run.faults.append(Fault("link", "cut", 0, 0, 9_000))
    assert run.rules == ["spoiled"]


def test_effects_out_of_order() -> None:
    run = Run()
    run.effects = ["2", "1", "3"]
    assert run.rules == ["order"]
    assert late_effects(run.evidence) == 0


def test_the_effects_of_different_keys_have_no_order() -> None:
    run = Run()
    run.asked[0] = run.asked[0]._replace(key=b"another")
    run.effects = ["2", "1", "3"]
    assert run.rules == []


def test_an_unknown_effect_may_come_late_and_is_counted() -> None:
    run = Run()
    run.retell(2, "UNKNOWN", "unknown")
    run.faults.append(KILLED._replace(from_ms=1_700, to_ms=1_700))
    run.effects = ["1", "3", "2"]
    assert run.rules == []
    assert late_effects(run.evidence) == 1


def test_an_effect_without_a_claim() -> None:
    run = Run()
    del run.begun[1]
    assert run.rules == ["claims"]


def test_a_request_claimed_twice() -> None:
    run = Run()
    run.begun.append(run.begun[1])
    assert run.rules == ["claims"]


def test_requests_behind_the_offset() -> None:
    run = Run()
    run.left[TOPIC, 1] = 2
    assert run.rules == ["complete"]


def test_requests_that_never_came_to_the_topic() -> None:
    evidence = Run().evidence._replace(sent=5)
    assert [each.partition(":")[0] for each in violations(evidence)] == ["complete"]


def test_the_report_counts_and_names_what_is_wrong() -> None:
    run = Run()
    run.effects.append("3")
    report = text(run.evidence, violations(run.evidence), 1.0)
    assert "requests      4: 3 originate; 1 read" in report
    assert "violations    1\n  effects: 3 was dialled 2 times" in report
