"""The registry away at the start, and again while new kinds of events come: what is read waits, and nothing is lost."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.cable import Cable
from tests.parts.asterisk import Asterisk, Pbx
from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import MEASURED, Tables, bridge, command, fresh, pbx_table, toml
from tests.real.test_journal import Counting

MORE = 500
LOST = ("gap", "overflow")


def settings(kafka: Cluster | Kafka, pbx: Pbx, url: str, folder: Path, prefix: str) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret),
        "kafka": {"bootstrap_servers": [kafka.bootstrap]},
        "registry": {"url": url, "auto_register": True, "timeout_s": 2.0},
        "events": {"select": ["@user", "Newchannel", "Hangup"], "topic_prefix": prefix},
        "journal": {"path": str(folder / "journal")},
        "topics": {"partitions": 1},
        "http": MEASURED,
    }


def test_what_is_read_waits_for_the_registry(
    registry: Service | Registry,
    kafka: Cluster | Kafka,
    start_asterisk: Callable[..., Asterisk],
    tmp_path: Path,
) -> None:
    pbx, prefix = start_asterisk(22), fresh("registry-away")
    url, port = registry.url, urlsplit(registry.url).port
    assert port is not None
    with Cable(port) as cable:
        tables = settings(kafka, pbx, url.replace(f":{port}", f":{cable.port}"), tmp_path, prefix)
        cable.refuse()
        config = tmp_path / "settings.toml"
        config.write_text(toml(tables))
        refused = command("run", "--config", str(config), "--only", "events")
        assert refused.returncode != 0
        assert "registry" in refused.stderr
        cable.welcome()
        with Counting(pbx) as counting, bridge(tmp_path, tables, "--only", "events") as running:
            running.expect("LinkUp")
            counting.more(MORE)
            wait_until(lambda: reading.topics_of(kafka.bootstrap, prefix), "topics")
            cable.refuse()
            cable.cut()
            call(pbx)
            running.expect("RegistryTrouble")
            running.moves("registry_errors_total")
            counting.more(MORE)
            counting.stop()
            cable.welcome()
            reading.expect(kafka.bootstrap, prefix, str(counting.made).encode())
            reading.expect(kafka.bootstrap, f"{prefix}.events", b"Local/brief@parties", times=2)
            assert running.stop() == 0, running.text()
            assert [fact["reason"] for fact in running.facts("LinkDown")] == ["logged off"]
    judge(url, reading.read_all(kafka.bootstrap, prefix), counting.made)


def call(pbx: Pbx) -> None:
    """Have a call begin and end: its events are of kinds whose schemas nobody has asked for yet."""
    with pbx.manager() as ami:
        ami.action("Originate", Channel="Local/brief@parties/n", Application="Wait", Data="1", Async="true")
        ami.expect("Hangup", times=2)


def judge(url: str, got: list[reading.Got], made: int) -> None:
    """Say that each event is there once, and that nothing is told to be lost."""
    with reading.Decoder(url) as decoder:
        values = [decoder.value(each) for each in got]
    numbers = [int(item["value"]) for value in values for item in value["extra"] if item["name"] == "Number"]
    assert numbers == [*range(numbers[0], made + 1)]
    assert len(numbers) >= 2 * MORE
    sequences = sorted(value["source"]["sequence"] for value in values)
    assert sequences == [*range(1, len(values) + 1)]
    assert not [json.dumps(value, default=str) for value in values if value.get("type") in LOST]
