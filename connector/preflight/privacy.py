"""Which personal fields leave the house under the present settings, and which rule covers the others."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from connector.avro.schema import EventSchema, Field
from connector.preflight import Finding, State
from connector.privacy.mask import Mask
from connector.privacy.personal import KINDS, Kind, kind_of
from connector.privacy.privacy import Privacy
from connector.settings.privacy import ANSWERS, PrivacyRule, PrivacySection

_AS_IT_IS: Final = "leaves as it is"
_SUSPECTS: Final = Finding(
    "privacy: suspects",
    State.WARNING,
    "events that look forged go to the dead letters, untold: rules of privacy cannot read them",
    'events.suspect = "mark" has no effect beside privacy.rules',
)
_ON_DISK: Final = Finding(
    "privacy: journal",
    State.OK,
    "values that rules cover are on the journal's disk until Kafka has their records",
    "privacy.before_journal = true keeps them off it",
)
_IN_PART: Final = "leaves, but for some variables"
_MOST_NAMED: Final = 8


class Personal(NamedTuple):
    """A header of a published event whose values tell something of a person.

    `rule` is the one that covers it, "" where it leaves as it is; `variables` are rules that cover some of
    the channel variables in it.
    """

    event: str
    header: str
    kind: str
    why: str
    told: str
    rule: str
    variables: tuple[str, ...] = ()


def personal(published: Iterable[EventSchema], privacy: Privacy) -> list[Personal]:
    """Return the personal headers of published events, by event, in the order of the wire.

    The connector's own records are not among them: they speak of it, and of no caller.
    """
    found = []
    for schema in published:
        if not schema.topic:
            continue
        mask = privacy.of(schema)
        for field in schema.fields:
            kind = kind_of(field.header) if field.header else None
            if kind is not None:
                found.append(_row(schema, field, kind, mask))
    return [*dict.fromkeys(found)]


def _row(schema: EventSchema, field: Field, kind: Kind, mask: Mask | None) -> Personal:
    event = schema.user_event or schema.event or "(unknown events)"
    rule = mask.rule_of(field.header) if mask else None
    some = mask.variable_rules(field.header) if mask else ()
    told = str(rule.do) if rule and rule.change else _IN_PART if some else _AS_IT_IS
    return Personal(event, field.header, kind.name, kind.why, told, rule.name if rule else "", tuple(some))


def check(
    section: PrivacySection,
    privacy: Privacy,
    published: Sequence[EventSchema],
    *,
    asked: bool,
    marks: bool = False,
    disk: bool = False,
) -> list[Finding]:
    """Say of each kind of personal values what leaves the house, and of each rule whether it meets anything.

    Args:
        section: the rules as they were written.
        privacy: the rules.
        published: what events are.
        asked: whether actions may be asked for, whose answers go to Kafka too.
        disk: whether the journal is on one.
        marks: whether suspects shall go to their topics, which rules that cannot read them forbid.
    """
    rows = personal(published, privacy)
    role_of = {field.header: _role(field) for schema in published for field in schema.fields}
    kinds = [_kind(kind, [row for row in rows if row.kind == kind.name], role_of) for kind in KINDS]
    deciding = _deciding(privacy, published)
    doubtful = [rule for rule in section.rules if rule.headers and ANSWERS not in rule.events]
    idle = [_idle(rule) for rule in doubtful if rule.name not in deciding]
    others = [_answers(privacy)] if asked else []
    others += [_SUSPECTS] if marks and privacy.withholds else []
    others += [_ON_DISK] if disk and privacy and not section.before_journal else []
    return [*filter(None, kinds), *others, *idle]


def _deciding(privacy: Privacy, published: Iterable[EventSchema]) -> set[str]:
    """Return the names of rules that decide about some header of what is published."""
    masks = [(schema, mask) for schema in published if (mask := privacy.of(schema)) is not None]
    rules = (mask.rule_of(field.header) for schema, mask in masks for field in schema.fields)
    return {rule.name for rule in rules if rule is not None}


def _idle(rule: PrivacyRule) -> Finding:
    seen = (
        f"{', '.join(rule.headers)}: it decides about no header of a published event, as far as schemas know"
    )
    remedy = "mind the spelling and the rules before it; UserEvents and answers may have such a header"
    return Finding(f"privacy rule {rule.name}", State.WARNING, seen, remedy)


def _answers(privacy: Privacy) -> Finding:
    names = privacy.answers.names if privacy.answers is not None else ()
    seen = (
        f"Responses to actions go by {', '.join(map(repr, names))}"
        if names
        else "Responses to actions go by no rule"
    )
    return Finding("privacy: answers", State.OK, f"{seen}; items of lists by the rules for their events")


def _kind(kind: Kind, rows: Sequence[Personal], role_of: dict[str, str]) -> Finding | None:
    if not rows:
        return None
    plain = [row for row in rows if row.told in (_AS_IT_IS, _IN_PART)]
    seen = f"{_named(plain, role_of)} leave as they are" if plain else "nothing leaves as it is"
    rules = defaultdict(list)
    for row in rows:
        if row.told not in (_AS_IT_IS, _IN_PART):
            rules[row.rule].append(row)
        for name in row.variables:
            rules[name].append(row)
    seen += "".join(f"; {_named(met, role_of)} by {name!r}" for name, met in sorted(rules.items()))
    bad = plain and kind.secret
    remedy = f"{kind.why}: see docs/privacy.md" if plain else ""
    return Finding(f"privacy: {kind.name}", State.WARNING if bad else State.OK, seen, remedy)


def _named(rows: Sequence[Personal], role_of: dict[str, str]) -> str:
    """Name headers, each but once for all the channels of an event, and count the events."""
    headers = [*dict.fromkeys(row.header.removeprefix(role_of.get(row.header, "")) for row in rows)]
    more = f" and {len(headers) - _MOST_NAMED} more" if len(headers) > _MOST_NAMED else ""
    events = len({row.event for row in rows})
    return f"{', '.join(headers[:_MOST_NAMED])}{more} ({events} event{'s' if events > 1 else ''})"


def _role(field: Field) -> str:
    return field.block.partition(":")[2]
