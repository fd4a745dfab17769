"""`python -m tests.fuzz TARGET --seconds N`: look for input that a reader does not survive."""

import argparse
import random
import sys
import time
import traceback

from tests.fuzz import frames, journals, requests, texts

TARGETS = {
    "frames": frames.target,
    "journal": journals.target,
    "requests": requests.target,
    "settings": texts.target,
}


def main() -> int:
    """Run one target; 1 when something was found, which the same seed finds again."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    once = TARGETS[arguments.target](arguments.seed)
    print(f"{arguments.target}: seed {arguments.seed}", flush=True)
    end, count, longest = time.monotonic() + arguments.seconds, 0, 0.0
    while (begun := time.monotonic()) < end:
        try:
            once()
        except Exception:  # noqa: BLE001 (whatever it is, it is what was looked for)
            traceback.print_exc()
            print(f"{arguments.target}: input {count} of seed {arguments.seed}", file=sys.stderr)
            return 1
        count += 1
        longest = max(longest, time.monotonic() - begun)
    print(f"{arguments.target}: {count} inputs, nothing found; the slowest took {longest * 1e3:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
