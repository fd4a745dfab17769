"""The Java side of the parts: what Maven brings, and the machine's JDKs that run it."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.parts import Unavailable

POMS = Path(__file__).parent / "conf" / "maven"


def fetch(pom: str, into: Path) -> None:
    """Copy what a pom depends on into a folder, from wherever this machine's Maven is set to look."""
    maven = shutil.which("mvn")
    if not maven:
        raise Unavailable("no `mvn` here; install Maven")
    command = [maven, "--batch-mode", "--quiet", "--file", str(POMS / f"{pom}.xml")]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"Maven could not bring {pom} (no network?): {(done.stdout + done.stderr)[-600:]}")


def java(at_least: int) -> str:
    """Give the newest Java on this machine that is new enough."""
    found = max(_installed(), default=(0, ""))
    if found[0] < at_least:
        raise Unavailable(f"needs Java {at_least} or newer; the newest here is {found[0] or 'none'}")
    return found[1]


def command(java_at_least: int, *, heap: str) -> list[str]:
    """Begin a command line for a small JVM: two cores are shared by all parts and the tests."""
    return [java(java_at_least), f"-Xmx{heap}", "-XX:+UseSerialGC"]


@functools.cache
def _installed() -> tuple[tuple[int, str], ...]:
    homes = [Path(os.environ.get("JAVA_HOME", "/nonexistent")), *Path("/usr/lib/jvm").glob("*")]
    places = [home / "bin" / "java" for home in homes]
    places.append(Path(shutil.which("java") or "/nonexistent"))
    return tuple((_version(place), str(place)) for place in places if place.exists())


@functools.cache
def _version(binary: Path) -> int:
    told = subprocess.run([str(binary), "-version"], check=False, capture_output=True, text=True).stderr
    number = re.search(r'version "(\d+)', told)
    return int(number[1]) if number else 0
