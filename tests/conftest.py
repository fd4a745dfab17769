"""What holds for every test: an environment of our own, and laws: in CI more examples, the same each time."""

import gc
import os
from collections.abc import Iterator
from importlib import import_module

import pytest
from hypothesis import settings

KEPT = ("AMI_KAFKA_PARTS", "AMI_KAFKA_DEBIAN_MIRROR", "AMI_KAFKA_REQUIRE_REAL", "AMI_KAFKA_TEST_")
"""Settings of whoever runs the tests would change what they test; these tell where the real parts are."""

for name in list(os.environ):
    if name.startswith("AMI_KAFKA") and not name.startswith(KEPT):
        del os.environ[name]

# Two cores are shared with real parts: a deadline would measure them, not us.
settings.register_profile("home", deadline=None, max_examples=20)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Spread tests over processes one by one, but for those of real parts: one process starts and shares them."""
    plan = import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    plan._split_scope = lambda nodeid: "real" if nodeid.startswith("tests/real/") else nodeid
    return plan


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_to_the_collector() -> Iterator[None]:
    """Find what was never closed while a test still runs: a process beside the first tells of nothing later."""
    yield
    gc.collect()
