"""From the file and the environment to `Settings`.

The environment comes after the file and wins: `AMI_KAFKA__PBX__MAIN__SECRET` is `secret` in
`[pbx.main]`, two underscores lead into a table, lists are separated by commas. In the tables of
librdkafka's options an underscore stands for their dot: `AMI_KAFKA__KAFKA__LIBRDKAFKA__SASL_PASSWORD`.
A table of an array is found by its number, from 0: `AMI_KAFKA__ACTIONS__RULES__0__NAME`.
Any text may hold `${env:NAME}` and `${file:/path}`, the file's last line end left out.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, Final

from connector.errors import SettingsError
from connector.settings import http, privacy, road_back
from connector.settings.fields import read
from connector.settings.kinds import Options, Outside
from connector.settings.references import ReadFile, References
from connector.settings.sections import Kafka, Settings, Tls, TopicFamily, Topics

PREFIX: Final = "AMI_KAFKA__"

_ACKS: Final = ("acks", "request.required.acks")
_OPTION_TABLES: Final = {
    section: frozenset(
        name for kind in kinds for name, hint in kind.__annotations__.items() if hint == Options
    )
    for section, kinds in {"kafka": (Kafka,), "topics": (Topics, TopicFamily)}.items()
}


def load(text: str, environ: Mapping[str, str], read_file: ReadFile) -> Settings:
    """Return the settings of a TOML text.

    Args:
        text: the file's content; empty where the environment says it all.
        environ: the process's environment.
        read_file: returns the text of a file that a `${file:}` names; OSError where it cannot.

    Raises:
        SettingsError: each problem in a line of its own, which begins with the key.
    """
    references = References(environ, read_file)
    try:
        document = references.resolve(tomllib.loads(text), "")
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"the settings are no TOML: {error}") from error
    for name in sorted(environ):
        if name.startswith(PREFIX):
            _overlay(document, name, references.in_text(environ[name], name))
    if references.problems:
        raise SettingsError("\n".join(references.problems))
    settings: Settings = read(Settings, document, "")
    _check(settings)
    return settings


def _overlay(document: dict[str, Any], name: str, text: Outside) -> None:
    """Lay one variable of the environment over the document."""
    words = name[len(PREFIX) :].lower().split("__")
    if not all(words):
        raise SettingsError(f"{name}: two underscores lead from a table to its key: {PREFIX}KAFKA__...")
    option_tables = _OPTION_TABLES.get(words[0], frozenset())
    for place, word in enumerate(words[1:-1], 2):
        if word in option_tables:
            words[place:] = ["_".join(words[place:]).replace("_", ".")]
            break
    table = document
    for word in words[:-1]:
        key = _present(table, word)
        if isinstance(table.get(key), list):
            # An array of tables: each is found by its number.
            table[key] = {str(place): each for place, each in enumerate(table[key])}
        if not isinstance(table.get(key), dict):
            table[key] = {}
        table = table[key]
    table[_present(table, words[-1])] = text


def _present(table: Mapping[str, Any], word: str) -> str:
    """Return the key that a variable means: one that is there (pbx.Main-Site), else the word itself."""
    for key in table:
        if key.lower().replace("-", "_") == word:
            return key
    return word


def _check(settings: Settings) -> None:
    """Refuse what no section can see alone."""
    problems = _of_pbxs(settings) + _of_kafka(settings)
    registry = settings.registry
    if settings.events.format == "avro" and not registry:
        problems.append('events.format: avro needs registry.url; set it, or format = "json"')
    if registry and registry.token and registry.username:
        problems.append("registry.token: username and password, or a token, not both")
    if registry and bool(registry.username) != bool(registry.password):
        problems.append("registry.username: username and password go together")
    problems += road_back.problems(settings)
    problems += privacy.problems(settings.privacy)
    problems += http.problems(settings.http)
    if problems:
        raise SettingsError("\n".join(problems))


def _of_pbxs(settings: Settings) -> list[str]:
    problems = []
    if not settings.pbx:
        problems.append("pbx: at least one PBX must be set, [pbx.NAME]")
    for name, pbx in settings.pbx.items():
        for key, found in {"address": pbx.address, "event_classes": pbx.event_classes}.items():
            if not found:
                problems.append(f"pbx.{name}.{key}: must name at least one")
        if pbx.canary_s and not {"user", "all"} & set(pbx.event_classes):
            problems.append(
                f"pbx.{name}.canary_s: a canary is a UserEvent, and never comes: "
                f'add "user" to pbx.{name}.event_classes'
            )
        if pbx.tls and pbx.tls.fingerprint and pbx.tls != Tls(fingerprint=pbx.tls.fingerprint):
            problems.append(
                f"pbx.{name}.tls.fingerprint: stands alone: it says which certificate is taken, "
                "whatever its authority and name; take out ca_file, server_name and verify"
            )
        if pbx.sequence_audit and (pbx.event_classes != ("all",) or pbx.filters):
            problems.append(
                f"pbx.{name}.sequence_audit: what the account does not get looks lost: "
                'set event_classes = ["all"] and no filters'
            )
    return problems


def _of_kafka(settings: Settings) -> list[str]:
    problems = []
    kafka = settings.kafka
    if not kafka.bootstrap_servers:
        problems.append("kafka.bootstrap_servers: must be set")
    for table, options in {"librdkafka": kafka.librdkafka, "producer": kafka.producer}.items():
        problems += [
            f"kafka.{table}.{name}: brokers that acknowledge nothing lose records unnoticed; leave it at all"
            for name in _ACKS
            if str(options.get(name, "all")) == "0"
        ]
    return problems
