"""What librdkafka's statistics tell of a producer, of the few that matter (its STATISTICS.md)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from connector.facts import ProducerMeasured

EVERY_S: Final = 5
"""Seconds between two measures; a read of them takes a few milliseconds where there are many topics."""

OPTION: Final = "statistics.interval.ms"


def measured(text: str) -> ProducerMeasured:
    """Return what a `stats_cb` was given.

    Brokers that no connection was tried to are left out; of the others the slowest counts.
    """
    told: Mapping[str, Any] = json.loads(text)
    brokers = [each for each in told.get("brokers", {}).values() if each.get("nodeid", -1) >= 0]
    return ProducerMeasured(
        queued=int(told.get("msg_cnt", 0)),
        queued_bytes=int(told.get("msg_size", 0)),
        round_trip_us=max((int(each.get("rtt", {}).get("avg", 0)) for each in brokers), default=0),
        brokers_up=sum(each.get("state") == "UP" for each in brokers),
    )
