"""The road with JSON lines at its end: no Kafka, no registry."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from connector.app.local import LocalIds, NoTopics
from connector.app.vertical import Shared
from connector.edges.jsonlines import JsonLines
from connector.edges.schemas import load_schemas
from connector.edges.telemetry import Telemetry
from connector.events.selection import Selection
from connector.roads.delivery import Ends
from connector.settings.privacy import privacy
from connector.settings.sections import Settings


def lines_end(settings: Settings, write: Callable[[str], object], telemetry: Telemetry) -> Shared:
    """Return what a road needs whose records are written as JSON lines."""
    users = settings.events.user_schemas
    schemas = load_schemas(Path(users) if users else None)
    rules = replace(settings.rules, value="json")
    sink, ids = JsonLines(write, rules.routing.dead_letter_topic), LocalIds()
    return Shared(
        schemas=schemas,
        privacy=privacy(settings.privacy, schemas),
        before_journal=settings.privacy.before_journal,
        selection=Selection(schemas, settings.events.select),
        rules=rules,
        ends=Ends(sink, ids, {}, NoTopics()),
        registry=ids,
        telemetry=telemetry,
    )
