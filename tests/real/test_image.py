"""What the image holds runs as the image runs it: without rights, on a root that nothing can be written to.

No container is made. The steps of the Dockerfile that need no network are done in a folder, and its command is run
there as its user, with the environment and the files that `docker-compose.yml` gives to it.
"""

import json
import os
import re
import shlex
import site
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.parts.asterisk import Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import Child, wait_until
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import fresh

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text("utf-8")
CONNECTOR: Final[Mapping[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))[
    "services"
]["connector"]
HOME: Final = "/opt/ami-kafka"
SYSTEM: Final = ("/usr", "/bin", "/lib", "/lib64", "/sbin")
ENTER: Final = """
set -e
root=$1 made=$2 config=$3 target=$4 journal=$5 volume=$6 workdir=$7 user=$8 group=$9
shift 9
mount -t tmpfs -o mode=755 tmpfs "$root"
for each in $BOUND; do
    mkdir -p "$root$(dirname "$each")"
    if [ -L "$each" ]; then cp -P "$each" "$root$each"; else mkdir -p "$root$each"; mount --bind -o ro "$each" "$root$each"; fi
done
mkdir -p "$root/proc" "$root/dev" "$root$HOME_OF" "$root$workdir" "$root$volume"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$made" "$root$HOME_OF"
touch "$root$target"
mount --bind "$config" "$root$target"
mount --bind "$journal" "$root$volume"
mount -o remount,ro,bind "$root$HOME_OF"
mount -o remount,ro,bind "$root$target"
mount -o remount,ro "$root"
cd "$root$workdir"
exec chroot "$root" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 and not os.environ.get("AMI_KAFKA_REQUIRE_REAL"),
    reason="not root: a root of its own needs it",
)


def word_of(instruction: str) -> str:
    """Give what the last such instruction of the Dockerfile says."""
    return str(re.findall(rf"^{instruction} (.+)$", DOCKERFILE, re.MULTILINE)[-1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's folder: a new environment with the wheel, and the packages of this one."""
    folder = tmp_path_factory.mktemp("image") / "ami-kafka"
    python = folder / "bin" / "python"
    dist = folder.parent / "dist"
    run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    run(*pip, "--no-index", "--no-deps", *map(str, dist.glob("*.whl")))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()))
    script = folder / "bin" / "ami-kafka"
    script.write_text(script.read_text().replace(str(folder), HOME))
    return folder


def run(*words: str) -> None:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Container:
    """The connector as it runs there."""

    def __init__(self, folder: Path, made: Path, text: str, environment: Mapping[str, str]) -> None:
        self.journal = folder / "volume"
        self.journal.mkdir()
        user, group = map(int, word_of("USER").split(":"))
        os.chown(self.journal, user, group)
        mounts = dict(each.split(":")[1::-1] for each in CONNECTOR["volumes"])
        (volume,) = (place for place, source in mounts.items() if source == "journal")
        target = CONNECTOR["environment"]["AMI_KAFKA_CONFIG"]
        config = folder / "ami-kafka.toml"
        config.write_text(text)
        config.chmod(0o644)
        root = folder / "root"
        root.mkdir()
        command = [*json.loads(word_of("ENTRYPOINT")), *CONNECTOR["command"]]
        own = dict(each.split("=", 1) for each in shlex.split(word_of("ENV")))
        path = own.pop("PATH").replace("$PATH", "/usr/bin:/bin")
        given = {**own, **CONNECTOR["environment"], **environment}
        base = {sys.base_prefix, *site.getsitepackages()}
        bound = [
            *(each for each in SYSTEM if Path(each).exists()),
            *sorted(each for each in base if not each.startswith("/usr/")),
        ]
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh"]
        words += [str(root), str(made), str(config), target, str(self.journal), volume]
        words += [word_of("WORKDIR"), str(user), str(group)]
        words += [
            "env",
            "-i",
            f"PATH={path}",
            *(f"{name}={value}" for name, value in given.items()),
            *command,
        ]
        self._child = Child(words, folder / "log", env={"BOUND": " ".join(bound), "HOME_OF": HOME})

    def text(self) -> str:
        return self._child.log.read_text(errors="replace")

    def address(self) -> str:
        def told() -> "re.Match[str] | None":
            self._child.must_live()
            return re.search(r"the status page is at (http://[^\s\"]+)", self.text())

        return wait_until(told, "the status page", within=60)[1]

    def status(self) -> dict[str, str]:
        """Give what the kernel says of the process."""
        lines = Path(f"/proc/{self._child.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def mounted(self) -> dict[str, set[str]]:
        """Give its mounts with their options."""
        lines = Path(f"/proc/{self._child.pid}/mounts").read_text().splitlines()
        return {line.split()[1]: set(line.split()[3].split(",")) for line in lines}

    def stop(self) -> int | None:
        self._child.stop()
        return self._child.code()

    def end(self) -> None:
        self._child.kill()


@contextmanager
def container(folder: Path, made: Path, text: str, environment: Mapping[str, str]) -> Iterator[Container]:
    one = Container(folder, made, text, environment)
    try:
        yield one
    finally:
        one.end()


def settings(pbx: Pbx, kafka: Cluster | Kafka, registry: Service | Registry) -> str:
    """The sample's own settings, but for the places of the peers and who logs in."""
    (source,) = (str(each).split(":")[0] for each in CONNECTOR["volumes"] if each.endswith(".toml:ro"))
    text = (ROOT / source).read_text("utf-8")
    places = {
        "asterisk:5038": f"{pbx.host}:{pbx.port}",
        "kafka:19092": kafka.bootstrap,
        "http://registry:8080/apis/ccompat/v7": registry.url,
        'username = "ami-kafka"': f'username = "{pbx.username}"',
    }
    for there, here in places.items():
        assert there in text
        text = text.replace(there, here)
    return text


def test_it_runs_with_no_rights_and_writes_its_journal_alone(
    made: Path, asterisk22: Pbx, kafka: Cluster | Kafka, registry: Service | Registry, tmp_path: Path
) -> None:
    prefix = fresh("image")
    environment = {
        "AMI_KAFKA__PBX__SAMPLE__SECRET": asterisk22.secret,
        "AMI_KAFKA__EVENTS__TOPIC_PREFIX": prefix,
        "AMI_KAFKA__HTTP__HOST": "127.0.0.1",
        "AMI_KAFKA__HTTP__PORT": "0",
    }
    with container(tmp_path, made, settings(asterisk22, kafka, registry), environment) as one:
        address = one.address()
        wait_until(lambda: answers(f"{address}readyz") == 200, "it is ready", within=60)
        assert well(address) == 0
        status, mounted = one.status(), one.mounted()
        assert set(status["Uid"].split()) == {word_of("USER").split(":")[0]}
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        writable = {place for place, options in mounted.items() if "rw" in options}
        assert {place for place in writable if not place.startswith(("/proc", "/dev"))} == {
            "/var/lib/ami-kafka"
        }
        assert (one.journal / "sample" / "epoch").stat().st_uid == int(word_of("USER").split(":")[0])
        assert one.stop() == 0, one.text()
    reading.remove(kafka.bootstrap, prefix)


def answers(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def well(address: str) -> int:
    """Do the health check of compose, and give what it ends with."""
    kind, *words = CONNECTOR["healthcheck"]["test"]
    assert kind == "CMD"
    program = [
        sys.executable if word == "python" else word.replace("http://127.0.0.1:9464/", address)
        for word in words
    ]
    return subprocess.run(program, check=False, timeout=30).returncode
