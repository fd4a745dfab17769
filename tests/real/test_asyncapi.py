"""The AsyncAPI document is one, by AsyncAPI's own JSON schema."""

import json
from pathlib import Path

import pytest

from connector.app.parts import read_schemas
from connector.edges.schemas import load_action_schemas
from connector.settings.asyncapi.document import document
from tests.parts import Unavailable, asyncapi, running
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


def test_the_validator_sees_what_is_wrong(tmp_path: Path) -> None:
    chosen = settings()
    found = document(chosen, read_schemas(chosen)[1].schemas, load_action_schemas(), "1")
    found["operations"]["send.asterisk.dlq"]["action"] = "publish"
    path = tmp_path / "asyncapi.json"
    path.write_text(json.dumps(found))
    assert "#/operations/send.asterisk.dlq" in asyncapi.problems(path)
