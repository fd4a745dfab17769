"""Events: the road beside what people write today and beside the limit, in one run."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

STEADY_RATE = 5_000
STEADY_SECONDS = 10


def run(name: str, events: int, rate: int = 0) -> dict[str, Any]:
    """Run one contestant in a process of its own and return what it measured."""
    command = [sys.executable, "-m", "tests.bench.contestants", name, str(events), str(rate)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env={**os.environ, "TZ": "UTC"}
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def median(results: list[dict[str, Any]], key: str) -> float:
    return float(statistics.median(result[key] for result in results))


TITLES = {
    "road": "connector, the whole road",
    "segments": "the same, journal on disk",
    "sqlite": "the same, journal in SQLite",
    "bare": "the same without privacy rules",
    "pseudonyms": "the same, callers as pseudonyms",
    "today": "(a) what people write today",
    "limit": "(b) produce alone, no work",
}


def table(results: dict[str, list[dict[str, Any]]]) -> None:
    print(f"{'':32}{'events/s':>10}  {'from .. to':>18}  {'CPU us/event':>12}  {'peak MB':>8}")
    for name, runs in results.items():
        rates = sorted(result["rate"] for result in runs)
        spread = f"{rates[0]:,.0f} .. {rates[-1]:,.0f}"
        print(
            f"{TITLES[name]:32}{median(runs, 'rate'):>10,.0f}  {spread:>18}  {median(runs, 'cpu_us'):>12.1f}  {median(runs, 'peak_mb'):>8.0f}"
        )
    road, others = median(results["road"], "rate"), [name for name in results if name != "road"]
    print()
    for name in others:
        other = median(results[name], "rate")
        print(f"road / {TITLES[name]}: {road / other:.2f}    {TITLES[name]} / road: {other / road:.2f}")


def measure(events: int, rounds: int) -> None:
    """Measure `events` events a round, beside the yardsticks, and print what came of it."""
    _compare(events, rounds, ("road", "today", "limit"))
    _steady("road")


def measure_journals(events: int, rounds: int) -> None:
    """Measure the road with its journal in memory, on disk, and in the store that was weighed against files."""
    _compare(events, rounds, ("road", "segments", "sqlite"))
    _steady("road")
    _steady("segments")


def measure_privacy(events: int, rounds: int) -> None:
    """Measure the road with the rules of privacy that hold by default, without any, and with many."""
    _compare(events, rounds, ("road", "bare", "pseudonyms"))


def _compare(events: int, rounds: int, names: tuple[str, ...]) -> None:
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(rounds):
        # Each comes first in its turn: what one leaves behind (pages to be written) slows the next.
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            results[name].append(run(name, events // (5 if name == "today" else 1)))
    table(results)


def _steady(name: str) -> None:
    steady = run(name, STEADY_RATE * STEADY_SECONDS, STEADY_RATE)
    print(
        f"\n{TITLES[name]}, at a steady {STEADY_RATE:,} events/s for {STEADY_SECONDS} s, socket to acknowledgement: p50 {steady['p50_ms']:.1f} ms, p99 {steady['p99_ms']:.1f} ms, peak {steady['peak_mb']:.0f} MB"
    )
