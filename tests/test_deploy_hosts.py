"""Kubernetes' manifests, the unit for systemd, and what Prometheus and Grafana of the sample are given."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.settings.actions import Actions
from connector.settings.load import load
from connector.settings.sections import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
UNIT = DEPLOY / "systemd" / "ami-kafka.service"
SECRETS = {"ami": "one-secret", "kafka": "another-secret"}


@pytest.fixture(scope="module")
def kinds() -> Mapping[str, Any]:
    """The manifests by their kind."""
    documents = yaml.safe_load_all((DEPLOY / "kubernetes" / "ami-kafka.yml").read_text("utf-8"))
    return {each["kind"]: each for each in documents}


@pytest.fixture(scope="module")
def pod(kinds: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = kinds["StatefulSet"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    (found,) = pod["containers"]
    only: Mapping[str, Any] = found
    return only


@pytest.fixture(scope="module")
def settings(kinds: Mapping[str, Any], container: Mapping[str, Any]) -> Settings:
    """The settings as the container finds them, with the secrets that are mounted."""
    folder = next(each["mountPath"] for each in container["volumeMounts"] if each["name"] == "secrets")
    files = {f"{folder}/{name}": SECRETS[name] for name in kinds["Secret"]["stringData"]}
    (text,) = kinds["ConfigMap"]["data"].values()
    return load(text, {}, lambda path: files[str(path)])


def test_the_settings_load_with_the_secrets_that_are_mounted(settings: Settings) -> None:
    assert settings.pbx["main"].secret.reveal() == SECRETS["ami"]
    assert settings.pbx["main"].tls is not None
    assert settings.kafka.librdkafka["security.protocol"] == "SASL_SSL"


def test_settings_journal_and_secrets_are_where_they_are_looked_for(
    settings: Settings, kinds: Mapping[str, Any], pod: Mapping[str, Any], container: Mapping[str, Any]
) -> None:
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    config = next(each["value"] for each in container["env"] if each["name"] == "AMI_KAFKA_CONFIG")
    folder, _, name = config.rpartition("/")
    assert name in kinds["ConfigMap"]["data"]
    assert {each["name"] for each in pod["volumes"]} | {"journal"} == set(mounts.values())
    assert mounts[folder] == "settings"
    assert mounts[str(settings.journal.path)] == "journal"
    (claim,) = kinds["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "journal"
    assert (
        settings.journal.bound
        < int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) << 30
    )


def test_a_pbx_has_one_reader_at_a_time(kinds: Mapping[str, Any]) -> None:
    assert kinds["StatefulSet"]["spec"]["replicas"] == 1
    assert kinds["StatefulSet"]["spec"]["serviceName"] == kinds["Service"]["metadata"]["name"]


def test_the_pod_may_do_nothing_that_it_need_not(
    pod: Mapping[str, Any], container: Mapping[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = next(line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:5] == "USER ")
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_probes_ask_what_is_served(settings: Settings, container: Mapping[str, Any]) -> None:
    assert settings.http.enabled
    assert not settings.http.local
    (port,) = container["ports"]
    assert port["containerPort"] == settings.http.port
    paths = {name: each["httpGet"] for name, each in container.items() if name.endswith("Probe")}
    assert {each["port"] for each in paths.values()} == {port["name"]}
    assert {name: each["path"] for name, each in paths.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }


def test_what_is_in_flight_has_its_time_at_the_end(pod: Mapping[str, Any]) -> None:
    needed = Actions().drain_s + 10
    assert pod["terminationGracePeriodSeconds"] > needed
    assert int(_unit()["TimeoutStopSec"]) > needed


def test_the_labels_agree(kinds: Mapping[str, Any]) -> None:
    labels = kinds["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert kinds["StatefulSet"]["spec"]["selector"]["matchLabels"] == labels
    assert kinds["Service"]["spec"]["selector"] == labels
    assert kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels


def _unit() -> dict[str, str]:
    pairs = (line.partition("=") for line in UNIT.read_text("utf-8").splitlines() if line[:1] not in "#[")
    return {name: value for name, _, value in pairs}


def test_the_unit_keeps_its_journal_and_its_secrets() -> None:
    unit = _unit()
    assert unit["ExecStart"].endswith("/ami-kafka run")
    assert unit["StateDirectory"] == "ami-kafka"
    assert unit["DynamicUser"] == unit["NoNewPrivileges"] == "yes"
    assert "LoadCredential" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text("utf-8").replace("/opt/ami-kafka/bin/ami-kafka", "/bin/true")
    (tmp_path / UNIT.name).write_text(text, "utf-8")
    command = ["systemd-analyze", "verify", str(tmp_path / UNIT.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert not ours
    assert not done.returncode


def test_prometheus_of_the_sample_asks_the_connector() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    folder = DEPLOY / "compose"
    scraped = yaml.safe_load((folder / "prometheus" / "prometheus.yml").read_text("utf-8"))
    targets = [
        target
        for job in scraped["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    ]
    sample = load((folder / "ami-kafka.toml").read_text("utf-8"), services["connector"]["environment"], str)
    assert targets == [f"connector:{sample.http.port}"]
    assert sample.http.enabled
    assert f"connector:{sample.http.port}".split(":")[0] in services
    mounted = [volume.split(":")[1] for volume in services["prometheus"]["volumes"]]
    assert {f"/etc/prometheus/{each}" for each in scraped["rule_files"]} <= set(mounted)


def test_grafana_of_the_sample_has_its_source_and_its_dashboard() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    folder = DEPLOY / "compose" / "grafana"
    (source,) = yaml.safe_load((folder / "datasource.yml").read_text("utf-8"))["datasources"]
    assert source["url"].removeprefix("http://").split(":")[0] in services
    (provider,) = yaml.safe_load((folder / "dashboards.yml").read_text("utf-8"))["providers"]
    mounted = [volume.split(":")[1] for volume in services["grafana"]["volumes"]]
    shown = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert shown in mounted
    assert Path(shown).parent == Path(provider["options"]["path"])
