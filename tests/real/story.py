"""The same calls seen from both ends of the road: a plain socket at the PBX, a consumer at Kafka."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.parts import scenarios
from tests.parts.asterisk import Asterisk, Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import Tables, bridge, command, fresh, pbx_table, toml
from tests.real.reading import Decoder, Got
from tests.real.witness import Witness

FIRST, LAST = "RoadBegins", "RoadEnds"
SIPP_FIRST, SIPP_LAST = "SippBegins", "SippEnds"
VARIABLES = "channelvars = CHANNEL(language),DIALSTATUS,QUEUENAME,CDR(src)"


class Ends(NamedTuple):
    """Where the road leads to."""

    kafka: Cluster | Kafka
    registry: Service | Registry


class Told(NamedTuple):
    """What came of a story: the PBX's frames, Kafka's records and those in the PBX's order with their values."""

    pbx: str
    frames: list[bytes]
    everything: list[Got]
    events: list[tuple[Got, dict[str, Any]]]
    decoder: Decoder
    exit_code: int
    log: str
    capture: bytes


TOLD: dict[int, Told] = {}


def tables(ends: Ends, prefix: str, **events: Any) -> Tables:
    """Return settings for everything but the PBXs; topics are made and schemas registered by `run`."""
    return {
        "events": {"select": ["@all", "@unknown"], "topic_prefix": prefix, **events},
        "kafka": {"bootstrap_servers": [ends.kafka.bootstrap]},
        "registry": {"url": ends.registry.url, "auto_register": True},
        # The witness sees what the PBX has sent: nothing is masked.
        "privacy": {"defaults": False},
        "topics": {"partitions": 3},
    }


def story(version: int, start: Callable[..., Asterisk], ends: Ends, folder: Path, *, sipp: bool) -> Told:
    """Tell it once for each version; what came of it is looked at by many tests."""
    if version not in TOLD:
        pbx = start(version, system_name=f"pbx-{version}", manager_extra=VARIABLES)
        TOLD[version] = _tell(pbx, ends, folder, sipp=sipp)
    return TOLD[version]


def _tell(pbx: Asterisk, ends: Ends, folder: Path, *, sipp: bool) -> Told:
    prefix, name = fresh("road"), f"main-{pbx.version}"
    settings = tables(ends, prefix)
    settings[f"pbx.{name}"] = pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret, timezone="UTC")
    if pbx.version == 16:
        _prepare(settings, folder)
    with bridge(folder, settings) as running, Witness(pbx) as witness:
        running.expect("LinkUp", pbx=name)
        mark(pbx, FIRST)
        for group in scenarios.ALL:
            scenarios.run(pbx, group)
        if sipp:
            mark(pbx, SIPP_FIRST)
            scenarios.run(pbx, "sipp")
            mark(pbx, SIPP_LAST)
        mark(pbx, LAST)
        witness.expect(f"UserEvent: {LAST}".encode())
        reading.expect(ends.kafka.bootstrap, prefix, LAST.encode())
        code = running.stop()
        everything = reading.read_all(ends.kafka.bootstrap, prefix)
        reading.remove(ends.kafka.bootstrap, prefix)
        with Decoder(ends.registry.url) as decoder:
            events = between(everything, decoder)
        frames = witness.frames(FIRST, LAST)
        return Told(name, frames, everything, events, decoder, code, running.text(), bytes(witness.received))


def _prepare(settings: Tables, folder: Path) -> None:
    """Do by hand, before the start, what `run` would do: for users whose clusters want it so."""
    config = folder / "prepare.toml"
    config.write_text(toml(settings))
    for words in (("topics", "apply"), ("schemas", "register")):
        done = command(*words, "--config", str(config))
        assert done.returncode == 0, done.stderr
    settings["topics"]["create"] = "never"
    settings["registry"]["auto_register"] = False


def mark(pbx: Pbx, name: str) -> None:
    """Let the PBX say something that both ends know."""
    with pbx.manager(events="off") as ami:
        ami.action("UserEvent", UserEvent=name)


def between(everything: list[Got], decoder: Decoder) -> list[tuple[Got, dict[str, Any]]]:
    """Return the PBX's own events from mark to mark in the order of their numbers."""
    ordered = sorted(everything, key=lambda got: got.number)
    genuine = [
        got for got in ordered if got.topic.rpartition(".")[2] not in ("connector", "dlq", "test-event")
    ]
    events = [(got, decoder.value(got)) for got in genuine]
    names = [value.get("user_event") for _, value in events]
    return events[names.index(FIRST) : names.index(LAST) + 1]
