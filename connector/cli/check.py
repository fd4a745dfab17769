"""`ami-kafka check`."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import output
from connector.cli.options import NO_KAFKA, NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.settings.sections import Settings

_STATE_STYLES: Final = {"ok": "green", "unproven": "cyan", "warning": "yellow", "failed": "bold red"}


def check(
    *,
    personal: Annotated[
        bool,
        typer.Option("--personal", help="Only list every personal field of what is published, and its rule."),
    ] = False,
    print_acls: Annotated[
        bool,
        typer.Option("--print-acls", help="Print the least ACLs in Kafka for these settings; ask nobody."),
    ] = False,
    principal: Annotated[
        str,
        typer.Option(
            help="Whom the ACLs are for, as User:NAME. [default: sasl.username]", show_default=False
        ),
    ] = "",
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Check settings, schemas, AMI login and rights, Kafka, topics, rights, registry; fails if one is not right."""
    from connector.app.inspection import inspect
    from connector.edges.telemetry import Telemetry, open_log
    from connector.preflight import State

    if personal:
        _personal(load_settings(config, NO_PBX | NO_KAFKA), form)
        return
    settings = load_settings(config)
    if print_acls:
        _print_acls(settings, principal, form)
        return
    open_log(sys.stderr, "critical")
    findings = asyncio.run(inspect(settings, Telemetry()))
    if form is Form.JSON:
        for finding in findings:
            output.json_line(asdict(finding))
    else:
        rows = [(each.what, str(each.state), each.seen, each.remedy) for each in findings]
        output.table(("Check", "State", "Seen", "What to do"), rows, _STATE_STYLES)
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(output.FAILED)


def _personal(settings: "Settings", form: Form) -> None:
    from connector.app.inspection import personal

    rows = personal(settings)
    if form is Form.JSON:
        for row in rows:
            output.json_line(row._asdict())
        return
    told = [
        (row.event, row.header, row.kind, row.told, ", ".join(filter(None, (row.rule, *row.variables))))
        for row in rows
    ]
    output.table(("Event", "Header", "Kind", "What becomes of it", "Rule"), told)


def _print_acls(settings: "Settings", principal: str, form: Form) -> None:
    from connector.app.parts import read_schemas
    from connector.settings import acls
    from connector.settings.rights import least
    from connector.settings.topics import plan

    granted = least(settings, plan(settings, read_schemas(settings)[1].schemas))
    who = principal or acls.principal(settings.kafka)
    if form is Form.JSON:
        for record in acls.records(granted, who):
            output.json_line(record)
    else:
        for text in acls.commands(granted, who, settings.kafka.bootstrap_servers):
            output.line(text)
