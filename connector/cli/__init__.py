"""The command line: parse, call one thing, print."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connector import __version__
from connector.cli import (
    asyncapi,
    check,
    demo,
    dlq,
    journal,
    output,
    provide,
    record,
    replay,
    schemas,
    schemas_upkeep,
    send,
    tail,
    topics,
)
from connector.cli import run as running
from connector.errors import ConnectorError


class _Commands(TyperGroup):
    """Turns what may end a command into one clear line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        output.speak_utf8()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(output.INTERRUPTED) from None
        except Exception as error:
            raise _ending(error) from error
        return result


def _ending(error: Exception) -> Exception:
    """Return what to raise for what has ended a command: an exit for what is foreseen, else the error."""
    cause = error
    while isinstance(cause, ExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, BrokenPipeError):
        output.let_go_of_stdout()
        return typer.Exit(output.DONE)
    if isinstance(cause, ConnectorError):
        output.note(str(cause))
        return typer.Exit(output.exit_code(cause))
    return error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The bridge between Asterisk's Manager Interface (AMI) and Apache Kafka.",
    epilog="Exit codes: 0 done; 1 failed at run time; 2 wrong usage, settings or schema; 3 done, but look at what is told; 130 interrupted.",
)


def _say_version(value: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if value:
        output.line(f"ami-kafka {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command()(running.run)
app.command()(demo.demo)
app.command()(check.check)
app.command()(tail.tail)
app.command()(send.send)
app.command()(record.record)
app.command()(replay.replay)
app.command()(provide.manager_conf)
app.command()(asyncapi.asyncapi)
app.add_typer(topics.app, name="topics")
app.add_typer(dlq.app, name="dlq")
app.add_typer(journal.app, name="journal")
schemas_upkeep.add_to(schemas.app)
app.add_typer(schemas.app, name="schemas")


def main() -> None:
    """Run the command line."""
    app(prog_name="ami-kafka")
