"""`ami-kafka schemas`: what the records look like, and that they keep their word."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import complete, output
from connector.cli.options import Config, Output, settings_if_any
from connector.cli.output import Form
from connector.errors import SchemaError

if TYPE_CHECKING:
    from connector.avro.schema import EventSchema, SchemaSet
    from connector.settings.sections import Settings

app = typer.Typer(no_args_is_help=True, help="The schemas of the records: look, write, prove, register.")


@app.command("list")
def list_(
    *,
    family: Annotated[str, typer.Option(help="Only this family: call, queue, state ...")] = "",
    selected: Annotated[bool, typer.Option("--selected", help="Only what the settings publish.")] = False,
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """List the events that have a schema, with their topics."""
    from connector.events.selection import Selection

    settings = settings_if_any(config)
    schemas = load_all(settings)
    selection = Selection(schemas, settings.events.select) if settings else Selection(schemas)
    every = sorted([*schemas, schemas.unknown, schemas.connector], key=_name)
    families = sorted({schema.family for schema in every})
    if family not in ("", *families):
        raise typer.BadParameter(f"{family!r} is none of {', '.join(families)}", param_hint="--family")
    chosen = [
        schema for schema in every if family in ("", schema.family) and (not selected or schema in selection)
    ]
    topics = {schema: _topic(schema, settings) for schema in chosen}
    if form is Form.JSON:
        for schema in chosen:
            output.json_line(_summary(schema, topics[schema], published=schema in selection))
        return
    rows = [
        (_name(schema), schema.family, topics[schema], "yes" if schema in selection else "")
        for schema in chosen
    ]
    output.table(("Event", "Family", "Topic", "Published"), rows, {"yes": "green"})


@app.command()
def show(
    event: Annotated[
        str,
        typer.Argument(
            help="Event, UserEvent's own name, record, or topic's last part.",
            autocompletion=complete.event_names,
        ),
    ],
    config: Config = None,
    form: Output = Form.TEXT,
) -> None:
    """Show an event's record: fields, types, the header that fills each; `--output json` gives the .avsc."""
    import json

    settings = settings_if_any(config)
    schema = _find(event, load_all(settings))
    raw = json.loads(schema.text)
    if form is Form.JSON:
        output.line(json.dumps(raw, ensure_ascii=False, indent=2))
        return
    output.line(f"{_name(schema)} ({schema.full_name})")
    output.line(f"  {raw['doc']}")
    output.line(f"  topic {_topic(schema, settings)}, {_key_text(schema)}")
    output.line(f"  family {schema.family}, class {', '.join(schema.classes) or 'none'}\n")
    rows = [
        (field["name"], _type(field["type"]), field.get("ami", ""), field["doc"]) for field in raw["fields"]
    ]
    output.table(("Field", "Type", "AMI header", "Meaning"), rows)


def load_all(settings: "Settings | None") -> "SchemaSet":
    """Load our schemas, and the user's own where the settings name them."""
    from connector.edges.schemas import load_schemas

    users = settings.events.user_schemas if settings else None
    return load_schemas(Path(users) if users else None)


def _find(wanted: str, schemas: "SchemaSet") -> "EventSchema":
    every: list[EventSchema] = [*schemas, schemas.unknown, schemas.connector]
    for schema in every:
        names = (schema.user_event, _name(schema), schema.full_name, schema.topic)
        if wanted.lower() in [name.lower() for name in names if name]:
            return schema
    near = difflib.get_close_matches(wanted, map(_name, every), n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "see `ami-kafka schemas list`"
    raise SchemaError(f"no schema for {wanted!r}; {hint}")


def _name(schema: "EventSchema") -> str:
    """Return what a schema is called in a list: the event, or for the two that are of none, their family."""
    return schema.user_event or schema.event or schema.family


def _topic(schema: "EventSchema", settings: "Settings | None") -> str:
    from connector.events.records.routing import Routing

    return (settings.routing if settings else Routing()).topic_of(schema)


def _summary(schema: "EventSchema", topic: str, *, published: bool) -> dict[str, Any]:
    return {
        "event": schema.event,
        "user_event": schema.user_event,
        "record": schema.full_name,
        "family": schema.family,
        "topic": topic,
        "class": list(schema.classes),
        "kind": list(schema.kinds),
        "published": published,
        "fields": len(schema.fields),
    }


def _key_text(schema: "EventSchema") -> str:
    if schema.channels:
        return "keyed by its call"
    return "keyed by " + (" or ".join("+".join(names) for names in schema.keys) or "its PBX")


def _type(avro: Any) -> str:
    """Return an Avro type as a person would say it: `string?` may be null."""
    if isinstance(avro, list):
        return "|".join(_type(each) for each in avro if each != "null") + ("?" if "null" in avro else "")
    if not isinstance(avro, dict):
        return str(avro)
    if avro["type"] == "array":
        return f"{_type(avro['items'])}[]"
    if avro["type"] == "map":
        return f"map of {_type(avro['values'])}"
    return str(avro.get("logicalType") or avro.get("name") or avro["type"])
