"""Every check before running, as findings; `run` stops on the fatal ones, `check` shows all."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from connector.avro.schema import EventSchema, SchemaSet
from connector.errors import ConnectorError
from connector.settings.account import doubtful_filters, unheard
from connector.settings.sections import Pbx


class State(StrEnum):
    """How a check came out; `UNPROVEN` is what cannot be seen from here."""

    OK = "ok"
    UNPROVEN = "unproven"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it came out, what was seen, and what to do; a fatal one keeps `run` from starting."""

    what: str
    state: State
    seen: str
    remedy: str = ""
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.seen}" + (f"; {self.remedy}" if self.remedy else "")


class NotReady(ConnectorError):
    """Something that the road needs is missing: do what the text says of each thing, then start again."""


def refuse(findings: Iterable[Finding]) -> None:
    """Return if nothing fatal was found.

    Raises:
        NotReady: something was; each finding in a line of its own.
    """
    fatal = [str(finding) for finding in findings if finding.fatal]
    if fatal:
        raise NotReady("\n".join(fatal))


def failed(what: str, error: ConnectorError) -> list[Finding]:
    """Return a fatal finding for each line of an error's text."""
    lines = (line.removeprefix(f"{what}: ") for line in str(error).splitlines())
    return [Finding(what, State.FAILED, line, fatal=True) for line in lines]


def timezone(name: str, pbx: Pbx, published: Iterable[EventSchema]) -> list[Finding]:
    """Say whether times that a PBX writes without a zone can be read."""
    local = sorted(
        schema.event for schema in published if any(field.wire == "datetime_local" for field in schema.fields)
    )
    if pbx.timezone is not None:
        return [Finding(f"{name} timezone", State.OK, str(pbx.timezone))]
    if not local:
        return []
    remedy = f"set pbx.{name}.timezone, as in Europe/Berlin"
    return [
        Finding(
            f"{name} timezone", State.WARNING, f"not set: local times in {', '.join(local)} stay text", remedy
        )
    ]


def account(name: str, pbx: Pbx, published: Iterable[EventSchema], schemas: SchemaSet) -> list[Finding]:
    """Say which published events a login's classes and filters keep away."""
    what = f"{name} login classes"
    findings = [
        Finding(f"{name} filters", State.WARNING, line, "Asterisk takes any name, and then sends nothing")
        for line in doubtful_filters(f"pbx.{name}", pbx, schemas)
    ]
    lacking = unheard(pbx, published)
    if lacking:
        classes = sorted({each for names in lacking.values() for each in names})
        seen = f"published, but never sent to this login: {', '.join(lacking)}"
        remedy = f"add to pbx.{name}.event_classes: {', '.join(classes)}; or take them from events.select"
        findings.append(Finding(what, State.WARNING, seen, remedy))
    return findings or [Finding(what, State.OK, ", ".join(pbx.event_classes))]
