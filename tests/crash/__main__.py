"""`python -m tests.crash`: connectors that crash, a judge that counts; fails where a promise is broken."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.faults import KINDS
from tests.crash.judge import violations
from tests.crash.report import text
from tests.crash.run import Choice, Parts, run
from tests.parts import asterisk, kafka


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=1_000, help="how many; a round of faults for each 1,000"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="chooses all else")
    parser.add_argument("--faults", type=int, help="how many faults instead of whole rounds")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="kinds of faults")
    parser.add_argument(
        "--broken", action="store_true", help="connectors that claim nothing: must be convicted"
    )
    parser.add_argument("--keep", type=Path, help="an empty folder for logs, which stay")
    options = parser.parse_args()
    print(f"seed          {options.seed}", flush=True)
    choice = Choice(options.requests, options.seed, options.faults, options.kinds, options.broken)
    began = time.monotonic()
    with (
        kafka.start(3) as cluster,
        asterisk.start(22) as pbx,
        tempfile.TemporaryDirectory(prefix="ami-kafka-crash-") as passing,
    ):
        evidence = run(Parts(cluster, pbx, options.keep or Path(passing), "crash"), choice, sys.stdout)
    found = violations(evidence)
    print(text(evidence, found, time.monotonic() - began))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
