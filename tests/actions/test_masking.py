"""Secrets in answers are masked, everything else is told as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions.response import Executed, Lines, Outcome, Status
from connector.actions.writing.masking import MASK, Masking
from tests.actions.records import CATALOGUE, asked, decoded, serde

MASKING = Masking(CATALOGUE)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def _outcome(*response: tuple[str, str], events: tuple[Lines, ...] = ()) -> Outcome:
    return Outcome(status=Status.SUCCESS, executed=Executed.YES, response=response, events=events)


def _line(text: str) -> str:
    return MASKING.mask("GetConfig", _outcome(("Line-000000-000001", text))).response[0][1]


AUTH = (
    *(("Event", "AuthDetail"), ("Username", "u"), ("Password", "s1"), ("md5cred", "s2"), ("OauthSecret", "")),
    *(("RefreshToken", "s3"), ("PasswordDigest", "s4"), ("Password", "s5")),
)


@pytest.mark.parametrize("action", ["PJSIPShowEndpoint", "pjsipshowauths", "PJSIPShowRegistrationsOutbound"])
def test_passwords_of_pjsip_are_masked_in_items(action: str) -> None:
    (event,) = MASKING.mask(action, _outcome(events=(AUTH,))).events
    assert event == (
        *(("Event", "AuthDetail"), ("Username", "u"), ("Password", MASK), ("md5cred", MASK)),
        *(("OauthSecret", ""), ("RefreshToken", MASK), ("PasswordDigest", MASK), ("Password", MASK)),
    )


def test_an_answer_without_secrets_stays_as_it_is() -> None:
    outcome = _outcome(("Password", "not one"), events=(AUTH,))
    assert MASKING.mask("Ping", outcome) is outcome
    assert MASKING.mask("Unheard", outcome) is outcome


@pytest.mark.parametrize("reveal", ["PJSIPShowAuths", "pjsipshowauths", "*"])
def test_secrets_are_told_where_the_settings_say_so(reveal: str) -> None:
    outcome = _outcome(events=(AUTH,))
    assert Masking(CATALOGUE, [reveal]).mask("PJSIPShowAuths", outcome) == outcome
    assert (Masking(CATALOGUE, [reveal]).mask("PJSIPShowEndpoint", outcome) == outcome) == (reveal == "*")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("secret=hunter2", "secret=***"),
        ("vmsecret=4242", "vmsecret=***"),
        ("password=a=b", "password=***"),
        ("AdminPin=1234", "AdminPin=***"),
        ("pin=1234", "pin=***"),
        ("dbpass=x", "dbpass=***"),
        ("md5_cred=x", "md5_cred=***"),
        ("refresh_token=x", "refresh_token=***"),
        ("secret=", "secret="),
        ("register=user:hunter2@host:5060/100", "register=user:***@host:5060/100"),
        ("auth=user:hunter2@realm", "auth=user:***@realm"),
        ("100=4242,John Doe,j@x", "100=***,John Doe,j@x"),
        ("100=4242", "100=***"),
        ("100=-4242,J", "100=***,J"),
        ("john=4242,John Doe,j@x", "john=***,John Doe,j@x"),
        ("conf=600,1234,5678", "conf=600,***"),
        ("conf=600", "conf=600"),
        ("agent=1001,4321,Mark", "agent=1001,***"),
        ("host=dynamic", "host=dynamic"),
        ("permit=10.0.0.0/8", "permit=10.0.0.0/8"),
        ("exten=100,1,Dial(PJSIP/100)", "exten=100,1,Dial(PJSIP/100)"),
        ("allow=ulaw,alaw", "allow=ulaw,alaw"),
        ("no equals sign", "no equals sign"),
    ],
)
def test_secrets_of_configuration_files_are_masked(line: str, expected: str) -> None:
    assert _line(line) == expected


def test_a_category_is_no_line() -> None:
    outcome = _outcome(("Category-000000", "secret=x"), ("Message", "secret=x"))
    assert MASKING.mask("GetConfig", outcome) == outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": {"secret": "hunter2", "host": "x"}}', '{"a": {"secret": "***", "host": "x"}}'),
        ('{"a":{"secret" : "hun\\"ter2","100":"42,J"}', '{"a":{"secret" : "***","100":"***,J"}'),
        ('{"a":{"secret":""}}', '{"a":{"secret":""}}'),
        ("not JSON", "not JSON"),
    ],
)
def test_secrets_of_configuration_files_are_masked_in_json(text: str, expected: str) -> None:
    assert MASKING.mask("GetConfigJSON", _outcome(("JSON", text), ("Message", '"pin":"1"'))).response == (
        *(("JSON", expected), ("Message", '"pin":"1"')),
    )


@given(st.dictionaries(TEXT, st.dictionaries(TEXT | st.just("secret"), TEXT)))
def test_masked_json_is_json_with_the_same_names(config: dict[str, dict[str, str]]) -> None:
    ((_, masked),) = MASKING.mask("GetConfigJSON", _outcome(("JSON", json.dumps(config)))).response
    found = json.loads(masked)
    assert {name: list(section) for name, section in found.items()} == {
        name: list(section) for name, section in config.items()
    }
    assert all(section.get("secret", "") in {"", MASK} for section in found.values())


@given(st.sampled_from([facts.name for facts in CATALOGUE]), st.lists(st.tuples(TEXT, TEXT)))
def test_masking_twice_changes_nothing(action: str, lines: list[tuple[str, str]]) -> None:
    once = MASKING.mask(action, _outcome(*lines, ("Line-1", "100=4242,J"), ("Password", "x")))
    assert MASKING.mask(action, once) == once


def test_no_response_holds_a_secret() -> None:
    (record,) = serde().responses(asked(action="PJSIPShowAuths"), _outcome(events=(AUTH,)), 0)
    assert {"name": "Password", "value": MASK} in decoded(record)["events"][0]["headers"]
