"""What is printed of an actions benchmark: a table of medians, ratios, and whether the aims are met."""

import os
import statistics

Results = dict[str, list[dict[str, float]]]
"""By contestant, for each round: p50 and p99 in milliseconds, rate in actions/s."""

TITLES = {
    "hop": "one Kafka hop",
    "commit": "one transaction",
    "bare read": "read (Ping), bare AMI socket",
    "bare effect": "effect (QueuePause), bare socket",
    "session": "read, the pool alone, one session",
    "read": "read (Ping) through Kafka",
    "effect": "effect (QueuePause) thr. Kafka",
}
NOTES = """\
One hop: produced with acks=all -> consumed; the aims' round trips are counted as one hop each, the strictest reading.
One transaction: begin, produce, send offsets, commit; two transactional ids in turn, as in the connector. Through Kafka:
request produced -> response consumed, read_committed, by confluent-kafka in JSON. Latency: one request in flight at
a time. Rate: a stream of requests with different keys, all handed over at once; on the bare socket, 64 written ahead
of their answers; in the pool 64 callers and one action outstanding. The connector has one session, otherwise its
defaults. Broker, simulated PBX, connector and requester are processes of their own on one machine. A first
round is not counted. Each figure is the median of the rounds, with the lowest and the highest behind it."""

HOPS = 3
COMMITS = 2
PER_SESSION = 2_000


def report(results: Results, broker: str) -> None:
    """Print everything that was measured, and against what."""
    load = os.getloadavg()[0]
    print(f"\nactions, against {broker}; load average {load:.1f} at the end, {os.cpu_count()} processors\n")
    _table(results)
    print(f"\n{NOTES}\n")
    _latencies(results)
    _rates(results)


def _table(results: Results) -> None:
    print(f"{'':34}{'p50 ms':>26}{'p99 ms':>26}{'actions/s':>30}")
    for name, runs in results.items():
        cells = (_cell(runs, "p50", 26, 2), _cell(runs, "p99", 26, 2), _cell(runs, "rate", 30, 0))
        print(f"{TITLES[name]:34}{''.join(cells)}")


def _cell(runs: list[dict[str, float]], key: str, width: int, digits: int) -> str:
    if key not in runs[0]:
        return " " * width
    values = sorted(run[key] for run in runs)
    middle, low, high = (
        f"{value:,.{digits}f}" for value in (statistics.median(values), values[0], values[-1])
    )
    return f"{f'{middle} ({low} .. {high})':>{width}}"


def _median(results: Results, name: str, key: str = "p50") -> float:
    return statistics.median(run[key] for run in results[name])


def _latencies(results: Results) -> None:
    hop, commit = _median(results, "hop"), _median(results, "commit")
    added = _median(results, "read") - _median(results, "bare read")
    print(f"reads: Kafka adds {added:.2f} ms at p50 to the bare socket's: {added / hop:.1f} Kafka hops")
    print(f"  aim: not above {HOPS} hops, each way counted for itself: {_met(met=added <= HOPS * hop)}")
    more = _median(results, "effect") - _median(results, "bare effect")
    bound = COMMITS * commit + hop
    print(
        f"effects: Kafka adds {more:.2f} ms at p50: {more / bound:.2f} times {COMMITS} transactions and a hop ({bound:.2f} ms)"
    )
    print(
        f"  aim: not above {COMMITS} transactions and one hop: {_met(met=more <= bound)};"
        f" with a hop each way ({bound + hop:.2f} ms): {_met(met=more <= bound + hop)}"
    )
    claim = _median(results, "effect") - _median(results, "read")
    print(f"claims: an effect takes {claim:.2f} ms longer than a read: {claim / commit:.2f} transactions")


def _rates(results: Results) -> None:
    bare, session, read, effect = (
        _median(results, name, "rate") for name in ("bare read", "session", "read", "effect")
    )
    print(f"rates: read through Kafka / bare socket: {read / bare:.2f}, effect / read: {effect / read:.2f}")
    print(f"  aim: {PER_SESSION:,} actions/s per session, on the simulated PBX:")
    rates = {"the pool alone": session, "reads through Kafka": read, "effects through Kafka": effect}
    for name, rate in rates.items():
        print(f"    {name}: {rate:,.0f}/s: {_met(met=rate >= PER_SESSION)}")


def _met(*, met: bool) -> str:
    return "met" if met else "missed"
