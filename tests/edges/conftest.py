"""An embedded broker for each test that asks for one."""

from collections.abc import Iterator

import pytest

from connector.demo.broker import EmbeddedBroker


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running
