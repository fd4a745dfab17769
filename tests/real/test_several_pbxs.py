"""Several PBXs in one process: one dies and comes back, the others' events go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import MEASURED, Bridge, bridge, fresh, pbx_table
from tests.real.reading import Decoder, Got
from tests.real.story import Ends, mark, tables

QUICK = {"ping_interval_s": 1.0, "pong_timeout_s": 2.0}


def test_one_goes_down_and_comes_back_while_the_other_goes_on(
    kafka: Cluster | Kafka,
    registry: Service | Registry,
    start_asterisk: Callable[..., Asterisk],
    tmp_path: Path,
) -> None:
    prefix = fresh("several")
    settings = tables(Ends(kafka, registry), prefix, select=["UserEvent", "FullyBooted"])
    pbxs = {f"pbx-{version}": start_asterisk(version, system_name=f"pbx-{version}") for version in (22, 16)}
    for name, pbx in pbxs.items():
        settings[f"pbx.{name}"] = pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret, **QUICK)
    with bridge(tmp_path, {**settings, "http": MEASURED}) as running:
        go_down_and_come_back(running, kafka.bootstrap, prefix, *pbxs.values())
        assert running.stop() == 0, running.text()
        assert len(running.facts("LinkUp")) == 3
    got = reading.read_all(kafka.bootstrap, prefix)
    reading.remove(kafka.bootstrap, prefix)
    with Decoder(registry.url) as decoder:
        judge(got, decoder)


def go_down_and_come_back(
    running: Bridge, bootstrap: str, prefix: str, steady: Asterisk, frail: Asterisk
) -> None:
    """Let one PBX die and start again, and both speak before, meanwhile and after."""
    running.expect("LinkUp", 2)
    mark(steady, "Steady1")
    mark(frail, "Frail1")
    reading.expect(bootstrap, prefix, b"Frail1")
    running.moves("session_up", least=2)
    running.moves("ready")
    frail.kill()
    running.expect("LinkDown", pbx="pbx-16")
    running.falls("session_up", pbx="pbx-16")
    running.falls("ready")
    running.moves("session_ends_total", pbx="pbx-16")
    assert running.metric("session_ends_total", pbx="pbx-22") == 0
    mark(steady, "Steady2")
    reading.expect(bootstrap, prefix, b"Steady2")
    frail.start()
    running.expect("LinkUp", 2, pbx="pbx-16")
    running.moves("logins_total", least=2, pbx="pbx-16")
    running.moves("ready")
    mark(frail, "Frail2")
    mark(steady, "Steady3")
    for last in (b"Frail2", b"Steady3"):
        reading.expect(bootstrap, prefix, last)


def judge(got: list[Got], decoder: Decoder) -> None:
    told: dict[str, list[tuple[int, dict[str, Any]]]] = {"pbx-22": [], "pbx-16": []}
    for one in sorted(got, key=lambda one: one.number):
        told[one.pbx].append((one.number, decoder.value(one)))
    for name, records in told.items():
        assert [number for number, _ in records] == list(range(1, len(records) + 1)), name
        assert {value["source"]["system_name"] for _, value in records} <= {name, None}

    def said(name: str) -> list[str]:
        return [value["user_event"] for _, value in told[name] if "user_event" in value]

    assert said("pbx-22") == ["Steady1", "Steady2", "Steady3"]
    assert said("pbx-16") == ["Frail1", "Frail2"]
    kinds = [value["type"] for _, value in told["pbx-16"] if "type" in value]
    assert kinds == ["session_up", "session_down", "session_up", "gap", "session_down"]
    gap = next(value for _, value in told["pbx-16"] if value.get("type") == "gap")
    assert gap["from_time_us"] < gap["to_time_us"]
    assert len({value["source"]["epoch"] for _, value in told["pbx-16"]}) == 1
    assert [value["type"] for _, value in told["pbx-22"] if "type" in value] == ["session_up", "session_down"]
