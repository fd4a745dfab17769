"""`python -m tests.parts`: provide the real parts, start them, stop them, record them."""

import argparse
import shlex
import sys
import time
from pathlib import Path

from tests.parts import Unavailable, asterisk, cache, capture, running


def main() -> int:
    """Run one command; 1 when a part cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.parts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, meaning in MEANINGS.items():
        command = commands.add_parser(name, help=meaning, description=meaning)
        if name in ("fetch", "up"):
            known = running.FETCHERS if name == "fetch" else running.VARIABLES
            command.add_argument("parts", nargs="*", choices=[[], *known], help="default: the usual")
        if name == "capture":
            command.add_argument("folder", type=Path)
            command.add_argument("--version", type=int, choices=(16, 22), action="append", dest="versions")
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.command](arguments)
    except Unavailable as reason:
        print(f"cannot: {reason}", file=sys.stderr)
        return 1
    return 0


def _fetch(arguments: argparse.Namespace) -> None:
    for name in tuple(arguments.parts) or (*running.USUAL, "spring", "tools", "asyncapi", "validators"):
        begun = time.monotonic()
        folder = running.fetch(name)
        print(f"{name:<11} {folder} ({time.monotonic() - begun:.1f} s)")


def _up(arguments: argparse.Namespace) -> None:
    running.up(tuple(arguments.parts) or running.USUAL)
    _status(arguments)


def _env(_: argparse.Namespace) -> None:
    for name, part in running.known().items():
        print(f"export {running.VARIABLES[name]}={shlex.quote(part.address)}")


def _down(_: argparse.Namespace) -> None:
    running.down()


def _status(_: argparse.Namespace) -> None:
    known = running.known()
    print(f"parts are kept in {cache.home()}")
    for name in running.FETCHERS:
        state = "fetched" if running.fetched(name) else "not fetched"
        print(f"{name:<11} {'running' if name in known else state}")


def _capture(arguments: argparse.Namespace) -> None:
    for version in arguments.versions or (22, 16):
        with asterisk.run(asterisk.Plan(version=version, cel_events=CEL_EVENTS[version])) as pbx:
            capture.write(pbx, arguments.folder / f"asterisk{version}")
    with asterisk.start(22, debug=True) as pbx:
        (arguments.folder / "asterisk22" / "debug.ami").write_bytes(
            capture.capture_group(pbx, "call_answered")
        )


CEL_EVENTS = {22: "ALL", 16: "LINKEDID_END,USER_DEFINED,PARK_START,ATTENDEDTRANSFER,APP_START"}
"""A quarter of the bytes would be CEL; one version with all of it is enough in the repository."""
MEANINGS = {
    "fetch": "provide the parts in the cache",
    "up": "start the parts in the background, or keep those that run",
    "env": "print the variables that let tests use what `up` started",
    "down": "stop what `up` started",
    "status": "tell what is fetched and what runs",
    "capture": "record the AMI traffic of all scenarios into a folder",
}
COMMANDS = {"fetch": _fetch, "up": _up, "env": _env, "down": _down, "status": _status, "capture": _capture}

if __name__ == "__main__":
    sys.exit(main())
