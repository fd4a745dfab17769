"""Requests on a real Kafka: shared, handed over, fenced; what is committed and what never is."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from connector.actions.record import Assigned, Commit, Committed, Incoming
from tests.parts import kafka as parts
from tests.real.requests_ends import Worker, ask, insisted, member, prepared, true, until, values


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 120))


def test_a_request_is_taken_answered_and_not_met_again(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap)
        await ask(ends, ["one", "two"])
        async with member(ends) as requests:
            (assigned,) = await until(requests, Assigned)
            assert assigned == Assigned(ends.place(), [], "")
            first, second = await until(requests, Incoming, 2)
            assert [first.value, second.value] == [b"one", b"two"]
            work = Commit([ends.response("1"), ends.claim("one")], {ends.place(): 1}, {ends.place(): "1:1,1"})
            assert await insisted(requests, work) == Committed()
        async with member(ends) as requests:
            (assigned,) = await until(requests, Assigned)
            assert [each.value for each in assigned.claims] == [b"one"]
            assert assigned.note == "1:1,1"
            (again,) = await until(requests, Incoming)
            assert again == second
        assert await values(ends, ends.responses) == ["1"]

    run(scenario)


def test_two_members_share_and_hand_over_without_loss_or_repeat(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap, 4)
        changed = asyncio.Condition()
        asked = [str(number) for number in range(120)]
        await ask(ends, asked[:40])
        async with member(ends) as one:
            first = Worker(ends, one, changed)
            await true(changed, lambda: len(first.seen) == 40)
            async with member(ends) as two:
                second = Worker(ends, two, changed)
                await true(changed, lambda: len(second.owned) == 2)
                await ask(ends, asked[40:80])
                await true(changed, lambda: len(first.seen + second.seen) == 80)
                assert first.owned.isdisjoint(second.owned)
                await second.end()
            await ask(ends, asked[80:])
            await true(changed, lambda: len(first.seen + second.seen) == 120)
            await first.end()
        assert sorted(first.seen + second.seen, key=int) == asked
        assert sorted(await values(ends, ends.responses), key=int) == asked

    run(scenario)
