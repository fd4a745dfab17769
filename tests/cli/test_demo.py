"""The demo without a terminal: lines, and an end after so many."""

import json
import re
from urllib.request import urlopen

import pytest

from tests.cli.conftest import SECONDS, Program


@pytest.mark.parametrize("form", ["text", "json"])
def test_it_ends_after_so_many_events(program: Program, form: str) -> None:
    demo = program("demo", "--events", "200", "--speed", "50", "--output", form)
    printed, logged = demo.communicate(timeout=SECONDS)
    assert (demo.returncode, logged) == (0, "")
    lines = printed.splitlines()
    if form == "json":
        every = [json.loads(line) for line in lines]
        answers = [record for record in every if record["topic"] == "asterisk.responses.json"]
        assert {answer["value"]["status"] for answer in answers} <= {"SUCCESS", "REFUSED"}
        records = [record for record in every if record not in answers]
        numbers = [int(record["headers"]["ce_id"].rpartition("/")[2]) for record in records]
        assert numbers == list(range(1, 201 - len(answers)))
        assert all(record["value"]["source"]["pbx"] == "demo" for record in records)
        assert {record["topic"] for record in records} >= {
            "asterisk.connector",
            "asterisk.events.new-channel",
        }
    else:
        events, summary = lines[:200], lines[200:]
        assert all("  asterisk." in line for line in events)
        assert ["Sum", "200"] in [line.split() for line in summary]


def test_its_status_page_is_served_where_asked_for(program: Program) -> None:
    demo = program("demo", "--http-port", "0")
    assert demo.stderr is not None
    found = re.fullmatch(
        r"ami-kafka: the status page is at (http://127\.0\.0\.1:\d+/)\n", demo.stderr.readline()
    )
    assert found
    with urlopen(f"{found[1]}status", timeout=SECONDS) as answer:
        assert "demo" in json.dumps(json.load(answer))
    demo.terminate()
    demo.communicate(timeout=SECONDS)
    assert demo.returncode == 0


def test_a_closed_pipe_ends_it_quietly(program: Program) -> None:
    demo = program("demo", "--speed", "50")
    assert demo.stdout is not None
    assert demo.stderr is not None
    assert "asterisk.connector" in demo.stdout.readline()
    demo.stdout.close()
    assert demo.wait(SECONDS) == 0
    assert demo.stderr.read() == ""
    demo.stderr.close()


def test_ctrl_c_ends_it(program: Program) -> None:
    demo = program("demo")
    assert demo.stdout is not None
    assert "asterisk.connector" in demo.stdout.readline()
    demo.terminate()
    printed, logged = demo.communicate(timeout=SECONDS)
    assert (demo.returncode, logged) == (0, "")
    assert "Sum" in printed
