"""The checks put together: what the settings lead to, asked of every peer."""

import asyncio

from connector.ami.catalogue import ActionCatalogue
from connector.ami.steps import Welcome
from connector.app.opening import open_pbx
from connector.app.parts import inspect_ends, open_admin, read_schemas
from connector.edges.pbx import AsteriskPbx
from connector.edges.schemas import load_action_catalogue
from connector.edges.telemetry import Telemetry
from connector.errors import ConnectorError
from connector.events.selection import Selection
from connector.preflight import (
    Finding,
    State,
    account,
    actions,
    canary,
    failed,
    granted,
    http,
    journal,
    pbx,
    privacy,
    requests,
    timezone,
    tracing,
)
from connector.preflight.exposure import exposed
from connector.preflight.granted import Needs
from connector.preflight.privacy import Personal
from connector.settings import road_back
from connector.settings.account import action_rights, own_rights, with_own_questions
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
    findings += exposed(settings)
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
    findings += http.check(settings.http) + tracing.check(settings.tracing)
    for name, each in settings.pbx.items():
        findings += timezone(name, each, selection.schemas)
        findings += account(name, each, selection.schemas, schemas)
    systems: dict[str, str] = {}

    def meet(name: str, welcome: Welcome) -> None:
        if welcome.asterisk_version is not None:
            systems[name] = welcome.system_name or ""

    catalogue = load_action_catalogue()
    needs = {name: _needs(settings, name, selection, catalogue) for name in targets}
    checks = [pbx.check(target, settings.pbx[name], needs[name], meet) for name, target in targets.items()]
    checks += [
        canary.check(_for_actions(settings, name)) for name, each in settings.pbx.items() if each.canary_s
    ]
    if settings.actions:
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
    return findings + granted.system_names(systems)


def _needs(settings: Settings, name: str, selection: Selection, catalogue: ActionCatalogue) -> Needs:
    """Return what the account for events must be able to do; where it runs actions too, these as well."""
    each = settings.pbx[name]
    lists = () if each.snapshot == "off" else tuple(one.action for one in selection.lists)
    needed = [own_rights(each, lists, catalogue)]
    if road_back.account(settings, name).username == each.username:
        possible = settings.actions.judge(catalogue).possible(name) if settings.actions else ()
        needed.append(action_rights(with_own_questions(possible, each), catalogue))
    classes = {one for rights in needed for one in (*rights.classes, *rights.beyond)}
    events = frozenset(schema.event for schema in selection.schemas)
    return Needs(name, lists, frozenset(classes), events, catalogue)


def personal(settings: Settings) -> list[Personal]:
    """Return the personal headers of what is published, and what becomes of each."""
    schemas, selection = read_schemas(settings)
    return privacy.personal(selection.schemas, ready(settings.privacy, schemas))


def _for_actions(settings: Settings, name: str) -> AsteriskPbx:
    return open_pbx(name, road_back.for_actions(settings, name), settings.events.max_frame_bytes)
