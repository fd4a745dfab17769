"""Requests on a real Kafka: shared, handed over, fenced; what is committed and what never is."""

import asyncio
import random
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from confluent_kafka.admin import AclOperation, ResourceType  # type: ignore[attr-defined] # its public names

from connector.actions.record import (
    Aborted,
    Assigned,
    Commit,
    Committed,
    Fenced,
    Incoming,
    Lost,
    Outgoing,
    Revoking,
)
from tests.parts import kafka as parts
from tests.real.member import STEPS
from tests.real.requests_ends import (
    Ends,
    Worker,
    ask,
    insisted,
    member,
    prepared,
    process,
    reaches,
    remove,
    true,
    until,
    values,
)
from tests.real.test_topics import PASSWORD, USER, as_user, grant


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 120))


async def together(*scenes: Coroutine[Any, Any, None]) -> None:
    """Play scenes that mostly wait at the same time."""
    async with asyncio.TaskGroup() as group:
        for scene in scenes:
            group.create_task(scene)


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


def test_a_member_that_was_stopped_too_long_is_fenced(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap)
        await ask(ends, ["one"])
        async with process(ends, "begun", "SIGSTOP") as zombie:
            await zombie.told("value", "one")
            zombie.ask(do="owns")
            assert (await zombie.told("owns"))["owns"]
            zombie.commit([ends.response("zombie"), ends.claim("zombie")], 1)
            await zombie.stopped()
            # What it is asked while it is stopped, it does first when it wakes.
            zombie.ask(do="owns")
            async with member(ends) as owner:
                await until(owner, Incoming)
                work = Commit([ends.response("owner")], {ends.place(): 1})
                assert await insisted(owner, work) == Committed()
                zombie.wake()
                assert (await zombie.told("settled"))["settled"] == "Fenced"
                assert not (await zombie.told("owns"))["owns"]
                await zombie.go()
        assert await values(ends, ends.responses) == ["owner"]
        assert await values(ends, ends.claims) == []
        assert "zombie" in await values(ends, ends.responses, "read_uncommitted")

    run(scenario)


def test_what_a_killed_owner_left_open_is_waited_for_and_not_seen(kafka: parts.Kafka) -> None:
    async def scenario(step: str) -> None:
        ends = await prepared(kafka.bootstrap)
        await ask(ends, ["one"])
        async with member(ends) as before:
            await until(before, Incoming)
            work = Commit([ends.claim("committed")], {ends.place(): 0})
            assert await insisted(before, work) == Committed()
        async with process(ends, step, timeout_ms=3_000) as killed:
            await killed.told("value", "one")
            killed.commit([ends.claim("open")], 1)
            assert await killed.ended() == -signal.SIGKILL
            async with member(ends) as owner:
                (assigned,) = await until(owner, Assigned)
                assert [each.value for each in assigned.claims] == [b"committed"]
                # Had it not been waited for, it would still hold back what may be read.
                assert await reaches(ends, ends.claims) == await reaches(ends, ends.claims, committed=False)
                assert "open" in await values(ends, ends.claims, "read_uncommitted")
                (met,) = await until(owner, Incoming)
                assert met.value == b"one"

    run(lambda: together(scenario("flushed"), scenario("offsets")))


def test_a_transaction_is_whole_or_nothing_wherever_its_owner_dies(kafka: parts.Kafka) -> None:
    async def scenario(step: str) -> None:
        ends = await prepared(kafka.bootstrap)
        await ask(ends, ["one", "two"])
        # A lasting transactional id frees what the dead have left open at once.
        async with process(ends, step, transactional_id=ends.group) as dying:
            await dying.told("value", "one")
            dying.commit([ends.response("answer"), ends.claim("done")], 1)
            assert await dying.ended() == -signal.SIGKILL
            async with member(ends, ends.group) as owner:
                (assigned,) = await until(owner, Assigned)
                met = (await until(owner, Incoming))[0]
        whole = step == "committed"
        assert [each.value for each in assigned.claims] == ([b"done"] if whole else [])
        assert met.value == (b"two" if whole else b"one")
        assert await values(ends, ends.responses) == (["answer"] if whole else [])

    run(lambda: together(*map(scenario, STEPS)))


def test_what_is_in_flight_is_finished_before_a_partition_goes(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap, 2)
        await ask(ends, map(str, range(12)))
        async with member(ends) as one:
            taken = await until(one, Incoming, 12)
            async with member(ends) as two:
                (revoking,) = await until(one, Revoking)
                (place,) = revoking.places
                texts = [(each.value or b"").decode() for each in taken if each.place == place]
                end = 1 + max(each.offset for each in taken if each.place == place)
                assert one.owns(place)
                claims = [ends.claim(text, place.partition) for text in texts]
                assert await one.commit(Commit(claims, {place: 0})) == Committed()
                answers = [ends.response(text) for text in texts]
                assert await one.commit(Commit(answers, {place: end})) == Committed()
                one.released([place])
                (assigned,) = await until(two, Assigned)
                assert assigned.place == place
                assert [each.value for each in assigned.claims] == [text.encode() for text in texts]
                assert not one.owns(place)
                await ask(ends, map(str, range(12, 24)))
                later = await until(two, Incoming)
                assert later[0].offset == end
        assert await values(ends, ends.responses) == texts

    run(scenario)


