"""What a request comes to before anything is done: a job at a PBX, or an outcome at once.

Nothing here depends on the clock, on other requests, or on the PBX's state.
"""

from collections.abc import Callable, Collection
from typing import Final, Literal, NamedTuple

from connector.actions.policy.policy import Policy
from connector.actions.request import Request
from connector.actions.response import Executed, Outcome, Status
from connector.ami.action import MAX_ACTION_ID, AmiAction, encode
from connector.ami.catalogue import ActionCatalogue, ActionFacts, ProblemKind
from connector.errors import ActionError
from connector.privacy.privacy import Privacy

_SOME_ID: Final = "x" * MAX_ACTION_ID


class Job(NamedTuple):
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


class Rules(NamedTuple):
    """By what a request is judged.

    Args:
        served: the PBXs that this group serves.
        only: the PBX of requests that name none; None where they must name one.
        catalogue: what is known of actions.
        policy: what may be asked for.
        prepare: a request to the action for the wire; raises ActionError where it must not go there.
        unknown: what becomes of a parameter that the catalogue does not know: the request is invalid,
            or it goes on with a warning, or without.
        privacy: what may be told of answers.
    """

    served: Collection[str]
    only: str | None
    catalogue: ActionCatalogue
    policy: Policy
    prepare: Callable[[Request], AmiAction]
    privacy: Privacy
    unknown: Literal["warn", "refuse", "ignore"] = "warn"

    def pbx(self, request: Request) -> str | None:
        """Return the PBX that a request is for, "" where it should have named one; None: not one of ours."""
        if not request.pbx:
            return self.only or ""
        return request.pbx if request.pbx in self.served else None

    def has_effect(self, request: Request) -> bool:
        """Say whether what is asked must not be done twice."""
        return self.catalogue.has_effect(AmiAction(request.action, request.headers))

    def may_have_effect(self, action: str) -> bool:
        """Say whether an action may have had an effect, whatever was asked of it."""
        facts = self.catalogue.get(action)
        return facts is None or facts.effect or bool(facts.functions)

    def call_id(self, request: Request) -> str | None:
        """Return the Uniqueid of the channel that an Originate makes; None where it makes none that is known."""
        if request.action.lower() != "originate":
            return None
        try:
            return self.prepare(request).get("ChannelId") or None
        except ActionError:
            return None

    def judge(self, request: Request, pbx: str) -> Job | Outcome:
        """Say what a request comes to."""
        if request.flaw:
            return invalid(request.flaw)
        if not pbx:
            return invalid("pbx is required: name the PBX that is to do it")
        asked = AmiAction(request.action, request.headers)
        verdict = self.policy.judge(pbx, request.record.place.topic, asked, request.variables)
        if not verdict.allowed:
            return refused(verdict.rule, verdict.why)
        facts = self.catalogue.get(request.action)
        return self._errand(request, Job(pbx, asked, facts, self.has_effect(request), verdict.rule))

    def _errand(self, request: Request, job: Job) -> Job | Outcome:
        """Make what is allowed ready, unless it could never be carried out."""
        if job.effect and request.record.key is None:
            return invalid(
                f"{request.action} has effects, so its record needs a key: repeats are known by it"
            )
        problems = self.catalogue.problems(job.action)
        strict = self.unknown == "refuse"
        wrong = [each.text for each in problems if strict or each.kind is ProblemKind.MISSING]
        if wrong:
            return invalid("; ".join(wrong))
        try:
            action = self.prepare(request)
            encode(action._replace(action_id=_SOME_ID))
        except ActionError as error:
            return invalid(str(error))
        doubts = () if self.unknown == "ignore" else tuple(each.text for each in problems)
        return job._replace(action=action, doubts=doubts)


def invalid(message: str) -> Outcome:
    """Return the outcome of a request that could never be carried out."""
    return Outcome(status=Status.INVALID, executed=Executed.NO, message=message)


def refused(rule: str, why: str) -> Outcome:
    """Return the outcome of a request that a rule forbids."""
    return Outcome(status=Status.REFUSED, executed=Executed.NO, message=why, rule=rule)
