"""What the shell is offered for a word: names from our own files and from the settings; no peer is asked.

A shell asks at each Tab, so what cannot be read quickly offers nothing, and never says why.
"""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import typer

from connector.cli.options import NO_KAFKA, NO_PBX, UNUSED, load_settings
from connector.errors import ConnectorError


def pbx_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the settings' PBXs."""
    config = ctx.params.get("config")
    with suppress(ConnectorError):
        settings = load_settings(Path(config) if config else None, NO_PBX | NO_KAFKA)
        return _beginning((name for name in settings.pbx if name != UNUSED), incomplete)
    return []


def action_names(incomplete: str) -> list[str]:
    """Return AMI's actions."""
    from connector.edges.schemas import directory

    with suppress(OSError, ValueError):
        text = (directory() / "catalogue" / "actions.json").read_text(encoding="utf-8")
        return _beginning(json.loads(text), incomplete)
    return []


def event_names(incomplete: str) -> list[str]:
    """Return the events that have a schema of ours, as the catalogue names them."""
    from connector.edges.schemas import directory

    with suppress(OSError, ValueError):
        text = (directory() / "catalogue" / "events.json").read_text(encoding="utf-8")
        return _beginning(json.loads(text), incomplete)
    return []


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
