"""Every command of the program, by its words."""

from collections.abc import Iterator
from typing import Any, Final

import typer

from connector.cli import app


def _commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS: Final = dict(_commands(typer.main.get_command(app)))
