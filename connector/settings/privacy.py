"""`[privacy]` and `[[privacy.rules]]`, and the rules that follow from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from connector.avro.schema import EventSchema, SchemaSet
from connector.errors import SettingsError
from connector.events.selection import named
from connector.privacy.privacy import Privacy, defaults
from connector.privacy.rules import Rule, Scope, is_needed
from connector.privacy.ways import Do, Key
from connector.settings.kinds import Bounds, Line, Name, Secret

EVERYTHING: Final = "*"
ANSWERS: Final = "@answers"
_LEAST_KEY: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRule:
    """`[[privacy.rules]]`: what becomes of some headers of some messages.

    `events` are terms as in `events.select`; `*` is every event and every answer to an action, `@answers` the
    Responses alone. `headers` are AMI names in any case, `variables` names of channel variables; `*` stands
    for anything in both. `keep` is how many characters `mask` keeps at the end and `truncate` at the front.
    """

    name: Line
    events: tuple[Line, ...] = (EVERYTHING,)
    headers: tuple[Line, ...] = ()
    variables: tuple[Line, ...] = ()
    do: Literal["drop", "mask", "hmac", "truncate", "leave"] = "mask"
    keep: Annotated[int, Bounds(0, 1000)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySection:
    """`[privacy]`: which values leave the house, and in which form.

    `defaults`: what the schemas call secret is masked, unless a rule says otherwise. `before_journal`: rules
    are applied before anything is written to a disk, not only before Kafka. `key` makes pseudonyms, `key_id`
    names it in them.
    """

    defaults: bool = True
    before_journal: bool = False
    key: Secret | None = None
    key_id: Name = "k1"
    rules: tuple[PrivacyRule, ...] = ()


def problems(section: PrivacySection) -> list[str]:
    """Return what is wrong with the rules, as far as it shows without the schemas."""
    found = [
        f"privacy.rules[{place}].{problem}"
        for place, rule in enumerate(section.rules)
        for problem in _of_rule(rule)
    ]
    key = section.key
    if key is None and any(rule.do == "hmac" for rule in section.rules):
        found.append('privacy.key: must be set for rules that do = "hmac"')
    if key is not None and len(key.reveal().encode()) < _LEAST_KEY:
        found.append(f"privacy.key: must have {_LEAST_KEY} bytes at least: a short one can be guessed")
    names = [rule.name for rule in section.rules]
    found += [f"privacy.rules: {name!r} names two" for name in sorted({*names}) if names.count(name) > 1]
    return found


def _of_rule(rule: PrivacyRule) -> Iterable[str]:
    if not rule.events:
        yield "events: must name at least one"
    if not (rule.headers or rule.variables):
        yield "headers: must name at least one, or variables must"
    if rule.do != "leave":
        for header in filter(is_needed, rule.headers):
            yield (
                f"headers: {header!r} cannot be covered: the road goes by it (what a message is, its time, "
                "whose call it is of)"
            )
    if rule.do == "truncate" and not rule.keep:
        yield 'keep: must be set for do = "truncate": how many characters stay; nothing stays with "drop"'
    if rule.do in ("drop", "hmac", "leave") and rule.keep:
        yield f"keep: means nothing for do = {rule.do!r}"


def privacy(section: PrivacySection, schemas: SchemaSet) -> Privacy:
    """Return the rules of the settings, ready for use; what holds by default comes last.

    Raises:
        SettingsError: a term names no event.
    """
    rules = [_rule(place, rule, schemas) for place, rule in enumerate(section.rules)]
    rules += defaults(schemas) if section.defaults else ()
    key = Key(section.key_id, section.key.reveal().encode()) if section.key else None
    return Privacy(rules, schemas, key)


def _rule(place: int, rule: PrivacyRule, schemas: SchemaSet) -> Rule:
    return Rule(
        name=rule.name,
        scope=_scope(f"privacy.rules[{place}].events", rule.events, schemas),
        headers=rule.headers,
        variables=rule.variables,
        do=Do(rule.do),
        keep=rule.keep,
    )


def _scope(where: str, terms: Iterable[str], schemas: SchemaSet) -> Scope:
    meant: set[EventSchema] = set()
    answers = False
    for term in terms:
        word = term.removeprefix("-")
        away = word != term
        if word in (EVERYTHING, ANSWERS):
            answers = not away
        if word != ANSWERS:
            found = {*named("@all" if word == EVERYTHING else word, schemas, where)}
            meant = meant - found if away else meant | found
    if not (meant or answers):
        raise SettingsError(f"{where}: nothing is left")
    return Scope(schemas=frozenset(meant), answers=answers)