def test_what_is_not_finished_within_the_grace_is_lost(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap, 2)
        await ask(ends, map(str, range(12)))
        async with member(ends, grace_s=0.3) as one:
            await until(one, Incoming, 12)
            async with member(ends) as two:
                (lost,) = await until(one, Lost)
                (place,) = lost.places
                assert not one.owns(place)
                (other,) = {ends.place(0), ends.place(1)} - {place}
                for offsets in ({place: 1}, {place: 1, other: 1}):
                    assert isinstance(await one.commit(Commit([ends.response("late")], offsets)), Fenced)
                await until(two, Assigned)
                assert await insisted(one, Commit([ends.response("kept")], {other: 1})) == Committed()
        assert await values(ends, ends.responses) == ["kept"]

    run(scenario)


POISONS: dict[str, Callable[[Ends], Outgoing]] = {
    "no such topic": lambda _: Outgoing("not.there", None, None, b"x"),
    "no such partition": lambda ends: Outgoing(ends.responses, 7, None, b"x"),
    "an illegal topic": lambda _: Outgoing("not a topic!", None, None, b"x"),
    "too large for us": lambda ends: Outgoing(ends.responses, None, None, b"x" * 2_000_000),
    "too large for the topic": lambda ends: Outgoing(ends.small, None, None, random.randbytes(9_000)),
    "no key in a compacted topic": lambda ends: Outgoing(ends.claims, 0, None, b"x"),
}


def test_a_record_that_kafka_never_takes_is_named_and_spoils_no_other(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap)
        good = [ends.response("one"), ends.claim("two"), Outgoing(ends.small, None, b"three", b"three")]
        async with member(ends) as requests:
            await until(requests, Assigned)
            for name, poison in POISONS.items():
                bad = poison(ends)
                settled = await insisted(requests, Commit([*good[:2], bad, good[2]], {ends.place(): 0}))
                assert isinstance(settled, Aborted), name
                assert list(settled.refused) == [2], name
                assert settled.refused[2].startswith(f"topic {bad.topic}: "), name
            assert await insisted(requests, Commit(good, {ends.place(): 0})) == Committed()
        topics = (ends.responses, ends.claims, ends.small)
        assert [await values(ends, topic) for topic in topics] == [["one"], ["two"], ["three"]]

    run(scenario)


def test_records_that_are_only_together_too_large_arrive(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap)
        texts = [random.randbytes(500).hex() for _ in range(12)]
        records = [Outgoing(ends.small, None, b"k", text.encode()) for text in texts]
        async with member(ends) as requests:
            await until(requests, Assigned)
            assert await insisted(requests, Commit(records, {ends.place(): 0})) == Committed()
        assert await values(ends, ends.small) == texts

    run(scenario)


def test_a_topic_that_goes_away_is_found_missing(kafka: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = await prepared(kafka.bootstrap)
        work = Commit([ends.claim("one"), ends.response("two")], {ends.place(): 0})
        async with member(ends, timeout_ms=3_000) as requests:
            await until(requests, Assigned)
            assert await insisted(requests, work) == Committed()
            await remove(ends, ends.responses)
            settled = await insisted(requests, work)
            assert isinstance(settled, Aborted)
            assert list(settled.refused) == [1]
            assert await insisted(requests, Commit(work.records[:1], work.offsets)) == Committed()

    run(scenario)


def test_a_topic_without_the_right_to_it_is_named(start_kafka: Callable[..., parts.Kafka]) -> None:
    cluster = start_kafka(users={USER: PASSWORD})

    async def scenario() -> None:
        ends = await prepared(cluster.bootstrap)
        foreign = await prepared(cluster.bootstrap)
        user = replace(ends, bootstrap=cluster.secure_bootstrap, options=as_user(cluster))
        await asyncio.to_thread(let, cluster, ends)
        async with member(user) as requests:
            await until(requests, Assigned)
            work = Commit([ends.claim("one"), foreign.response("no")], {ends.place(): 0})
            settled = await insisted(requests, work)
            assert isinstance(settled, Aborted)
            assert list(settled.refused) == [1]
            assert "the right to it" in settled.refused[1]
            assert await insisted(requests, Commit(work.records[:1], work.offsets)) == Committed()

    run(scenario)


def test_brokers_that_restart_cost_nothing_and_repeat_nothing(kafka3: parts.Kafka) -> None:
    async def scenario() -> None:
        ends = replace(await prepared(kafka3.bootstrap), session_ms=6_000)
        changed, texts = asyncio.Condition(), [str(number) for number in range(60)]
        async with member(ends) as requests:
            worker = Worker(ends, requests, changed)
            for number in (1, 2):
                before = len(worker.seen)
                await ask(ends, texts[before : before + 30])
                await true(changed, lambda: len(worker.seen) >= before + 10)  # noqa: B023 (it is awaited)
                await asyncio.to_thread(kafka3.node(number).kill)
                try:
                    await true(changed, lambda: len(worker.seen) == before + 30)  # noqa: B023 (it is awaited)
                finally:
                    await asyncio.to_thread(kafka3.node(number).start)
            await worker.end()
        assert await values(ends, ends.responses) == texts

    run(scenario)


def let(cluster: parts.Kafka, ends: Ends) -> None:
    """Grant what running needs, no more."""
    grant(cluster.bootstrap, ends.requests, AclOperation.READ)
    grant(cluster.bootstrap, ends.claims, AclOperation.READ, AclOperation.WRITE)
    grant(cluster.bootstrap, ends.group, AclOperation.READ, kind=ResourceType.GROUP)
    every = ResourceType.TRANSACTIONAL_ID
    grant(cluster.bootstrap, "*", AclOperation.WRITE, kind=every)
