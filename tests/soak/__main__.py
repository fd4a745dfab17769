"""`python -m tests.soak`: every event of a PBX through faults, and a judge that counts; fails where one is missing."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.parts import asterisk, kafka
from tests.soak.judge import findings
from tests.soak.report import text
from tests.soak.run import Choice, Parts, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long at least; rounds are ended")
    parser.add_argument(
        "--events", type=int, default=100_000, help="how many at least, in a round about as many"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="chooses the faults")
    parser.add_argument("--outage", type=float, default=60, help="seconds for which all of Kafka is away")
    parser.add_argument("--pbx", type=int, choices=(22, 16), default=22, help="version of Asterisk")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ami-kafka-soak-"))
    print(f"seed          {options.seed}\nfiles         {folder}", flush=True)
    choice = Choice(options.events, options.seed, options.minutes, options.outage)
    began = time.monotonic()
    with kafka.start(3) as cluster, asterisk.start(options.pbx, debug=True) as pbx:
        evidence = run(Parts(cluster, pbx, folder, "soak"), choice, sys.stdout)
    found = findings(evidence)
    report = text(evidence, found, time.monotonic() - began)
    print(report)
    if not found:
        shutil.rmtree(folder)
        return 0
    (folder / "report").write_text("\n".join([f"seed {options.seed}", report, "", *found]) + "\n")
    print(f"what is needed to understand it is in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
