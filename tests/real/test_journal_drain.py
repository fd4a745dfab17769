"""What a killed connector has left on disk comes to a real Kafka without its PBX, which is gone by then."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.real import reading
from tests.real.bridge import bridge, command, fresh, toml
from tests.real.test_journal import Counting, numbered, settings


def status(config: Path) -> dict[str, Any]:
    done = command("journal", "status", "--output", "json", "--config", str(config))
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_journal_is_drained_when_its_pbx_is_gone(
    start_asterisk: Callable[..., Asterisk], start_kafka: Callable[..., Kafka], tmp_path: Path
) -> None:
    pbx, kafka, prefix = start_asterisk(22), start_kafka(), fresh("drain")
    tables = settings(kafka, pbx, pbx.port, tmp_path, prefix)
    config = tmp_path / "drain.toml"
    config.write_text(toml(tables))
    with Counting(pbx) as counting, bridge(tmp_path, tables, "--only", "events") as running:
        running.expect("LinkUp")
        kafka.nodes[0].stop()
        counting.more(2_000)
        begun = status(config)
        assert begun["owner"]
        in_use = command("journal", "drain", "--config", str(config))
        assert in_use.returncode == 1
        running.signal(signal.SIGKILL)
        running.code()
    pbx.stop()
    kafka.nodes[0].start()
    left = status(config)
    assert left["owner"] is None
    assert left["waiting"] >= begun["waiting"] > 0

    done = command("journal", "drain", "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.fullmatch(r"main: (\d+) records delivered; nothing is left\n", done.stdout)
    assert told, done.stdout
    assert int(told[1]) == left["waiting"]
    assert status(config)["waiting"] == 0
    numbers = [each.number for each in numbered(reading.read_all(kafka.bootstrap, prefix))]
    assert len(numbers) == len({*numbers})
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    assert len(numbers) > 1_900


def test_a_connector_that_runs_keeps_its_journal(
    start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(22), fresh("drain")
    tables = settings(kafka, pbx, pbx.port, tmp_path, prefix)
    config = tmp_path / "drain.toml"
    config.write_text(toml(tables))
    with bridge(tmp_path, tables, "--only", "events") as running:
        running.expect("LinkUp")
        refused = command("journal", "drain", "--config", str(config))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "the journal is in use by process" in refused.stderr
        assert running.stop() == 0
    drained = command("journal", "drain", "--output", "json", "--config", str(config))
    assert json.loads(drained.stdout)["left"] == 0
