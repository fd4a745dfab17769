"""May this action run: default-deny, by PBX, action, arguments and the topic of the request."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from connector.actions.policy.profiles import ACTIONS, NEEDS, NEVER, ProfileName
from connector.actions.policy.rules import (
    ANYTHING,
    NOTHING,
    Asked,
    Bounds,
    Limits,
    Rule,
    arguments,
    beyond,
    denied,
    globs,
    limits,
    touched,
    values,
)
from connector.actions.policy.uses import Kind, uses
from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue


class Verdict(NamedTuple):
    """Whether an action may run; `rule` says what decided it, as in `profile read-only` or `rule dialer`."""

    allowed: bool
    rule: str
    why: str = ""


_NEVER: Final = "session"
_HINTS: Final = 2
_DEFAULTS: Final[dict[ProfileName, Limits]] = {
    "read-only": {**NOTHING, Kind.READ: None},
    "call-control": {**NOTHING, Kind.READ: None},
    # What a function does no list of actions bounds: it reads files and fetches URLs.
    "full": {**ANYTHING, Kind.FUNCTION: ()},
}


class Policy:
    """Decides by the first rule that applies, else by the profile.

    Args:
        catalogue: what is known of actions; an unknown one passes where a rule spells its name, or
            with the profile `full`.
        profile: what holds where no rule applies.
        bounds: what the profile may touch, and rules that do not say.
        rules: in order.
    """

    def __init__(
        self,
        catalogue: ActionCatalogue,
        profile: ProfileName = "read-only",
        bounds: Bounds | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        self._catalogue = catalogue
        allowed = limits(bounds or Bounds(), _DEFAULTS[profile])
        full = profile == "full"
        own = Rule(name=profile, actions=ACTIONS[profile])
        self._profile = _Allow(f"profile {profile}", own, allowed, strangers=full)
        self._rules: list[_Allow | _Deny] = [
            _Deny(rule) if rule.effect == "deny" else _Allow(f"rule {rule.name}", rule, limits(rule, allowed))
            for rule in rules
        ]

    def judge(
        self, pbx: str, topic: str, action: AmiAction, variables: Sequence[tuple[str, str]] = ()
    ) -> Verdict:
        """Say whether a request may run, and by which rule.

        Args:
            pbx: the PBX it is for, by its name in the settings.
            topic: the topic the request came from.
            action: its name and headers, as they would go on the wire.
            variables: channel variables that are still to be added, each by name and unescaped value.
        """
        facts = self._catalogue.get(action.name)
        if action.name.lower() in NEVER or (facts and facts.forbidden):
            return Verdict(
                allowed=False, rule=_NEVER, why=f"{action.name} acts on the connector's own session"
            )
        headers: dict[str, list[str]] = {}
        for name, value in (*action.headers, *(("Variable", f"{n}={v}") for n, v in variables)):
            headers.setdefault(name.lower(), []).append(value)
        asked = Asked(pbx, topic, action.name, headers, uses(action, variables, facts), facts is not None)
        return self._decided(asked)

    def _decided(self, asked: Asked) -> Verdict:
        hints = []
        for rule in self._rules:
            if not rule.concerns(asked.pbx, asked.name) or not rule.heard(asked.topic):
                continue
            why = rule.objection(asked)
            if not why:
                return Verdict(rule.allows, rule.label, "" if rule.allows else "it is denied by name")
            if rule.allows:
                hints.append(f"{rule.label}: {why}")
        why = self._profile_objection(asked)
        return Verdict(not why, self._profile.label, "; ".join([why, *hints[:_HINTS]]) if why else "")

    def _profile_objection(self, asked: Asked) -> str:
        if not self._profile.concerns(asked.pbx, asked.name):
            unknown = "" if asked.known else " and unknown to the catalogue: a rule must spell its name"
            return f"{asked.name} is not among its actions{unknown}"
        return self._profile.objection(asked)

    def possible(self, pbx: str) -> list[str]:
        """Return the actions that some request for a PBX may run, by name."""
        spelled = (name for rule in self._rules if rule.allows for name in rule.spelled)
        known = (facts.name for facts in self._catalogue if not facts.forbidden)
        names = {name.lower(): name for name in (*spelled, *known) if name.lower() not in NEVER}
        return sorted(name for name in names.values() if self._may(pbx, name))

    def _may(self, pbx: str, name: str) -> bool:
        known = self._catalogue.get(name) is not None
        for rule in self._rules:
            if rule.concerns(pbx, name) and rule.decides(name, known=known):
                return rule.allows
        return self._profile.concerns(pbx, name) and self._profile.decides(name, known=known)


class _Allow:
    allows: Final = True

    def __init__(self, label: str, rule: Rule, allowed: Limits, *, strangers: bool = False) -> None:
        self.label = label
        self.spelled = [name for name in rule.actions if not set(name) & set("*?[")]
        self._scope = _Scope(rule)
        self._names = {name.lower() for name in self.spelled}
        self._arguments = arguments(rule)
        self._allowed = allowed
        self._strangers = strangers

    def concerns(self, pbx: str, name: str) -> bool:
        return self._scope.concerns(pbx, name)

    def heard(self, topic: str) -> bool:
        return self._scope.heard(topic)

    def decides(self, name: str, *, known: bool) -> bool:
        """Say whether some request under this name can pass."""
        need = NEEDS.get(name.lower())
        return self._takes(name, known=known) and (need is None or self._allowed[need] != ())

    def _takes(self, name: str, *, known: bool) -> bool:
        return known or self._strangers or name.lower() in self._names

    def objection(self, asked: Asked) -> str:
        """Return why it does not apply; empty where it does."""
        if not self._takes(asked.name, known=asked.known):
            return f"{asked.name} is unknown to the catalogue, and its name is not spelled out"
        for name, pattern in self._arguments.items():
            if not all(map(pattern.fullmatch, values(asked, name))):
                return f"{name} is not as its arguments say"
        return beyond(asked, self._allowed, self._arguments)


class _Deny:
    allows: Final = False
    spelled: Final[Iterable[str]] = ()

    def __init__(self, rule: Rule) -> None:
        self.label = f"rule {rule.name}"
        self._scope = _Scope(rule)
        self._arguments = arguments(rule)
        self._named = denied(rule)
        self._always = not self._arguments and not self._named and "*" in rule.topics

    def concerns(self, pbx: str, name: str) -> bool:
        return self._scope.concerns(pbx, name)

    def heard(self, topic: str) -> bool:
        return self._scope.heard(topic)

    def decides(self, name: str, *, known: bool) -> bool:  # noqa: ARG002 (as of a rule that allows)
        """Say whether it denies whatever comes under this name."""
        return self._always

    def objection(self, asked: Asked) -> str:
        """Return why it does not apply; empty where it does."""
        met = all(
            any(map(pattern.fullmatch, values(asked, name))) for name, pattern in self._arguments.items()
        )
        return "" if met and touched(asked, self._named) else "something else is denied"


class _Scope:
    def __init__(self, rule: Rule) -> None:
        self._pbx = globs(rule.pbx)
        self._actions = globs(rule.actions, anycase=True)
        self._topics = globs(rule.topics)

    def concerns(self, pbx: str, name: str) -> bool:
        return bool(self._pbx.fullmatch(pbx) and self._actions.fullmatch(name))

    def heard(self, topic: str) -> bool:
        return bool(self._topics.fullmatch(topic))
