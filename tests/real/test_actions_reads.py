"""Every safe action that a bare Asterisk can answer, over the pool and over a bare socket: the same answer."""

import asyncio
from collections.abc import Callable

import pytest

from tests.parts.asterisk import Asterisk
from tests.real.pooled import pool_at
from tests.real.reads import Answers, Questions, compare, settled


async def over_the_pool(pbx: Asterisk, questions: Questions) -> Answers:
    async with pool_at(pbx) as one:
        answers = []
        for name, headers in questions.asked:
            answers.append([message.headers for message in await one.ask(name, *headers)])
        assert one.sessions == ["off"]
        return answers


@pytest.mark.parametrize("version", [22, 16])
def test_the_pool_gives_all_that_a_bare_socket_gives(
    start_asterisk: Callable[..., Asterisk], version: int
) -> None:
    pbx = start_asterisk(version)
    with settled(pbx) as questions:
        before = questions.ask()
        ours = asyncio.run(over_the_pool(pbx, questions))
        compare(questions.asked, before, ours, questions.ask())
