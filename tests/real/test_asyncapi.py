"""The AsyncAPI document is one, by AsyncAPI's own JSON schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.app.parts import read_schemas
from connector.edges.schemas import load_action_schemas
from connector.settings.asyncapi.document import document
from tests.parts import Unavailable, asyncapi, running
from tests.real.bridge import command
from tests.real.conftest import REQUIRED
from tests.settings.test_asyncapi import VARIANTS, settings, told


@pytest.fixture(autouse=True)
def _validator_is_here() -> None:
    if not REQUIRED and not running.fetched("asyncapi"):
        pytest.skip("asyncapi is not here; get it with: python -m tests.parts fetch asyncapi")
    try:
        asyncapi.provided()
    except Unavailable as reason:
        pytest.fail(str(reason)) if REQUIRED else pytest.skip(str(reason))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_document_is_valid(variant: str, tmp_path: Path) -> None:
    path = tmp_path / "asyncapi.json"
    path.write_text(json.dumps(told(settings(VARIANTS[variant]))))
    assert asyncapi.problems(path) == ""


def test_records_in_json_are_as_the_document_says(tmp_path: Path) -> None:
    chosen = settings('[events]\nselect = ["@all"]\nformat = "json"\n')
    messages = told(chosen)["components"]["messages"]
    records = list(replayed("dial", "queue", "transfer", "features"))
    assert len({kind for kind, _ in records}) > 20
    schema, values = tmp_path / "schema.json", tmp_path / "values.json"
    shapes = {str(place): messages[kind]["payload"] for place, (kind, _) in enumerate(records)}
    schema.write_text(json.dumps({"type": "object", "properties": shapes}))
    whole = {str(place): value for place, (_, value) in enumerate(records)}
    values.write_text(json.dumps(whole))
    assert asyncapi.problems(values, schema) == ""
    del whole["0"]["event_id"]
    values.write_text(json.dumps(whole))
    assert "event_id" in asyncapi.problems(values, schema)


def replayed(*captures: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield types and values of the records of captures."""
    folder = Path(__file__).parents[1] / "captures" / "asterisk22"
    for capture in captures:
        lines = command("replay", str(folder / f"{capture}.ami")).stdout.splitlines()
        for record in map(json.loads, lines):
            if not record["topic"].endswith(".dlq"):
                yield record["headers"]["ce_type"], record["value"]


def test_the_validator_sees_what_is_wrong(tmp_path: Path) -> None:
    chosen = settings()
    found = document(chosen, read_schemas(chosen)[1].schemas, load_action_schemas(), "1")
    found["operations"]["send.asterisk.dlq"]["action"] = "publish"
    path = tmp_path / "asyncapi.json"
    path.write_text(json.dumps(found))
    assert "#/operations/send.asterisk.dlq" in asyncapi.problems(path)
