"""Programs that check files of deployment by the schemas of those who read them, with these schemas: Compose's, Kubernetes'.

`conf/validators.lock` has their versions and hashes. They are no part of the environment that the tests run in.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.parts import Unavailable, cache

_LOCK: Final = Path(__file__).parent / "conf" / "validators.lock"
FOLDER: Final = "validators-1"


def provided() -> Path:
    """Give the part's folder, fetched if it is not there."""
    return cache.provide(FOLDER, _fetch)


def _fetch(into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    words = [
        *pip,
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--no-deps",
        "--target",
        str(into),
        "-r",
        str(_LOCK),
    ]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"pip could not bring the validators (no network?): {done.stderr[-600:]}")


def compose(path: Path) -> str:
    """Return what Compose's schema finds wrong with a file; "" for nothing."""
    return _run("check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


def kubernetes(path: Path) -> str:
    """Return what Kubernetes' schemas find wrong with manifests, unknown keys too; "" for nothing."""
    return _run("kubernetes_validate", "--strict", str(path))


def _run(module: str, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(provided())}
    done = subprocess.run(
        [sys.executable, "-m", module, *words], check=False, capture_output=True, text=True, env=environment
    )
    return done.stdout + done.stderr if done.returncode else ""
