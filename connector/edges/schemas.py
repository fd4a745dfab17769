"""Schema files: ours, which ship inside the wheel, and a directory of the operator's own."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from connector.actions.writing.encoding import ActionSchemas
from connector.ami import catalogue
from connector.avro.records import RecordCodec
from connector.avro.schema import EventSchema, SchemaSet, check_alike, load
from connector.errors import SchemaError

_PACKAGE: Final = Path(__file__).resolve().parents[1]


def directory() -> Path:
    """Return the directory of our schemas: inside the package when installed, beside it in a checkout."""
    packed = _PACKAGE / "_schemas"
    return packed if packed.is_dir() else _PACKAGE.parent / "schemas"


def load_schemas(users: Path | None = None) -> SchemaSet:
    """Load every schema; a user's schema stands in for ours of the same event.

    Raises:
        SchemaError: a file cannot be read, or is not as the connector needs it.
    """
    ours = _shipped(directory())
    if users is None:
        return ours
    if not users.is_dir():
        raise SchemaError(f"events.user_schemas: {users} is no directory")
    theirs = [_load_alike(path, ours.unknown) for path in sorted(users.glob("*.avsc"))]
    schemas = _by_name(ours) | _by_name(theirs)
    return SchemaSet(schemas.values(), ours.unknown, ours.connector)


def load_action_schemas() -> ActionSchemas:
    """Load the schemas of requests, responses and claims.

    Raises:
        SchemaError: a file cannot be read, or is no schema.
    """
    paths = (directory() / "actions" / f"{name}.avsc" for name in ActionSchemas._fields)
    return ActionSchemas(*(RecordCodec(_text(path), str(path)) for path in paths))


def load_action_catalogue() -> catalogue.ActionCatalogue:
    """Load what is known of AMI's actions.

    Raises:
        SchemaError: the file cannot be read, or is not as it must be.
    """
    return catalogue.load(_text(directory() / "catalogue" / "actions.json"))


@cache
def _shipped(ours: Path) -> SchemaSet:
    """Our own: no file of theirs changes while a process runs."""
    schemas = _by_name(map(_load, sorted((ours / "events").glob("*.avsc"))))
    return SchemaSet(schemas.values(), _load(ours / "unknown.avsc"), _load(ours / "connector.avsc"))


def _by_name(schemas: Iterable[EventSchema]) -> dict[tuple[str, str], EventSchema]:
    return {(schema.event, schema.user_event): schema for schema in schemas}


def _load(path: Path) -> EventSchema:
    return load(_text(path), str(path))


def _load_alike(path: Path, ours: EventSchema) -> EventSchema:
    theirs = _load(path)
    check_alike(theirs, ours, str(path))
    return theirs


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path}: cannot be read: {error}") from error
