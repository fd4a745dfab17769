"""What is masked unless it is asked for."""

import json

import pytest

from connector.avro.normalise import Normaliser
from connector.avro.schema import SchemaSet, load
from connector.privacy.ways import Do
from connector.settings.privacy import PrivacySection, privacy
from tests.events.frames import NORMALISER, SCHEMAS, event
from tests.privacy.given import rules

SECRETS = [
    ("DTMFBegin", "Digit"),
    ("DTMFEnd", "Digit"),
    ("VoicemailPasswordChange", "NewPassword"),
    ("ChallengeSent", "Challenge"),
    ("ChallengeResponseFailed", "Challenge"),
    ("ChallengeResponseFailed", "Response"),
    ("ChallengeResponseFailed", "ExpectedResponse"),
    ("InvalidPassword", "Challenge"),
    ("InvalidPassword", "ReceivedChallenge"),
    ("InvalidPassword", "ReceivedHash"),
    ("AuthDetail", "Password"),
]


@pytest.mark.parametrize(("name", "header"), SECRETS)
def test_secrets_in_events_are_masked(name: str, header: str) -> None:
    reading = NORMALISER.read(event(name, f"{header}: 5", "Other: 5"))
    mask = rules(defaults=True).of(reading.shape.schema)
    assert mask is not None
    assert mask.frame(reading) == event(name, f"{header}: ***", "Other: 5")
    assert rules(defaults=False).of(reading.shape.schema) is None


def test_a_rule_of_ones_own_comes_before() -> None:
    reading = NORMALISER.read(event("DTMFEnd", "Digit: 5"))
    for do, value in ((Do.LEAVE, "Digit: 5"), (Do.TRUNCATE, "Digit: 5")):
        own = {
            "headers": ["Digit"],
            "events": ["DTMFEnd"],
            "do": do.value,
            "keep": 1 if do is Do.TRUNCATE else 0,
        }
        mask = rules(own, defaults=True).of(reading.shape.schema)
        assert mask is not None
        assert mask.frame(reading) == event("DTMFEnd", value)


def test_by_default_no_frame_is_withheld() -> None:
    assert not rules(defaults=True).withholds
    assert not rules({"headers": ["Digit"], "do": "leave"}, defaults=True).withholds
    assert rules({"headers": ["CallerIDNum"]}).withholds


def test_a_header_that_a_schema_of_ones_own_calls_secret_is_masked() -> None:
    raw = json.loads(SCHEMAS.lookup("UserEvent").text)
    raw["name"], raw["ami"]["user_event"] = "Paid", "Paid"
    card = {
        "name": "card",
        "type": ["null", "string"],
        "default": None,
        "ami": "Card",
        "wire": "string",
        "secret": True,
    }
    raw["fields"].insert(-1, card)
    schemas = SchemaSet([*SCHEMAS, load(json.dumps(raw), "paid.avsc")], SCHEMAS.unknown, SCHEMAS.connector)
    reading = Normaliser(schemas).read(event("UserEvent", "UserEvent: Paid", "Card: 4111", "Sum: 3"))
    mask = privacy(PrivacySection(), schemas).of(reading.shape.schema)
    assert mask is not None
    assert mask.frame(reading) == event("UserEvent", "UserEvent: Paid", "Card: ***", "Sum: 3")
