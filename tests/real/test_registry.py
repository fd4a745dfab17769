"""A real registry: registration, ids, compatibility."""

import asyncio
import json
from itertools import count
from typing import Any

import pytest

from connector.edges.registry import SchemaRegistry
from connector.errors import RegistryError
from connector.settings.sections import Registry
from tests.parts import registry as parts

NUMBERS = count()


def schema(*fields: dict[str, Any], name: str = "Hangup") -> str:
    return json.dumps({"type": "record", "name": name, "namespace": "tests", "fields": list(fields)})


def field(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", "string"], "default": None, **more}


FIRST = schema(field("cause"))
WIDER = schema(field("cause"), field("channel"))
BROKEN = schema({"name": "cause", "type": "long"})


def subject() -> str:
    return f"tests.{next(NUMBERS)}/odd name-value"


def client(registry: parts.Registry, **settings: Any) -> SchemaRegistry:
    return SchemaRegistry(Registry(url=registry.url, **settings))


def test_an_id_is_the_one_that_was_registered(registry: parts.Registry) -> None:
    name = subject()

    async def scenario() -> None:
        with pytest.raises(RegistryError, match="no such schema; register it"):
            await client(registry).schema_id(name, FIRST)
        number = await client(registry).register(name, FIRST)
        assert await client(registry).schema_id(name, FIRST) == number
        assert await client(registry, auto_register=True).schema_id(name, FIRST) == number
        assert json.loads(await client(registry).schema_text(number) or "") == json.loads(FIRST)
        with pytest.raises(RegistryError, match="no such schema"):
            await client(registry).schema_id(name, WIDER)

    asyncio.run(scenario())


def test_a_new_subject_takes_only_what_fits_both_ways(registry: parts.Registry) -> None:
    name = subject()

    async def scenario() -> None:
        ours = client(registry)
        assert await ours.incompatible(name, FIRST) == ""
        await ours.register(name, FIRST)
        assert await ours.incompatible(name, WIDER) == ""
        assert await ours.incompatible(name, BROKEN) != ""
        with pytest.raises(RegistryError, match=name):
            await ours.register(name, BROKEN)
        assert await ours.register(name, WIDER) != await ours.schema_id(name, FIRST)

    asyncio.run(scenario())


def test_a_wrong_path_is_told(registry: parts.Registry) -> None:
    wrong = SchemaRegistry(Registry(url=registry.url.replace("ccompat", "nowhere")))
    with pytest.raises(RegistryError, match=r"is the path in registry\.url right"):
        asyncio.run(wrong.reach())
    asyncio.run(client(registry).reach())
