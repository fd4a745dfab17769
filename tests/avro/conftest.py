import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.avro import catalogue
from connector.avro.catalogue import Catalogue

SCHEMAS = Path(__file__).parents[2] / "schemas"


def _files() -> dict[str, str]:
    found = sorted([*SCHEMAS.glob("*.avsc"), *SCHEMAS.glob("events/*.avsc")])
    return {path.relative_to(SCHEMAS).as_posix(): path.read_text("utf-8") for path in found}


@pytest.fixture(scope="session")
def shipped_catalogue() -> Catalogue:
    """The catalogue of the repository."""
    return catalogue.parse(
        {path.name: path.read_text("utf-8") for path in (SCHEMAS / "catalogue").glob("*.json")}
    )


@pytest.fixture(scope="session")
def shipped() -> dict[str, str]:
    """The texts of the repository's schema files, by file name below schemas/."""
    return _files()


@pytest.fixture(scope="session")
def shipped_values(shipped: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The repository's schemas as JSON values, by record name."""
    values = (json.loads(text) for text in shipped.values())
    return {value["name"]: value for value in values}


@pytest.fixture(scope="session")
def shipped_actions() -> dict[str, dict[str, Any]]:
    """The repository's schemas of the road back as JSON values, by record name."""
    values = (json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("actions/*.avsc"))
    return {value["name"]: value for value in values}


@pytest.fixture(scope="session")
def released_text() -> str:
    """What released.jsonl holds."""
    return (SCHEMAS / "released.jsonl").read_text("utf-8")
