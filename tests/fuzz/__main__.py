"""`python -m tests.fuzz TARGET --seconds N`: look for input that a reader does not survive."""

import argparse
import logging
import random
import sys
import time
import traceback

from tests.fuzz import (
    captures,
    claims,
    documentation,
    frames,
    journals,
    registries,
    requests,
    schemas,
    sessions,
    texts,
)

TARGETS = {
    "captures": captures.target,
    "claims": claims.target,
    "documentation": documentation.target,
    "frames": frames.target,
    "journal": journals.target,
    "registry": registries.target,
    "requests": requests.target,
    "schemas": schemas.target,
    "sessions": sessions.target,
    "settings": texts.target,
}


def main() -> int:
    """Run one target, or one after the other; 1 when something was found, which the same seed finds again."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    logging.disable()
    chosen = TARGETS if arguments.target == "all" else [arguments.target]
    found = [name for name in chosen if finds(name, arguments.seed, arguments.seconds)]
    return 1 if found else 0


def finds(name: str, seed: int, seconds: float) -> bool:
    """Run a target for some seconds, or until it finds something."""
    once = TARGETS[name](seed)
    print(f"{name}: seed {seed}", flush=True)
    end, count, longest = time.monotonic() + seconds, 0, 0.0
    while (begun := time.monotonic()) < end:
        try:
            once()
        except Exception:  # noqa: BLE001 (whatever it is, it is what was looked for)
            traceback.print_exc()
            print(f"{name}: input {count} of seed {seed}", file=sys.stderr)
            return True
        count += 1
        longest = max(longest, time.monotonic() - begun)
    print(f"{name}: {count} inputs, nothing found; the slowest took {longest * 1e3:.0f} ms", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
