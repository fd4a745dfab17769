"""`ami-kafka topics`: which topics the settings need, and making them."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from connector.cli import output
from connector.cli.options import NO_PBX, Config, Output, load_settings
from connector.cli.output import Form

if TYPE_CHECKING:
    from connector.settings.sections import Settings
    from connector.settings.topics import Difference, Present, Topic

app = typer.Typer(no_args_is_help=True, help="The topics that the settings need: look, make them.")


@app.command("plan")
def plan_(config: Config = None, form: Output = Form.TEXT) -> None:
    """Print every topic that the settings need, what of it is missing or otherwise, and the totals."""
    from connector.settings.topics import compare, uneven

    settings = load_settings(config, NO_PBX)
    topics, present = asyncio.run(_look(settings))
    difference = compare(topics, present)
    rows = [_row(topic, difference) for topic in topics]
    if form is Form.JSON:
        for topic, row in zip(topics, rows, strict=True):
            output.json_line(_object(topic, row[-1]))
        return
    head = ("Topic", "Partitions", "Replicas", "Retention", "Families", "State")
    output.table(head, rows, {"exists": "green", "missing": "yellow"})
    _totals(topics, present)
    for line in uneven(topics, present):
        output.note(line)


@app.command()
def apply(config: Config = None, form: Output = Form.TEXT) -> None:
    """Make the missing topics and set the options that differ; partitions are never changed."""
    settings = load_settings(config, NO_PBX)
    made, difference = asyncio.run(_apply(settings))
    for topic in made:
        if form is Form.JSON:
            output.json_line(_object(topic, "made"))
        else:
            output.line(f"made {topic.name} with {topic.partitions} partitions")
    for drift in difference.drift:
        output.note(f"{drift.topic}: {drift.option} set to {drift.wanted}, was {drift.found}")
    for topic, found in difference.recount:
        output.note(
            f"{topic.name} has {found.partitions} partitions, not {topic.partitions}: left, since keys would move"
        )
    if not made and not difference.drift:
        output.note("nothing to do")


async def _look(settings: "Settings") -> "tuple[list[Topic], Mapping[str, Present]]":
    from connector.app.parts import open_admin, read_schemas
    from connector.edges.telemetry import Telemetry, open_log
    from connector.settings.topics import plan

    open_log(sys.stderr, "critical")

    topics = plan(settings, read_schemas(settings)[1].schemas)
    admin = open_admin(settings, Telemetry())
    return topics, await admin.present([topic.name for topic in topics])


async def _apply(settings: "Settings") -> "tuple[list[Topic], Difference]":
    from connector.app.parts import open_admin
    from connector.edges.telemetry import Telemetry
    from connector.preflight import NotReady
    from connector.settings.topics import compare, uneven

    topics, present = await _look(settings)
    if odd := uneven(topics, present):
        raise NotReady("\n".join(odd))
    difference = compare(topics, present)
    admin = open_admin(settings, Telemetry())
    made = await admin.create(difference.missing)
    changes = [drift for drift in difference.drift if drift.option != "replication factor"]
    await admin.configure(changes)
    return made, difference._replace(drift=changes)


def _row(topic: "Topic", difference: "Difference") -> tuple[str, ...]:
    days = int(topic.config.get("retention.ms", -1)) / 86_400_000
    return (
        topic.name,
        str(topic.partitions),
        str(topic.replication_factor or "default"),
        f"{days:g} d" if days >= 0 else "for ever",
        ", ".join(topic.families),
        _state(topic, difference),
    )


def _state(topic: "Topic", difference: "Difference") -> str:
    if topic in difference.missing:
        return "missing"
    ways = [f"{drift.option} is {drift.found}" for drift in difference.drift if drift.topic == topic.name]
    ways += [f"has {found.partitions} partitions" for each, found in difference.recount if each == topic]
    return ", ".join(ways) or "exists"


def _object(topic: "Topic", state: str) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "replication_factor": topic.replication_factor,
        "config": dict(topic.config),
        "families": list(topic.families),
        "state": state,
    }


def _totals(topics: "list[Topic]", present: "Mapping[str, Present]") -> None:
    from connector.settings.topics import totals

    sums = totals(topics, present)
    missing = sum(topic.name not in present for topic in topics)
    least = (
        f"; of {sums.unknown} topics the cluster decides how many, each counted once" if sums.unknown else ""
    )
    output.line()
    output.line(
        f"{sums.topics} topics ({missing} missing), {sums.partitions} partitions, "
        f"{sums.replicas} replicas of partitions{least}"
    )
