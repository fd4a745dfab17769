"""`python -m tests.bench`: events, then actions, each beside its yardsticks in the same run."""

import argparse

from tests.bench import actions, events, outage


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=["events", "journal", "privacy", "actions", "outage"])
    parser.add_argument("--events", type=int, default=100_000, help="events of a round")
    parser.add_argument("--requests", type=int, default=2_000, help="requests of a stream, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--bootstrap", help="measure actions against this Kafka")
    place.add_argument("--real", action="store_true", help="start a real Kafka for the actions")
    options = parser.parse_args()
    if options.only == "outage":
        outage.measure(options.events)
        return
    if options.only == "journal":
        events.measure_journals(options.events, options.rounds)
        return
    if options.only == "privacy":
        events.measure_privacy(options.events, options.rounds)
        return
    if options.only != "actions":
        events.measure(options.events, options.rounds)
    if options.only != "events":
        actions.measure(options.requests, options.rounds, options.bootstrap, real=options.real)


if __name__ == "__main__":
    main()
