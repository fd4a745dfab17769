"""The checks put together: what the settings lead to, asked of every peer."""

import asyncio

from connector.app.opening import open_pbx
from connector.app.parts import inspect_ends, open_admin, read_schemas
from connector.edges.pbx import AsteriskPbx
from connector.edges.schemas import load_action_catalogue
from connector.edges.telemetry import Telemetry
from connector.errors import ConnectorError
from connector.preflight import (
    Finding,
    State,
    account,
    actions,
    canary,
    failed,
    http,
    journal,
    pbx,
    privacy,
    requests,
    timezone,
)
from connector.preflight.privacy import Personal
from connector.settings import road_back
from connector.settings.privacy import privacy as ready
from connector.settings.sections import Settings


async def inspect(settings: Settings, telemetry: Telemetry) -> list[Finding]:
    """Check everything: settings, schemas, every PBX, Kafka, the registry."""
    told = f"PBX {', '.join(settings.pbx)}; values in {settings.value_format}"
    findings = [Finding("settings", State.OK, told)]
    try:
        schemas, selection = read_schemas(settings)
        admin = open_admin(settings, telemetry)
        targets = {
            name: open_pbx(name, each, settings.events.max_frame_bytes) for name, each in settings.pbx.items()
        }
    except ConnectorError as error:
        return findings + failed("settings", error)
    published = sum(schema in selection for schema in schemas)
    seen = f"{len(list(schemas))} events, of which {published} are published"
    findings.append(Finding("schemas", State.OK, seen))
    findings += journal.check(settings.journal, len(settings.pbx))
    rules = ready(settings.privacy, schemas)
    findings += privacy.check(
        settings.privacy,
        rules,
        selection.schemas,
        asked=settings.actions is not None,
        marks=settings.events.suspect == "mark",
        disk=settings.journal.path is not None,
    )
    findings += http.check(settings.http)
    for name, each in settings.pbx.items():
        findings += timezone(name, each, selection.schemas)
        findings += account(name, each, selection.schemas, schemas)
    checks = [pbx.check(target, settings.pbx[name]) for name, target in targets.items()]
    checks += [
        canary.check(_for_actions(settings, name)) for name, each in settings.pbx.items() if each.canary_s
    ]
    if settings.actions:
        catalogue = load_action_catalogue()
        policy = settings.actions.judge(catalogue)
        findings += requests.rules(settings, catalogue) + requests.reach(policy, settings, catalogue)
        checks += [
            actions.check(
                _for_actions(settings, name),
                policy.possible(name),
                catalogue,
            )
            for name in settings.pbx
        ]
    for found in await asyncio.gather(*checks, inspect_ends(settings, selection.schemas, admin)):
        findings += found
    return findings


def personal(settings: Settings) -> list[Personal]:
    """Return the personal headers of what is published, and what becomes of each."""
    schemas, selection = read_schemas(settings)
    return privacy.personal(selection.schemas, ready(settings.privacy, schemas))


def _for_actions(settings: Settings, name: str) -> AsteriskPbx:
    return open_pbx(name, road_back.for_actions(settings, name), settings.events.max_frame_bytes)
