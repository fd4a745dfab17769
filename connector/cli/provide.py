"""What the connector's surroundings need, printed from the settings: `ami-kafka manager-conf`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import difflib
from typing import Annotated

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, Config, load_settings
from connector.errors import SettingsError


def manager_conf(
    pbx: Annotated[
        str, typer.Argument(help="A PBX of the settings. [default: all]", show_default=False)
    ] = "",
    *,
    old: Annotated[
        bool, typer.Option("--old", help="For Asterisk before 18.26, 20.11, 21.6 and 22.1: other filters.")
    ] = False,
    config: Config = None,
) -> None:
    """Print the account's section for manager.conf: the least rights, and eventfilter lines where they help."""
    from connector.app.parts import read_schemas
    from connector.settings import account

    settings = load_settings(config, NO_KAFKA)
    if pbx and pbx not in settings.pbx:
        near = difflib.get_close_matches(pbx, settings.pbx, n=1) or sorted(settings.pbx)
        raise SettingsError(f"pbx.{pbx}: no such PBX in the settings; did you mean {', '.join(near)}?")
    _, selection = read_schemas(settings)
    for name in [pbx] if pbx else settings.pbx:
        output.line(f"; {name}")
        output.line(account.manager_conf(settings.pbx[name], selection.schemas, advanced=not old))
