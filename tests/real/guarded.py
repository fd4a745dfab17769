"""A secured Kafka: users who may do nothing until they are let, and settings that lead to it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined] # its public names
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.parts import doors
from tests.parts.kafka import Kafka
from tests.real.bridge import command

DEADLINE_S = 30.0
PASSWORD = "scram-hunter2"

Acl = Mapping[str, str]
"""One line of `check --print-acls --output json`."""


def by_scram(cluster: Kafka, user: str, password: str = PASSWORD) -> dict[str, str]:
    """Return librdkafka's options for a user with a password."""
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
        "ssl.ca.location": str(cluster.certificate),
    }


def by_certificate(cluster: Kafka) -> dict[str, str]:
    """Return librdkafka's options for the user `CN=client`."""
    assert cluster.doors is not None
    return {
        "security.protocol": "SSL",
        "ssl.ca.location": str(cluster.certificate),
        "ssl.certificate.location": str(cluster.doors.client.certificate),
        "ssl.key.location": str(cluster.doors.client.key),
    }


def enrol(cluster: Kafka, user: str, password: str = PASSWORD) -> None:
    """Give a user a password by SCRAM."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    wanted = UserScramCredentialUpsertion(user, info, password.encode())
    admin = _super_user(cluster)
    for future in admin.alter_user_scram_credentials([wanted]).values():
        future.result(DEADLINE_S)


def allow(cluster: Kafka, acls: Iterable[Acl]) -> None:
    """Grant these."""
    admin = _super_user(cluster)
    for future in admin.create_acls([AclBinding(*_terms(acl)) for acl in acls]).values():
        future.result(DEADLINE_S)


def forbid(cluster: Kafka, acls: Iterable[Acl]) -> None:
    """Take these away."""
    filters = [AclBindingFilter(*_terms(acl)) for acl in acls]
    admin = _super_user(cluster)
    for future in admin.delete_acls(filters).values():
        assert future.result(DEADLINE_S), acls


def granted(cluster: Kafka, principal: str) -> set[tuple[str, ...]]:
    """Return what a user has, each as `terms` gives it."""
    any_text: Any = None
    who = AclBindingFilter(
        ResourceType.ANY,
        any_text,
        ResourcePatternType.ANY,
        principal,
        any_text,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    admin = _super_user(cluster)
    return {
        (each.restype.name, each.name, each.resource_pattern_type.name, each.operation.name)
        for each in admin.describe_acls(who).result(DEADLINE_S)
    }


def terms(acl: Acl) -> tuple[str, ...]:
    """Return what is allowed on what, without whom."""
    return acl["resource_type"], acl["resource_name"], acl["pattern_type"], acl["operation"]


def printed(config: Path, *words: str) -> list[Acl]:
    """Return what `check --print-acls` tells programs."""
    done = command("check", "--print-acls", "--config", str(config), "--output", "json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def tables(cluster: Kafka, prefix: str, options: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return settings for both roads but for the PBX, in JSON, so that no registry is needed."""
    door = doors.MUTUAL if options["security.protocol"] == "SSL" else doors.SECURE
    return {
        "connector": {"name": prefix},
        "events": {"topic_prefix": prefix, "select": ["UserEvent", "Hangup"]},
        "kafka": {"bootstrap_servers": [cluster.behind(door)]},
        "kafka.librdkafka": {json.dumps(name): value for name, value in options.items()},
        "topics": {"partitions": 1},
        "actions": {"instance_id": "one"},
    }


def _super_user(cluster: Kafka) -> AdminClient:
    """Return a client that must be kept until its futures have ended."""
    return AdminClient({"bootstrap.servers": cluster.bootstrap})


def _terms(acl: Acl) -> tuple[Any, ...]:
    return (
        ResourceType[acl["resource_type"]],
        acl["resource_name"],
        ResourcePatternType[acl["pattern_type"]],
        acl["principal"],
        acl["host"],
        AclOperation[acl["operation"]],
        AclPermissionType[acl["permission_type"]],
    )
