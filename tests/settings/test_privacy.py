"""The table of privacy: what it says, what follows from it, and what is refused."""

import pytest

from connector.edges.schemas import load_schemas
from connector.errors import SettingsError
from connector.privacy.privacy import DEFAULTS, Privacy
from connector.settings.load import load
from connector.settings.privacy import PrivacySection, privacy
from connector.settings.sections import Settings
from tests.settings.test_load import LEAST, no_file, problems

SCHEMAS = load_schemas()
KEY = "0123456789abcdef"


def settings(text: str, environ: dict[str, str] | None = None) -> Settings:
    return load(f"{LEAST}\n{text}", environ or {}, no_file)


def ready(text: str) -> Privacy:
    return privacy(settings(text).privacy, SCHEMAS)


def test_without_its_table_secrets_are_masked_and_nothing_else() -> None:
    assert settings("").privacy == PrivacySection()
    found = ready("")
    masked = {schema.event for schema in SCHEMAS if found.of(schema)}
    assert {"DTMFBegin", "DTMFEnd", "VoicemailPasswordChange", "ChallengeResponseFailed"} <= masked
    assert "Newchannel" not in masked
    mask = found.of_event("DTMFEnd")
    assert mask is not None
    rule = mask.rule_of("Digit")
    assert rule is not None
    assert rule.name == DEFAULTS
    assert not ready("[privacy]\ndefaults = false")


def test_rules_come_in_the_order_of_the_file_before_the_defaults() -> None:
    found = ready(
        '[[privacy.rules]]\nname = "a"\nheaders = "Digit"\ndo = "leave"\n[[privacy.rules]]\nname = "b"\nheaders = "Digit"'
    )
    mask = found.of_event("DTMFEnd")
    assert mask is not None
    rule = mask.rule_of("Digit")
    assert rule is not None
    assert (rule.name, rule.change) == ("a", None)


def test_a_key_comes_as_other_secrets_and_is_never_shown() -> None:
    text = '[privacy]\nkey = "${env:K}"\n[[privacy.rules]]\nname = "a"\nheaders = "X"\ndo = "hmac"'
    found = settings(text, {"K": KEY})
    assert KEY not in repr(found)
    again = settings(
        text.replace("${env:K}", "x"), {"AMI_KAFKA__PRIVACY__KEY": KEY, "AMI_KAFKA__PRIVACY__KEY_ID": "k2"}
    )
    assert again.privacy.key == found.privacy.key
    assert again.privacy.key_id == "k2"


@pytest.mark.parametrize(
    ("terms", "events", "answers"),
    [
        ('["*"]', {"Newchannel", "Cdr", ""}, True),
        ('["*", "-Cdr"]', {"Newchannel", ""}, True),
        ('["*", "-@answers"]', {"Newchannel", "Cdr", ""}, False),
        ('["@all"]', {"Newchannel", "Cdr", ""}, False),
        ('["@answers"]', set(), True),
        ('["@unknown"]', {""}, False),
        ('["@cdr"]', {"Cdr"}, False),
        ('["Cdr", "Newchannel"]', {"Newchannel", "Cdr"}, False),
    ],
)
def test_terms_are_those_of_the_selection(terms: str, events: set[str], answers: bool) -> None:
    found = ready(
        f'[privacy]\ndefaults = false\n[[privacy.rules]]\nname = "a"\nheaders = "X"\nevents = {terms}'
    )
    probes = [SCHEMAS.lookup("Newchannel"), SCHEMAS.lookup("Cdr"), SCHEMAS.unknown]
    assert {schema.event for schema in probes if found.of(schema)} == events
    assert (found.answers is not None) == answers
    assert found.of(SCHEMAS.connector) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'headers = "Uniqueid"',
            "privacy.rules[0].headers: 'Uniqueid' cannot be covered: the road goes by it",
        ),
        ('headers = ["X", "destlinkedid"]', "'destlinkedid' cannot be covered"),
        ('headers = "ActionID"', "'ActionID' cannot be covered"),
        ('headers = "Event"', "'Event' cannot be covered"),
        ("", "privacy.rules[0].headers: must name at least one, or variables must"),
        ('headers = "X"\nevents = []', "privacy.rules[0].events: must name at least one"),
        ('headers = "X"\ndo = "hmac"', 'privacy.key: must be set for rules that do = "hmac"'),
        ('headers = "X"\ndo = "truncate"', "privacy.rules[0].keep: must be set"),
        ('headers = "X"\ndo = "drop"\nkeep = 2', "privacy.rules[0].keep: means nothing for do = 'drop'"),
        (
            'headers = "X"\ndo = "hide"',
            "privacy.rules[0].do: must be one of drop, mask, hmac, truncate, leave",
        ),
        ('headers = "X"\nkeep = -1', "privacy.rules[0].keep: must be 0 to 1,000"),
        ('header = "X"', "privacy.rules[0].header: no such setting; did you mean 'headers'?"),
        ('headers = "X"\n[[privacy.rules]]\nname = "a"\nheaders = "Y"', "privacy.rules: 'a' names two"),
    ],
)
def test_what_is_wrong_is_said_by_its_key(text: str, problem: str) -> None:
    told = problems(f'{LEAST}\n[[privacy.rules]]\nname = "a"\n{text}')
    assert problem in told


def test_a_short_key_is_refused_and_not_shown() -> None:
    told = problems(f'{LEAST}\n[privacy]\nkey = "hush-hush"')
    assert told == "privacy.key: must have 16 bytes at least: a short one can be guessed"


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ('["Newchanel"]', "privacy.rules[0].events: 'Newchanel' names no event or family"),
        ('["Cdr", "-Cdr"]', "privacy.rules[0].events: nothing is left"),
    ],
)
def test_terms_that_mean_nothing_are_refused(terms: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ready(f'[[privacy.rules]]\nname = "a"\nheaders = "X"\nevents = {terms}')
    assert str(refused.value).startswith(problem)


def test_what_the_road_goes_by_may_be_named_to_be_left() -> None:
    found = settings('[[privacy.rules]]\nname = "a"\nheaders = "Uniqueid"\ndo = "leave"')
    assert found.privacy.rules[0].headers == ("Uniqueid",)
