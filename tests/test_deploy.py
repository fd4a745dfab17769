"""The image and the sample of docker-compose.yml: what can be proved of them without an engine."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.settings.load import load
from connector.settings.sections import Settings

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "docs" / "deploy" / "compose"
DOCKERFILES = (ROOT / "Dockerfile", SAMPLE / "asterisk" / "Dockerfile")


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    """The services of the sample."""
    found: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    return found


@pytest.fixture(scope="module")
def settings(services: Mapping[str, Any]) -> Settings:
    """The connector's settings as it finds them in its container."""
    environment = services["connector"]["environment"]
    mounts = dict(volume.split(":")[1::-1] for volume in services["connector"]["volumes"])
    text = (ROOT / mounts[environment["AMI_KAFKA_CONFIG"]]).read_text("utf-8")
    return load(text, environment, lambda path: pytest.fail(f"reads {path}"))


def _instructions(dockerfile: Path) -> Iterator[tuple[str, list[str]]]:
    text = dockerfile.read_text("utf-8").replace("\\\n", " ")
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return ((line[0], line[1:]) for line in lines)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_all_that_an_image_copies_is_there(dockerfile: Path) -> None:
    copies = [words[:-1] for name, words in _instructions(dockerfile) if name == "COPY"]
    sources = [word for words in copies if not words[0].startswith("--from") for word in words]
    assert sources
    for source in sources:
        assert list(dockerfile.parent.glob(source)), source


def test_what_the_image_copies_is_not_ignored() -> None:
    rules = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert rules[0] == "*"
    for name, words in _instructions(ROOT / "Dockerfile"):
        if name == "COPY" and not words[0].startswith("--from"):
            assert {f"!{source}" for source in words[:-1]} <= set(rules)


def test_the_image_runs_the_command_as_nobody_in_particular() -> None:
    instructions = dict(_instructions(ROOT / "Dockerfile"))
    assert instructions["ENTRYPOINT"] == ['["ami-kafka"]']
    assert instructions["USER"][0].split(":")[0] not in ("root", "0")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert "ami-kafka" in scripts


def test_images_are_named_without_a_host_and_with_a_version(services: Mapping[str, Any]) -> None:
    foreign = [service["image"] for service in services.values() if "build" not in service]
    foreign += [words[0] for file in DOCKERFILES for name, words in _instructions(file) if name == "FROM"]
    for image in foreign:
        assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?:[\w.-]+", image), image
        assert not image.endswith(":latest")


def test_files_that_compose_uses_are_there(services: Mapping[str, Any]) -> None:
    for service in services.values():
        if "build" in service:
            assert (ROOT / service["build"] / "Dockerfile").is_file()
        for volume in service.get("volumes", ()):
            if volume.startswith("."):
                assert (ROOT / volume.split(":")[0]).is_file()


def test_compose_names_only_what_it_has(services: Mapping[str, Any]) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        named = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith(".")}
        assert named <= compose["volumes"].keys()


def test_every_service_that_is_waited_for_says_whether_it_is_well(services: Mapping[str, Any]) -> None:
    waited = {name for service in services.values() for name in service.get("depends_on", ())}
    assert waited
    assert all("healthcheck" in services[name] for name in waited)


def test_ports_are_published_to_this_machine_alone(services: Mapping[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_settings_name_the_services(settings: Settings, services: Mapping[str, Any]) -> None:
    kafka = services["kafka"]["environment"]
    assert f"INSIDE://{settings.kafka.bootstrap_servers[0]}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert [str(host) for pbx in settings.pbx.values() for host, _ in pbx.addresses] == ["asterisk"]
    assert settings.registry is not None
    assert settings.registry.url.startswith("http://registry:8080/")
    console = yaml.safe_load(services["console"]["environment"]["AKHQ_CONFIGURATION"])
    assert console["akhq"]["connections"]["sample"]["schema-registry"]["url"] == settings.registry.url


def test_the_sample_pbx_lets_the_connector_in_with_no_right_to_change_anything(settings: Settings) -> None:
    account = _section((SAMPLE / "asterisk" / "manager.conf").read_text("utf-8"), "ami-kafka")
    (pbx,) = settings.pbx.values()
    assert pbx.username == "ami-kafka"
    assert account["secret"] == pbx.secret.reveal()
    assert account["read"].split(",") == list(pbx.event_classes)
    assert account["write"] == "reporting"


def test_the_calls_of_the_sample_are_in_its_dialplan(services: Mapping[str, Any]) -> None:
    numbers = re.findall(r"for number in ([\d ]+);", services["calls"]["command"][-1])[0].split()
    dialplan = (SAMPLE / "asterisk" / "extensions.conf").read_text("utf-8")
    assert all(f"exten => {number},1," in dialplan for number in numbers)


def test_the_rtp_ports_are_the_published_ones(services: Mapping[str, Any]) -> None:
    rtp = _section((SAMPLE / "asterisk" / "rtp.conf").read_text("utf-8"), "general")
    wanted = f"{rtp['rtpstart']}-{rtp['rtpend']}"
    assert f"127.0.0.1:{wanted}:{wanted}/udp" in services["asterisk"]["ports"]


def _section(text: str, name: str) -> dict[str, str]:
    """One section of a file of Asterisk's, each key's last value."""
    body = re.split(r"^\[", text.partition(f"[{name}]\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    pairs = (line.partition("=") for line in body.splitlines() if not line.startswith(";"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def test_hooks_run_targets_that_make_has() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert hooks
    assert {target for hook in hooks for target in hook["entry"].split()[1:]} <= targets
