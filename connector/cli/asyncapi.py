"""`ami-kafka asyncapi`: all topics and what is in them, for people and programs that write clients."""
# ruff: noqa: PLC0415 (what takes long to load is loaded by the command that needs it)

import json
from dataclasses import replace

from connector.cli import output
from connector.cli.options import UNUSED, Config, Output, settings_or_defaults
from connector.cli.output import Form


def asyncapi(config: Config = None, form: Output = Form.TEXT) -> None:
    """Print an AsyncAPI 3.0 document, in JSON, of every topic of the settings, or of the defaults where there are none.

    `--output json` gives it on one line.
    """
    from connector import __version__
    from connector.app.parts import read_schemas
    from connector.edges.schemas import load_action_schemas
    from connector.settings.asyncapi.document import document

    settings = settings_or_defaults(config)
    if settings.kafka.bootstrap_servers == (UNUSED,):
        settings = replace(settings, kafka=replace(settings.kafka, bootstrap_servers=()))
    found = document(settings, read_schemas(settings)[1].schemas, load_action_schemas(), __version__)
    if form is Form.JSON:
        output.json_line(found)
    else:
        output.line(json.dumps(found, ensure_ascii=False, indent=2))
