"""What the connector's surroundings need, printed from the settings: `ami-kafka manager-conf`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import complete, output
from connector.cli.options import NO_KAFKA, Config, load_settings
from connector.errors import SettingsError

if TYPE_CHECKING:
    from connector.events.selection import Selection
    from connector.settings.sections import Settings


def manager_conf(
    pbx: Annotated[
        str,
        typer.Argument(
            help="A PBX of the settings. [default: all]",
            show_default=False,
            autocompletion=complete.pbx_names,
        ),
    ] = "",
    *,
    old: Annotated[
        bool, typer.Option("--old", help="For Asterisk before 18.26, 20.11, 21.6 and 22.1: other filters.")
    ] = False,
    config: Config = None,
) -> None:
    """Print the accounts' sections for manager.conf: the least rights, and eventfilter lines where they help."""
    from connector.app.parts import read_schemas

    settings = load_settings(config, NO_KAFKA)
    if pbx and pbx not in settings.pbx:
        near = difflib.get_close_matches(pbx, settings.pbx, n=1) or sorted(settings.pbx)
        raise SettingsError(f"pbx.{pbx}: no such PBX in the settings; did you mean {', '.join(near)}?")
    _, selection = read_schemas(settings)
    for name in [pbx] if pbx else settings.pbx:
        output.line(f"; {name}: for manager.conf, where FreePBX is for manager_custom.conf")
        for section in _sections(settings, name, selection, advanced=not old):
            output.line(section)


def _sections(settings: "Settings", name: str, selection: "Selection", *, advanced: bool) -> "Iterator[str]":
    from connector.edges.schemas import load_action_catalogue
    from connector.settings import account, manager_conf, road_back

    pbx, schemas, catalogue = settings.pbx[name], selection.schemas, load_action_catalogue()
    own = account.own_rights(pbx, [each.action for each in selection.lists], catalogue)
    yield manager_conf.general_conf(pbx)
    if settings.actions is None and not pbx.canary_s:
        yield manager_conf.manager_conf(pbx, schemas, own, advanced=advanced)
        return
    possible = settings.actions.judge(catalogue).possible(name) if settings.actions else ()
    rights = account.action_rights(account.with_own_questions(possible, pbx), catalogue)
    username = road_back.account(settings, name).username
    shared = username == pbx.username
    actions = rights if shared else None
    yield manager_conf.manager_conf(pbx, schemas, own, advanced=advanced, actions=actions)
    if not shared:
        yield manager_conf.action_conf(username, rights, advanced=advanced)
