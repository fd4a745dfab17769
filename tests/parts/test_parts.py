"""The parts' own rules, where no server is needed to see them."""

import os
import sys
from pathlib import Path
from threading import Thread

import pytest

from tests.parts import Unavailable, asterisk, cache, debian
from tests.parts.ami import Message
from tests.parts.processes import Child, wait_until

ANSWERS_WHEN_ASKED = """
import pathlib, sys, time
begun, asked, answered = map(pathlib.Path, sys.argv[1:])
begun.touch()
while not asked.exists():
    time.sleep(0.01)
answered.touch()
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the real cache out of it."""
    monkeypatch.setenv("AMI_KAFKA_PARTS", str(tmp_path))
    return tmp_path


def test_a_part_that_failed_half_way_is_not_there(own_cache: Path) -> None:
    def fails(draft: Path) -> None:
        (draft / "half").touch()
        raise Unavailable("no network")

    with pytest.raises(Unavailable):
        cache.provide("part", fails)
    assert not cache.has("part")
    assert [path.name for path in own_cache.iterdir()] == [".part.lock"]


def test_a_part_is_built_once() -> None:
    built: list[Path] = []
    first = cache.provide("part", built.append)
    assert cache.provide("part", built.append) == first
    assert len(built) == 1


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("deb http://mirror.example/debian bookworm main", "http://mirror.example/debian"),
        ("deb [signed-by=/k.gpg] http://mirror.example/debian/ sid main", "http://mirror.example/debian/"),
        ("URIs: http://mirror.example/debian", "http://mirror.example/debian"),
        ("URIs: http://mirror.example/debian-security", None),
        ("# deb http://mirror.example/debian sid main", None),
        ("deb-src http://mirror.example/debian sid main", None),
        ("", None),
    ],
)
def test_the_mirror_is_the_one_apt_uses(line: str, address: str | None) -> None:
    assert debian._address(line) == address


def test_a_given_pbx_is_read_from_its_address() -> None:
    pbx = asterisk.given("full:s:e@c@127.0.0.1:5038")
    assert (pbx.username, pbx.secret, pbx.host, pbx.port) == ("full", "s:e@c", "127.0.0.1", 5038)


def test_a_message_keeps_repeats_and_gives_the_first() -> None:
    message = Message([("Event", "UserEvent"), ("Note", "one"), ("Note", "two")])
    assert message["Note"] == "one"
    assert message.fits("UserEvent", {"Note": "one"})
    assert not message.fits("UserEvent", {"Note": "two"})


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    begun, asked, answered = files = [tmp_path / name for name in ("begun", "asked", "answered")]
    children = []

    def start() -> None:
        children.append(Child([sys.executable, "-c", ANSWERS_WHEN_ASKED, *map(str, files)], tmp_path / "log"))
        wait_until(begun.exists, "the child's begin")

    thread = Thread(target=start)
    thread.start()
    thread.join()
    wait_until(lambda: not Path(f"/proc/{os.getpid()}/task/{thread.native_id}").exists(), "the thread's end")
    asked.touch()
    try:
        wait_until(children[0].ended, "the child's end")
        assert children[0].code() == 0
        assert answered.exists()
    finally:
        children[0].kill()
