"""Rules and what they make of frames, for the tests of this folder."""

from typing import Any

from connector.events.discretion import Discretion
from connector.events.entry import Entry
from connector.events.intake import Intake
from connector.events.records.outcome import NeedsSchema, Publish, Quarantine
from connector.events.records.routing import Routing
from connector.events.records.translate import Rules, Translator
from connector.events.selection import Selection
from connector.privacy.privacy import Privacy
from connector.settings.kinds import Secret
from connector.settings.privacy import PrivacyRule, PrivacySection, privacy
from tests.events.frames import NORMALISER, SCHEMAS, SOURCE

KEY = "0123456789abcdef0123"


def section(*rules: dict[str, Any], **settings: Any) -> PrivacySection:
    named = [{"name": f"rule {place}", **rule} for place, rule in enumerate(rules)]
    settings.setdefault("defaults", False)
    settings.setdefault("key", Secret(KEY))
    return PrivacySection(rules=tuple(PrivacyRule(**rule) for rule in named), **settings)


def rules(*rules: dict[str, Any], **settings: Any) -> Privacy:
    return privacy(section(*rules, **settings), SCHEMAS)


def told(frame: bytes, *given: dict[str, Any], **settings: Any) -> bytes:
    """Return what the rules make of an event's frame."""
    reading = NORMALISER.read(frame)
    mask = rules(*given, **settings).of(reading.shape.schema)
    return reading.frame if mask is None else mask.frame(reading)


class Road:
    """An intake and a translator that go by rules."""

    def __init__(self, privacy: Privacy, *, before_journal: bool = False, **options: Any) -> None:
        self.discretion = Discretion(privacy, NORMALISER, before_journal=before_journal)
        options.setdefault("value", "json")
        selection = Selection(SCHEMAS, ("@all",), snapshots=True)
        self.intake = Intake(SOURCE, NORMALISER, selection, lambda _: None, discretion=self.discretion)
        made = Rules(routing=options.pop("routing", Routing()), **options)
        self.translator = Translator({SOURCE.pbx: NORMALISER}, made, {}, self.discretion)

    def outcome(self, entry: Entry) -> Publish | Quarantine:
        outcome = self.translator.translate(entry._replace(reading=None))
        assert not isinstance(outcome, NeedsSchema)
        return outcome


def everything(outcome: Publish | Quarantine) -> bytes:
    """Return all bytes that Kafka gets of an outcome."""
    record = outcome.publish if isinstance(outcome, Quarantine) else outcome
    headers = b"\n".join(name.encode() + b"=" + value for name, value in record.headers)
    return b"\n".join([record.topic.encode(), record.key or b"", record.value, headers])
