"""What `/status` says: the shape of Kafka Connect's connector status, and our own particulars under `ami_kafka`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connector.status.board import Board, Noted, Pbx, Trouble
from connector.status.readiness import Readiness


class Worker(NamedTuple):
    """Who tells: the connector's name, its version, and where it runs (host:port)."""

    name: str
    version: str
    worker_id: str


def status(
    board: Board, readiness: Readiness, worker: Worker, died: Mapping[str, str], now_us: int
) -> dict[str, Any]:
    """Return the document; `died` says of roads that have ended by themselves why. Times are milliseconds since 1970."""
    tasks = [_task(place, pbx, worker, died) for place, pbx in enumerate(board.pbxs.values())]
    state = "FAILED" if died else "RUNNING"
    return {
        "name": worker.name,
        "connector": {"state": state, "worker_id": worker.worker_id},
        "tasks": tasks,
        "type": "source",
        "ami_kafka": {
            "version": worker.version,
            "now_ms": now_us // 1_000,
            "since_ms": board.since_us // 1_000,
            "ready": readiness.ready,
            "conditions": [each._asdict() for each in readiness.conditions],
            "died": dict(died),
            "pbxs": [_pbx(name, pbx) | {"task": n} for n, (name, pbx) in enumerate(board.pbxs.items())],
            "kafka": {
                "acknowledged_ms": _ms(board.acknowledged_us),
                "trouble": _trouble(board.kafka_trouble),
            },
            "registry": {"trouble": _trouble(board.registry_trouble)},
            "requests": sorted(board.partitions),
            "published": dict(board.published.most_common()),
            "dead_letters": dict(board.dead_letters.most_common()),
            "gaps": [_noted(each) for each in reversed(board.gaps)],
            "actions": [_noted(each) for each in reversed(board.actions)],
        },
    }


def _task(place: int, pbx: Pbx, worker: Worker, died: Mapping[str, str]) -> dict[str, Any]:
    task: dict[str, Any] = {"id": place, "state": "RUNNING", "worker_id": worker.worker_id}
    if died:
        return task | {"state": "FAILED", "trace": "; ".join(f"{road}: {why}" for road, why in died.items())}
    if pbx.up:
        return task
    state = "RESTARTING" if pbx.trouble else "UNASSIGNED"
    return task | {"state": state} | ({"trace": pbx.trouble.reason} if pbx.trouble else {})


def _pbx(name: str, pbx: Pbx) -> dict[str, Any]:
    sample = pbx.samples.latest
    return {
        "name": name,
        "events": {
            "up": pbx.up,
            "since_ms": _ms(pbx.since_us),
            "address": pbx.address,
            "ami_version": pbx.ami_version,
            "asterisk_version": pbx.asterisk_version,
            "started": pbx.started,
            "stalled": pbx.stalled,
            "trouble": _trouble(pbx.trouble),
            "retry_s": pbx.retry_s,
        },
        "actions": {"sessions": pbx.action_sessions, "trouble": _trouble(pbx.action_trouble)},
        "journal": {
            "entries": sample.entries if sample else None,
            "bytes": sample.size if sample else None,
            "limit_bytes": sample.limit if sample else None,
            "oldest_ms": _ms(sample.oldest_us) if sample else None,
            "trouble": _trouble(pbx.journal_trouble),
        },
        "lag_ms": _ms(sample.lag_us) if sample else None,
        "clock_offset_ms": _ms(sample.offset_us) if sample else None,
        "points": [
            [_ms(each.at_us), each.read_s, each.delivered_s, _ms(each.lag_us), each.entries]
            for each in pbx.samples.points()
        ],
    }


def _noted(noted: Noted) -> dict[str, Any]:
    return {"at_ms": _ms(noted.at_us), "what": noted.what} | noted.said


def _trouble(trouble: Trouble | None) -> dict[str, Any] | None:
    return {"at_ms": _ms(trouble.at_us), "reason": trouble.reason} if trouble else None


def _ms(value_us: int | None) -> int | None:
    return None if value_us is None else value_us // 1_000
