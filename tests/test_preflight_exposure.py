"""What the settings leave open on the wire is told, and nothing else."""

from dataclasses import replace

import pytest

from connector.preflight import State
from connector.preflight.exposure import exposed
from connector.settings.kinds import Address, Option, Secret
from connector.settings.sections import Kafka, Pbx, Registry, Settings, Tls

PBX = Pbx(address=(Address("pbx.example"),), username="u", secret=Secret("hunter2"))
KAFKA = Kafka(bootstrap_servers=("k",))
SETTINGS = Settings(pbx={"main": PBX}, kafka=KAFKA)
AWAY = "http://registry.example:8081"


def told(settings: Settings) -> list[str]:
    found = exposed(settings)
    assert all(each.state is State.WARNING and each.remedy and not each.fatal for each in found)
    assert "hunter2" not in repr(found)
    return [each.seen for each in found]


@pytest.mark.parametrize(
    ("pbx", "count"),
    [
        (PBX, 0),
        (replace(PBX, auth="plain"), 1),
        (replace(PBX, auth="plain", address=(Address("127.0.0.1"), Address("localhost"))), 0),
        (replace(PBX, auth="plain", address=(Address("::1"), Address("pbx.example"))), 1),
        (replace(PBX, auth="plain", tls=Tls()), 0),
        (replace(PBX, tls=Tls(verify=False)), 1),
        (replace(PBX, tls=Tls(fingerprint=("0" * 64,))), 0),
    ],
)
def test_what_a_pbx_tells_whoever_listens(pbx: Pbx, count: int) -> None:
    assert len(told(replace(SETTINGS, pbx={"main": pbx}))) == count


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, ""),
        ({"security.protocol": "SSL", "enable.ssl.certificate.verification": "false"}, "any certificate"),
        ({"security.protocol": "SASL_SSL", "enable.ssl.certificate.verification": False}, "any certificate"),
        ({"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"}, "for any host"),
        ({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN"}, "in plain text"),
        ({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512"}, ""),
    ],
)
def test_what_kafkas_options_leave_open(options: dict[str, Option], words: str) -> None:
    found = told(replace(SETTINGS, kafka=replace(KAFKA, librdkafka=options)))
    assert len(found) == bool(words)
    assert words in "".join(found)


@pytest.mark.parametrize(
    ("registry", "count"),
    [
        (Registry(url=AWAY), 0),
        (Registry(url=AWAY, username="u", password=Secret("hunter2")), 1),
        (Registry(url=AWAY, token=Secret("hunter2")), 1),
        (Registry(url=AWAY.replace("http:", "https:"), token=Secret("hunter2")), 0),
        (Registry(url="http://127.0.0.1:8081", token=Secret("hunter2")), 0),
    ],
)
def test_what_goes_to_a_registry_in_plain_text(registry: Registry, count: int) -> None:
    assert len(told(replace(SETTINGS, registry=registry))) == count
