"""Checks of the journal: whether its folder can be used, and has room."""

import shutil
import tempfile
from pathlib import Path

from connector.preflight import Finding, State
from connector.settings.sections import Journal

_WHAT = "journal"


def check(settings: Journal, pbxs: int) -> list[Finding]:
    """See what becomes of what is read and not yet in Kafka."""
    if settings.path is None:
        seen = f"in memory, {settings.bound >> 20} MiB for each PBX: lost when the process is killed"
        return [Finding(_WHAT, State.WARNING, seen, "set journal.path to a folder")]
    folder = Path(settings.path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        must = settings.when_failing == "stop"
        seen = f"{error.filename or folder}: {error.strerror}"
        return [Finding(_WHAT, State.FAILED, seen, "mend it, or set another journal.path", fatal=must)]
    wanted = settings.bound * pbxs
    seen = f"{folder}: {free >> 20} MiB free, up to {wanted >> 20} MiB wanted"
    if free < wanted:
        return [Finding(_WHAT, State.WARNING, seen, "lower journal.max_bytes, or make room")]
    return [Finding(_WHAT, State.OK, seen)]
