"""Clients that are not ours read the topics: Debian's kcat, and a program on Kafka's own Java client."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.kafka import Cluster, Kafka
from tests.parts.processes import wait_until
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import command, fresh, pbx_table, toml
from tests.real.foreign import PROGRAMS, need_kcat, run_java
from tests.real.reading import Got
from tests.real.readme import blocks
from tests.real.story import Ends, tables

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"
PROGRAM = PROGRAMS / "Partitions.java"
TOPIC = "new-channel"
VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Apache Kafka's own for Utils.murmur2 (UtilsTest.java)."""


@pytest.fixture(scope="module")
def records(
    kafka: Cluster | Kafka, registry: Service | Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Got]]:
    """Put recorded calls into topics, and give one topic's records as confluent-kafka reads them."""
    prefix, folder = fresh("foreign"), tmp_path_factory.mktemp("foreign")
    settings = tables(Ends(kafka, registry), prefix, select=["@call", "@unknown"])
    settings["pbx.main"] = pbx_table("127.0.0.1", 5038, "nobody", "nothing")
    config, capture = folder / "settings.toml", folder / "capture.ami"
    config.write_text(toml(settings))
    capture.write_bytes(b"".join((CAPTURES / f"{name}.ami").read_bytes() for name in ("dial", "transfer")))
    done = command("replay", str(capture), "--output", "kafka", "--config", str(config))
    assert done.returncode == 0, done.stderr
    got = reading.read_all(kafka.bootstrap, prefix)
    yield [one for one in got if one.topic.endswith(f".{TOPIC}")]
    reading.remove(kafka.bootstrap, prefix)


def kcat(*words: str) -> str:
    need_kcat()
    return subprocess.run(["kcat", *words], check=True, capture_output=True, timeout=60).stdout.decode()


def test_kcat_reads_keys_and_headers(kafka: Cluster | Kafka, records: list[Got]) -> None:
    form = r"%p\t%o\t%k\t%h\t%S\n"
    words = ["-b", kafka.bootstrap, "-C", "-t", records[0].topic, "-o", "beginning", "-e", "-q", "-f", form]
    expected = {
        "\t".join(
            [
                str(got.partition),
                str(got.offset),
                got.key.decode(),
                ",".join(f"{name}={value}" for name, value in got.headers.items()),
                str(len(got.value)),
            ]
        )
        for got in records
    }
    assert {*kcat(*words).splitlines()} == expected
    assert len(expected) == len(records) > 40


def test_java_reads_the_same_and_computes_the_partitions_where_records_lie(
    kafka: Cluster | Kafka, records: list[Got]
) -> None:
    read = [
        line.split("\t") for line in run_java("kafka", PROGRAM, "consume", kafka.bootstrap, records[0].topic)
    ]
    assert {(int(partition), int(offset), key, name) for partition, offset, _, key, name, _ in read} == {
        (got.partition, got.offset, got.key.decode(), got.headers["ce_id"]) for got in records
    }
    assert [line for line in read if line[0] != line[2]] == []
    assert len({line[0] for line in read}) == 3


def test_java_hashes_as_apache_kafkas_vectors_say() -> None:
    lines = run_java("kafka", PROGRAM, "hash", told="\n".join(key.hex() for key in VECTORS) + "\n")
    hashes = [int(line.split()[0]) for line in lines]
    assert hashes == list(VECTORS.values())
    for line in lines:
        number, three, sixteen = map(int, line.split())
        positive = number & 0x7FFFFFFF
        assert (three, sixteen) == (positive % 3, positive % 16)


def test_the_readmes_python_reads_events(
    kafka: Cluster | Kafka, registry: Service | Registry, records: list[Got], tmp_path: Path
) -> None:
    places = {
        "kafka.example.net:9092": kafka.bootstrap,
        "http://registry.example.net:8081": registry.url,
        "asterisk.": f"{records[0].topic.partition('.')[0]}.",
    }
    (code,) = blocks("Reading the events", "python", places)
    printed, complaints = tmp_path / "printed", tmp_path / "complaints"
    with printed.open("wb") as out, complaints.open("wb") as err:
        words = [sys.executable, "-u", "-c", code]
        reader = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            wait_until(lambda: b"\n" in printed.read_bytes() or reader.poll() is not None, "a hangup")
        finally:
            reader.kill()
            reader.wait()
    assert printed.read_bytes(), complaints.read_text()
    key, day, _, channel, cause = printed.read_text().splitlines()[0].split(maxsplit=4)
    assert key.startswith("main|")
    assert (day[:3], channel[:6], cause != "") == ("202", "Local/", True)
