"""Where parts are kept between runs: outside the checkout, each whole or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def home() -> Path:
    """Give the folder of all parts; a variable moves it to another disk or a CI cache."""
    chosen = os.environ.get("AMI_KAFKA_PARTS")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "ami-kafka" / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def has(name: str) -> bool:
    """Tell whether a part was built before."""
    return (home() / name).is_dir()


def provide(name: str, build: Callable[[Path], None]) -> Path:
    """Give the part's folder, building it first when it is missing.

    A reader may look at any time, hence the rename; two builders would download twice, hence the lock.
    """
    target = home() / name
    if target.is_dir():
        return target
    with locked(name):
        if not target.is_dir():
            draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home()))
            try:
                build(draft)
                draft.chmod(0o755)
                draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return target


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the part's lock; the kernel lets go of it if the holder is killed."""
    with (home() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
