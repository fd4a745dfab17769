"""Options that many commands share, and the settings that they lead to."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.output import Form
from connector.errors import SettingsError

if TYPE_CHECKING:
    from connector.settings.sections import Settings

USUAL: Final = Path("ami-kafka.toml")
_VARIABLE: Final = "AMI_KAFKA_CONFIG"
UNUSED: Final = "unused"
NO_PBX: Final = {
    **{f"AMI_KAFKA__PBX__UNUSED__{key}": UNUSED for key in ("ADDRESS", "USERNAME", "SECRET")},
    "AMI_KAFKA__PBX__UNUSED__SNAPSHOT": "off",
}
"""A PBX for commands that need none and run where none may be set; it has nothing to list."""

_KAFKA: Final = re.compile(r"^\s*\[?\s*kafka\s*[].=]", re.MULTILINE)
"""How a file begins to speak of Kafka."""

NO_KAFKA: Final = {"AMI_KAFKA__KAFKA__BOOTSTRAP_SERVERS": UNUSED}
"""Likewise Kafka; what a file says of it does not count either."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar=_VARIABLE, help=f"Settings file. [default: ./{USUAL}, if it is there]"
    ),
]
Output = Annotated[Form, typer.Option("--output", "-o", help="text for people, json: one object a line.")]


def load_settings(config: Path | None, extra: Mapping[str, str] | None = None) -> "Settings":
    """Read the settings from the file and the environment; `extra` are variables that stand in for missing ones.

    Raises:
        SettingsError: the file cannot be read, or a setting is wrong.
    """
    from connector.settings.load import load

    environ = {**(extra or {}), **os.environ}
    return load(_text(config), environ, lambda path: Path(path).read_text(encoding="utf-8"))


def settings_if_any(config: Path | None) -> "Settings | None":
    """Read the settings for a command that can do without, and without a PBX or Kafka in them."""
    from connector.settings.load import PREFIX

    if config is None and not USUAL.is_file() and not any(name.startswith(PREFIX) for name in os.environ):
        return None
    return load_settings(config, NO_PBX | NO_KAFKA)


def settings_or_defaults(config: Path | None) -> "Settings":
    """Read the settings for a command that tells what follows from them: what they do not say of PBX and Kafka is UNUSED."""
    from connector.settings.load import PREFIX

    said = f"{PREFIX}KAFKA__"
    by_environment = any(name.startswith(said) for name in os.environ)
    return load_settings(
        config, NO_PBX if by_environment or _KAFKA.search(_text(config)) else NO_PBX | NO_KAFKA
    )


def _text(config: Path | None) -> str:
    path = config or USUAL
    if config is None and not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text") from error
