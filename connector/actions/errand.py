"""What a request comes to before anything is done: an errand at a PBX, or an outcome at once.

Nothing here depends on the clock, on other requests, or on the PBX's state.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple, Protocol

from connector.actions.request import Request
from connector.actions.response import Executed, Outcome, Status
from connector.ami.action import MAX_ACTION_ID, AmiAction, encode
from connector.ami.catalogue import ActionCatalogue, ActionFacts, ProblemKind
from connector.errors import ActionError

SESSION_RULE: Final = "session"
"""The rule that forbids what acts on the connector's own session, whatever the policy says."""

_SOME_ID: Final = "x" * MAX_ACTION_ID


class Errand(NamedTuple):
    """What is to be done for a request.

    `action` is ready for the wire but for its ActionID, `facts` is what is known of it; `effect`
    where it must never be done twice; `rule` is the policy's that allows it; `doubts` are parameters
    that it does not have as far as is known.
    """

    pbx: str
    action: AmiAction
    facts: ActionFacts | None
    effect: bool
    rule: str
    doubts: tuple[str, ...] = ()

    @property
    def call(self) -> bool:
        """Say whether it makes a call."""
        return self.action.name.lower() == "originate"

    def parameter(self, name: str) -> str:
        """Return a parameter's first value, its name in any case; "" where it is not there."""
        return next((value for key, value in self.action.headers if key.lower() == name.lower()), "")


class Verdict(Protocol):
    """Whether the policy allows an action, by which rule, and why not."""

    @property
    def allowed(self) -> bool:
        """Say whether it may be done."""
        ...

    @property
    def rule(self) -> str:
        """Name the rule that decided."""
        ...

    @property
    def why(self) -> str:
        """Say why not."""
        ...


class Policy(Protocol):
    """What may be asked for."""

    def judge(self, pbx: str, topic: str, action: AmiAction, variables: Sequence[tuple[str, str]]) -> Verdict:
        """Judge an action that came by a request topic."""
        ...


class Rules(NamedTuple):
    """By what a request is judged.

    Args:
        served: the PBXs that this group serves.
        only: the PBX of requests that name none; None where they must name one.
        catalogue: what is known of actions.
        policy: what may be asked for.
        prepare: a request to the action for the wire; raises ActionError where it must not go there.
        strict: whether a parameter that the catalogue does not know makes a request invalid.
    """

    served: Collection[str]
    only: str | None
    catalogue: ActionCatalogue
    policy: Policy
    prepare: Callable[[Request], AmiAction]
    strict: bool = False

    def pbx(self, request: Request) -> str | None:
        """Return the PBX that a request is for, "" where it should have named one; None: not one of ours."""
        if not request.pbx:
            return self.only or ""
        return request.pbx if request.pbx in self.served else None

    def has_effect(self, request: Request) -> bool:
        """Say whether what is asked must not be done twice."""
        return self.catalogue.has_effect(AmiAction(request.action, request.headers))

    def judge(self, request: Request, pbx: str) -> Errand | Outcome:
        """Say what a request comes to."""
        if not pbx:
            return invalid("pbx is required: name the PBX that is to do it")
        facts = self.catalogue.get(request.action)
        if facts is not None and facts.forbidden:
            return refused(SESSION_RULE, f"{facts.name} acts on the connector's own session")
        asked = AmiAction(request.action, request.headers)
        verdict = self.policy.judge(pbx, request.record.place.topic, asked, request.variables)
        if not verdict.allowed:
            return refused(verdict.rule, verdict.why)
        effect = self.catalogue.has_effect(asked)
        if effect and request.record.key is None:
            return invalid(
                f"{request.action} has effects, so its record needs a key: repeats are known by it"
            )
        problems = self.catalogue.problems(asked)
        wrong = [each.text for each in problems if self.strict or each.kind is ProblemKind.MISSING]
        if wrong:
            return invalid("; ".join(wrong))
        try:
            action = self.prepare(request)
            encode(action._replace(action_id=_SOME_ID))
        except ActionError as error:
            return invalid(str(error))
        doubts = tuple(each.text for each in problems)
        return Errand(pbx, action, facts, effect, verdict.rule, doubts)


def invalid(message: str) -> Outcome:
    """Return the outcome of a request that could never be carried out."""
    return Outcome(status=Status.INVALID, executed=Executed.NO, message=message)


def refused(rule: str, why: str) -> Outcome:
    """Return the outcome of a request that a rule forbids."""
    return Outcome(status=Status.REFUSED, executed=Executed.NO, message=why, rule=rule)
