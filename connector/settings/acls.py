"""Rights as Kafka's own tool grants them, and as records for other tools."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connector.settings.rights import Right
from connector.settings.sections import Kafka

SOMEBODY: Final = "User:<the connector's user>"

_CONTINUED: Final = " \\\n  "
_HEAD: Final = """\
# The least that {principal} needs for these settings: nothing else, and nothing on the cluster.
# admin.properties: how you log in, with the right Alter on the cluster."""


def principal(kafka: Kafka) -> str:
    """Return who Kafka sees: by SASL its username; the name in a client's certificate is not known here."""
    options = {**kafka.librdkafka, **kafka.producer}
    name = options.get("sasl.username") or options.get("sasl.user")
    return f"User:{name}" if isinstance(name, str) and name else SOMEBODY


def commands(rights: Iterable[Right], who: str, servers: Sequence[str]) -> Iterator[str]:
    """Give `kafka-acls` commands, one for each right, and before them what they are about."""
    yield _HEAD.format(principal=who)
    for right in rights:
        words = ["kafka-acls", "--bootstrap-server", ",".join(servers)]
        words += ["--command-config", "admin.properties", "--add", "--allow-principal", who]
        for operation in right.operations:
            words += ["--operation", _spoken(operation)]
        words += [f"--{right.kind}", right.name]
        words += ["--resource-pattern-type", "prefixed" if right.prefixed else "literal"]
        yield _wrapped([shlex.quote(word) for word in words])


def records(rights: Iterable[Right], who: str) -> Iterator[Mapping[str, Any]]:
    """Give each operation of each right as an ACL, by the names of Kafka's protocol."""
    for right in rights:
        for operation in right.operations:
            yield {
                "resource_type": right.kind.upper().replace("-", "_"),
                "resource_name": right.name,
                "pattern_type": "PREFIXED" if right.prefixed else "LITERAL",
                "principal": who,
                "host": "*",
                "operation": operation,
                "permission_type": "ALLOW",
            }


def _spoken(operation: str) -> str:
    """Return DESCRIBE_CONFIGS as DescribeConfigs."""
    return operation.title().replace("_", "")


def _wrapped(words: Sequence[str]) -> str:
    """Begin a line with whom, and one with what it is about."""
    breaks = {"--add": _CONTINUED, "--operation": _CONTINUED}
    text, broken = words[0], set()
    for word in words[1:]:
        gap = breaks.get(word, " ") if word not in broken else " "
        broken.add(word)
        text += gap + word
    return text
