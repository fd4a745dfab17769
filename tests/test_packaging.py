"""What leaves the house: locked dependencies, the wheel, the image; and what must never leave it."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from itertools import product
from pathlib import Path

import pytest

import connector

ROOT = Path(__file__).parents[1]
LOCKS = (
    "requirements.lock",
    "requirements-otel.lock",
    "requirements-build.lock",
    "requirements-test.lock",
    "requirements-dev.lock",
)
REGISTRIES = re.compile(
    "|".join(
        re.escape(f"{name}.{domain}")
        for names, domains in (
            (("pypi", "pythonhosted"), ("org",)),
            (("npmjs", "yarnpkg"), ("org", "com")),
            (("deb", "security", "ftp", "snapshot", "archive"), ("debian.org",)),
            (("repo", "repo1", "central", "search"), ("maven.org", "maven.apache.org", "sonatype.com")),
            (("proxy", "sum"), ("golang.org",)),
            (("static", "index"), ("crates.io",)),
        )
        for name, domain in product(names, domains)
    )
)
"""Which registry a machine asks is the machine's affair; put together so that this file names none."""


def _requirements(lock: str) -> Iterator[str]:
    """Each requirement with its hashes, one line each."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _pins(lock: str) -> dict[str, str]:
    pairs = (line.split()[0].split("==") for line in _requirements(lock))
    return dict(pairs)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_one_version_and_its_hashes_and_no_address(lock: str) -> None:
    requirements = list(_requirements(lock))
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement
    assert "://" not in (ROOT / lock).read_text("utf-8")


def test_the_locks_agree() -> None:
    run, otel, build, test, dev = map(_pins, LOCKS)
    assert run.items() <= otel.items()
    assert (otel | build).items() <= test.items() <= dev.items()


def test_the_locks_hold_all_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert _named(project["project"]["dependencies"]) <= _pins("requirements.lock").keys()
    assert (
        _named(project["project"]["optional-dependencies"]["otel"]) <= _pins("requirements-otel.lock").keys()
    )
    assert _named(project["build-system"]["requires"]) <= _pins("requirements-build.lock").keys()
    assert _named(project["dependency-groups"]["test"]) <= _pins("requirements-test.lock").keys()
    assert _named(project["dependency-groups"]["dev"]) <= _pins("requirements-dev.lock").keys()


def _named(requirements: list[object]) -> set[str]:
    names = (re.match(r"[\w.-]+", entry) for entry in requirements if isinstance(entry, str))
    return {name[0].lower() for name in names if name}


def test_no_file_names_a_registry() -> None:
    named = [
        f"{path}: {found[0]}"
        for path in _committed()
        if (found := REGISTRIES.search((ROOT / path).read_text("utf-8", errors="replace")))
    ]
    assert not named


def _committed() -> list[str]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout: what is committed is what leaves the house")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as the image builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_every_schema(wheel: zipfile.ZipFile) -> None:
    held = {name.removeprefix("connector/_schemas/") for name in wheel.namelist()}
    ours = {path.relative_to(ROOT / "schemas").as_posix() for path in _files("schemas")}
    assert ours
    assert ours <= held


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if not name.startswith("connector/_schemas/")}
    package = {name for name in held if ".dist-info/" not in name}
    assert package == {path.relative_to(ROOT).as_posix() for path in _files("connector")}
    assert "connector/py.typed" in package
    assert any(name.endswith("/licenses/LICENSE") for name in held)


def _files(folder: str) -> Iterator[Path]:
    found = (ROOT / folder).rglob("*")
    return (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def test_one_version_everywhere(wheel: zipfile.ZipFile) -> None:
    assert version("ami-kafka") == connector.__version__
    assert wheel.filename is not None
    assert Path(wheel.filename).name.startswith(f"ami_kafka-{connector.__version__}-")


def test_the_change_log_has_the_version_or_is_on_its_way_to_it() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert "Unreleased" in headings
    assert all(heading == "Unreleased" or re.fullmatch(r"\d+\.\d+\.\d+", heading) for heading in headings)
