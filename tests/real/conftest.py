"""Real parts for the tests in this folder.

At home a test is skipped when its part cannot be had, or was never fetched: a test run must not download
half a gigabyte by itself. With AMI_KAFKA_REQUIRE_REAL=1, as in CI, it is fetched, and fails if it cannot be.
Servers that already run are used where a variable names them (`python -m tests.parts env`), but not by
`kafka3` and the `start_...` functions, whose users stop and kill what they get.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn, TypeVar

import pytest

from tests.parts import Unavailable, acltool, asterisk, kafka, registry, running, sipp

REQUIRED = os.environ.get("AMI_KAFKA_REQUIRE_REAL") == "1"
HERE = Path(__file__).parent
Part = TypeVar("Part")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, so that `-m 'not real'` leaves it out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(name="kafka", scope="session")
def shared_kafka(until_the_end: ExitStack) -> kafka.Cluster | kafka.Kafka:
    """Give one node, shared: every test has topics, groups and transactional ids of its own."""
    given = _given("kafka")
    return (
        kafka.Cluster(given) if given else _have("kafka", lambda: until_the_end.enter_context(kafka.start()))
    )


@pytest.fixture(scope="session")
def kafka3(until_the_end: ExitStack) -> kafka.Kafka:
    """Give three nodes, shared: who stops one starts it again before leaving."""
    return _have("kafka3", lambda: until_the_end.enter_context(kafka.start(3)))


@pytest.fixture(name="registry", scope="session")
def shared_registry(until_the_end: ExitStack) -> registry.Service | registry.Registry:
    """Give a schema registry, shared: every test has subjects of its own."""
    given = _given("registry")
    return (
        registry.Service(given)
        if given
        else _have("registry", lambda: until_the_end.enter_context(registry.start()))
    )


@pytest.fixture(scope="session")
def asterisk22(until_the_end: ExitStack) -> asterisk.Pbx:
    """Give an Asterisk 22, shared: who stops it asks `start_asterisk` for a private one."""
    return _pbx(22, until_the_end)


@pytest.fixture(scope="session")
def asterisk16(until_the_end: ExitStack) -> asterisk.Pbx:
    """Give an Asterisk 16, shared."""
    return _pbx(16, until_the_end)


@pytest.fixture(scope="session")
def sipp_is_here() -> bool:
    """Tell whether sipp can be started; where parts are required it is installed."""
    try:
        return bool(sipp.provided() if REQUIRED else shutil.which("sipp"))
    except Unavailable as reason:
        _give_up(f"sipp: {reason}")


@pytest.fixture
def start_asterisk(until_the_test_ends: ExitStack) -> Callable[..., asterisk.Asterisk]:
    """Give `asterisk.start` as a plain function: what it starts ends with the test."""

    def start(version: int = 22, **choices: object) -> asterisk.Asterisk:
        plan = asterisk.Plan(version=version, **choices)  # type: ignore[arg-type]
        return have_asterisk(plan, until_the_test_ends)

    return start


def have_asterisk(plan: asterisk.Plan, ends: ExitStack) -> asterisk.Asterisk:
    """Start a private PBX that ends with `ends`."""
    return _have(f"asterisk{plan.version}", lambda: ends.enter_context(asterisk.run(plan)))


@pytest.fixture
def start_kafka(until_the_test_ends: ExitStack) -> Callable[..., kafka.Kafka]:
    """Give `kafka.start` as a plain function: what it starts ends with the test."""

    def start(
        nodes: int = 1,
        *,
        properties: dict[str, str] | None = None,
        users: dict[str, str] | None = None,
    ) -> kafka.Kafka:
        cluster = kafka.start(nodes, properties=properties, users=users)
        return _have("kafka", lambda: until_the_test_ends.enter_context(cluster))

    return start


@pytest.fixture(scope="session")
def acl_tool() -> Callable[[str, Path], CompletedProcess[str]]:
    """Give what runs scripts in which `kafka-acls` is Kafka's own."""
    _have("tools", acltool.provided)
    return acltool.run


@pytest.fixture(scope="module")
def guarded_kafka() -> Iterator[kafka.Kafka]:
    """Give one node with users (see `guarded`), shared by a module: every test has a user of its own."""
    with ExitStack() as ends:
        yield _have("kafka", lambda: ends.enter_context(kafka.start(users={"nobody": "nothing"})))


@pytest.fixture(scope="session")
def until_the_end() -> Iterator[ExitStack]:
    """Hold what is shared."""
    with ExitStack() as ends:
        yield ends


@pytest.fixture
def until_the_test_ends() -> Iterator[ExitStack]:
    """Hold what belongs to one test."""
    with ExitStack() as ends:
        yield ends


def _pbx(version: int, ends: ExitStack) -> asterisk.Pbx:
    name = f"asterisk{version}"
    given = _given(name)
    if given:
        return asterisk.given(given)
    return _have(name, lambda: ends.enter_context(asterisk.start(version, system_name=f"pbx-{version}")))


def _given(name: str) -> str | None:
    return os.environ.get(running.VARIABLES[name])


def _have(name: str, begin: Callable[[], Part]) -> Part:
    if not REQUIRED and not running.fetched(name):
        pytest.skip(f"{name} is not here; get it with: python -m tests.parts fetch {name}")
    try:
        return begin()
    except Unavailable as reason:
        _give_up(f"{name}: {reason}")


def _give_up(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
