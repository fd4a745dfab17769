"""Laws of loading: whatever the file or the environment says, settings come out, or an error that names the key."""

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from connector.errors import SettingsError
from connector.settings.load import load
from connector.settings.sections import Settings
from tests.settings.test_load import LEAST, no_file

LEAST_DOCUMENT = tomllib.loads(LEAST)
VALUES = some.recursive(
    some.booleans()
    | some.integers()
    | some.floats()
    | some.text(some.characters(exclude_categories=["Cs"]))
    | some.dates(),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.text("abc.-_é ", max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = [
    "pbx.main.address", "pbx.main.secret", "pbx.main.tls", "pbx.main.timezone", "pbx.main.filters", "pbx.main.event_classes",
    "pbx.main.ping_interval_s", "events.select", "events.topics", "events.max_frame_bytes", "kafka.bootstrap_servers",
    "kafka.librdkafka", "registry.url", "registry", "topics.families", "topics.retention_ms", "pbx", "pbx.main", "log",
    "actions", "actions.rules", "actions.policy", "actions.policy.channels", "actions.reply_topics", "actions.ttl_ms",
    "actions.limits.channels", "pbx.main.actions",
]  # fmt: skip


def inline(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, str | bool):
        # TOML knows JSON's escapes, and wants DEL escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date) else repr(value)


def laid(document: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    inner = value if len(path) == 1 else laid(document.get(path[0], {}), path[1:], value)
    return {**document, path[0]: inner}


def outcome(text: str, environ: Mapping[str, str]) -> Settings | str:
    """Return the settings, or what was said against them; any other error is a failure."""
    try:
        return load(text, environ, no_file)
    except SettingsError as refused:
        return str(refused)


@given(key=some.sampled_from(KEYS), value=VALUES)
def test_any_value_gives_settings_or_an_error_that_names_the_key(key: str, value: Any) -> None:
    table, *_ = path = key.split(".")
    document = laid(LEAST_DOCUMENT, path, value)
    text = "\n".join(f"{name} = {inline(each)}" for name, each in document.items())
    tomllib.loads(text)
    said = outcome(text, {})
    assert isinstance(said, Settings) or all(line.startswith(table) for line in said.split("\n"))


@given(
    name=some.text(some.sampled_from("AMI_KAFKA__PBXTLSMNadmin"), max_size=12),
    value=some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
def test_any_variable_gives_settings_or_an_error(name: str, value: str) -> None:
    for key in (f"AMI_KAFKA__{name}", "AMI_KAFKA__PBX__MAIN__TIMEZONE", "AMI_KAFKA__PBX__MAIN__ADDRESS"):
        assert outcome(LEAST, {key: value})
