"""Asterisk as Debian ships it, each release in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.parts import Unavailable, cache

RELEASES = {22: ("forky", "asterisk"), 16: ("bullseye", "asterisk,asterisk-voicemail")}
SCRIPT = Path("/usr/share/debootstrap/scripts/sid")
"""An older debootstrap does not know a newer suite by name; all suites of ours unpack alike."""
UNNEEDED = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


def root_folder(version: int) -> Path:
    """Give the folder with this release of Asterisk, fetched when it is not there yet."""
    return cache.provide(f"asterisk{version}", lambda draft: _build(draft, *RELEASES[version]))


def tool(name: str, package: str) -> str:
    """Give the path of a program, installing its package where we may."""
    found = shutil.which(name)
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"no `{name}` here, and not root to install it: apt-get install {package}")
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
        subprocess.run(command, check=False, capture_output=True, env=_quiet())
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"apt-get could not install {package}, which has `{name}`")
    return found


def _build(draft: Path, suite: str, packages: str) -> None:
    if os.geteuid() != 0:
        raise Unavailable("not root: debootstrap and chroot need it to make and run an Asterisk of Debian's")
    bootstrap = tool("debootstrap", "debootstrap")
    # Its own mount namespace, so that no /proc stays mounted in the folder if it is killed half-way.
    command = ["unshare", "--mount", "--propagation", "private", bootstrap, "--variant=minbase"]
    command += [f"--include={packages}", suite, str(draft), mirror(), str(SCRIPT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_quiet())
    if done.returncode != 0:
        raise Unavailable(
            f"debootstrap of {suite} failed (no network?): {(done.stdout + done.stderr)[-600:]}"
        )
    for folder in UNNEEDED:
        shutil.rmtree(draft / folder, ignore_errors=True)
    (draft / "srv").mkdir(exist_ok=True)


def mirror() -> str:
    """Give the mirror that this machine itself uses, which is the one sure to be reachable."""
    chosen = os.environ.get("AMI_KAFKA_DEBIAN_MIRROR")
    if chosen:
        return chosen
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for place in places:
        for line in place.read_text(errors="replace").splitlines() if place.is_file() else []:
            address = _address(line)
            if address:
                return address
    raise Unavailable("no Debian mirror in /etc/apt; name one in AMI_KAFKA_DEBIAN_MIRROR")


def _address(line: str) -> str | None:
    """Find the address of a main Debian archive in one line of either format of apt's sources."""
    words = line.split()
    if not words or words[0] not in {"deb", "URIs:"}:
        return None
    return next((word for word in words[1:] if "://" in word and word.rstrip("/").endswith("/debian")), None)


def _quiet() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
