"""`ami-kafka send`: one action by way of Kafka, and its answer."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector.cli import complete, output
from connector.cli.options import NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.app.sending import Asked
    from connector.settings.sections import Settings

STATUS_CODES: Final[Mapping[str, int]] = {
    "SUCCESS": 0,
    "FAILURE": 10,
    "REFUSED": 11,
    "INVALID": 12,
    "EXPIRED": 13,
    "TIMEOUT": 14,
    "UNAVAILABLE": 15,
    "UNKNOWN": 16,
}
"""What the command ends with, by the answer's status."""

_STYLES: Final = {"SUCCESS": "bold green", "EXPIRED": "bold yellow", "UNKNOWN": "bold yellow"}
_CODES: Final = ", ".join(f"{code} {status}" for status, code in STATUS_CODES.items())
_PATIENCE_S: Final = 10.0
"""Seconds on top of the request's own for Kafka, a rebalance, a restart."""
_LEAST_REACH_S: Final = 2.0
"""Seconds that Kafka may take for its answers, however impatient who asks is of the PBX."""


class _LastWords:
    """What is said of a request whose answer nobody waits for any more."""

    def __init__(self, fate: str) -> None:
        self._fate = fate
        self._text = "nothing was sent"

    def handed_over(self) -> None:
        """Take that the request may be executed from now on."""
        self._text = self._fate

    def say(self) -> None:
        output.note(f"interrupted; {self._text}")


def send(
    action: Annotated[
        str,
        typer.Argument(
            help="The AMI action: Ping, QueueStatus, Originate ...", autocompletion=complete.action_names
        ),
    ],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[HEADER=VALUE]...", help="The action's parameters.")
    ] = None,
    *,
    pbx: Annotated[
        str | None,
        typer.Option(help="The PBX's name, where several are served.", autocompletion=complete.pbx_names),
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--variable", "-v", metavar="NAME=VALUE", help="A channel variable.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that the PBX may take to answer.")] = 30.0,
    expires: Annotated[float, typer.Option(min=0.1, help="Seconds within which it may be sent.")] = 30.0,
    request_id: Annotated[
        str | None, typer.Option(help="Names the request: a repeat is not done again. [default: a new one]")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Requests with one key run in order. [default: the request's id]")
    ] = None,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Ask the connectors at work to run an AMI action, and wait for the answer."""
    from connector.app.sending import Asked
    from connector.edges.telemetry import open_log

    settings = load_settings(config, NO_PBX)
    open_log(sys.stderr, "error", settings.log.format)
    request_id = request_id or str(uuid.uuid4())
    fields = {
        "request_id": request_id,
        "action": action,
        "pbx": pbx,
        "headers": _pairs(parameters or (), "HEADER=VALUE"),
        "variables": _pairs(variable or (), "NAME=VALUE"),
        "expires_at": _in_ms(expires),
        "timeout_ms": int(timeout * 1000),
        "reply_to": None,
        "accept_parts": True,
    }
    asked = Asked(
        fields=fields,
        key=key or request_id,
        within_s=timeout + expires + _PATIENCE_S,
        reach_s=max(timeout, _LEAST_REACH_S),
    )
    response = asyncio.run(_answer(settings, asked))
    if form is Form.JSON:
        output.json_line(response)
    else:
        _tell(response)
    raise typer.Exit(STATUS_CODES.get(response["status"], output.FAILED))


send.__doc__ = (
    f"{send.__doc__}\n\nExit codes: {_CODES}; 1 no answer or Kafka trouble; 2 wrong usage or settings; "
    "130 interrupted."
)


async def _answer(settings: "Settings", asked: "Asked") -> dict[str, Any]:
    from connector.app.sending import send as ask
    from connector.app.signals import Stop

    words = _LastWords(asked.fate)
    with Stop(words.say, at_once=True):
        # What Kafka's clients meet stands in the error that it leads to.
        return await ask(settings, asked, lambda _: None, words.handed_over)


def _in_ms(seconds: float) -> int:
    import time

    return int((time.time() + seconds) * 1000)


def _pairs(texts: Iterable[str], form: str) -> list[dict[str, str]]:
    pairs = []
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{text!r} is not {form}")
        pairs.append({"name": name, "value": value})
    return pairs


def _tell(response: Mapping[str, Any]) -> None:
    """Print an answer for a person: how it ended, then what the PBX said."""
    message = response["message"] or ""
    _headline(response["status"], f"{message} ({response['rule']})" if response["rule"] else message)
    for text in response["output"]:
        output.line(output.clean(text))
    for header in response["response"]:
        if header["name"] not in ("Response", "Message", "ActionID", "EventList"):
            output.line(output.clean(f"{header['name']}: {header['value']}"))
    for event in response["events"]:
        output.line()
        output.line(output.clean(f"{event['event']}"))
        for header in event["headers"]:
            output.line(output.clean(f"  {header['name']}: {header['value']}"))


def _headline(status: str, message: str) -> None:
    if not output.is_terminal():
        output.line(output.clean(f"{status}  {message}").rstrip())
        return
    from rich.console import Console
    from rich.text import Text

    text = Text(output.clean(status), style=_STYLES.get(status, "bold red"))
    Console(file=sys.stdout, highlight=False).print(
        text.append(f"  {output.clean(message)}", style="default")
    )
