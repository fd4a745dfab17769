"""Actions that do something, at a real Asterisk: calls and what becomes of them, faults, injection."""

import asyncio
from collections.abc import Callable

import pytest

from connector.actions.originate import outcome_in_words, prepare
from connector.ami.action import AmiAction
from connector.ami.message import AmiMessage
from connector.ami.reach import Reach, Result
from connector.errors import ActionError
from connector.facts import StrayAnswer
from tests.edges.pooled import until
from tests.parts.asterisk import Asterisk, Pbx
from tests.real.pooled import Pooled, pool_at


@pytest.fixture(params=["asterisk22", "asterisk16"])
def pbx(request: pytest.FixtureRequest) -> Pbx:
    found: Pbx = request.getfixturevalue(request.param)
    return found


async def dial(one: Pooled, request_id: str, channel: str, *headers: tuple[str, str]) -> Result:
    """Originate as a request would; the other end waits."""
    to = () if "Exten" in dict(headers) else (("Application", "Wait"), ("Data", "60"))
    asked = AmiAction("Originate", (("Channel", channel), *to, *headers))
    return await one.pool.execute(prepare(request_id, asked, (), 20_000), lambda: True, 20)


def told(result: Result) -> AmiMessage:
    """Give the OriginateResponse."""
    assert result.reach is Reach.ANSWERED
    assert result.answer is not None
    return result.answer.events[-1]


@pytest.mark.parametrize(
    ("channel", "headers", "response", "words"),
    [
        ("Local/answer@parties", (), "Success", "answered"),
        ("Local/busy@parties", (), "Failure", "busy"),
        ("Local/never@parties", (("Timeout", "300"),), "Failure", "not answered in time"),
        ("Local/refused@parties", (), "Failure", "failed: no such extension"),
        ("Local/nonesuch@parties", (), "Failure", "failed: no such extension"),
        ("PJSIP/phone2", (), "Failure", "failed: no such extension"),
    ],
)
def test_how_a_call_ended(
    pbx: Pbx, channel: str, headers: tuple[tuple[str, str], ...], response: str, words: str
) -> None:
    async def run() -> None:
        async with pool_at(pbx, "actions") as one:
            end = told(await dial(one, f"pbx|ended {channel}", channel, *headers))
            assert end.get("Response") == response
            assert outcome_in_words(end).startswith(words)
            if response == "Success":
                await one.ask("Hangup", ("Channel", end.get("Channel")))
            assert one.sessions[0] == "call,agi"

    asyncio.run(run())


def test_calls_are_made_redirected_parked_queued_and_hung_up(pbx: Pbx) -> None:
    """By an account with no more rights than the documentation says; a bare socket sees each step."""
    with pbx.manager() as ami:

        async def run() -> None:
            async with pool_at(pbx, "actions") as one:
                to = ("Context", "internal"), ("Exten", "110"), ("Priority", "1")
                call = told(await dial(one, "pbx|a call", "Local/caller@parties/n", *to))
                channel, unique = call.get("Channel"), call.get("Uniqueid")
                assert unique == prepare("pbx|a call", AmiAction("Originate"), (), 1).get("ChannelId")
                ami.expect("BridgeEnter", Uniqueid=unique)
                wait = ("Context", "internal"), ("Exten", "661"), ("Priority", "1")
                (redirected,) = await one.ask("Redirect", ("Channel", channel), *wait)
                assert redirected.get("Message") == "Redirect successful"
                ami.expect("Newexten", Uniqueid=unique, Extension="661", Application="Wait")
                (parked,) = await one.ask("Park", ("Channel", channel), ("Parkinglot", "default"))
                assert parked.get("Response") == "Success"
                ami.expect("ParkedCall", ParkeeUniqueid=unique)
                await one.ask("Hangup", ("Channel", channel), ("Cause", "16"))
                ami.expect("Hangup", Uniqueid=unique, Cause="16")
                member = ("Queue", "unmanned"), ("Interface", "Local/answer@parties/n")
                (added,) = await one.ask("QueueAdd", *member, ("MemberName", "Żółw"), ("Paused", "yes"))
                assert added.get("Message") == "Added interface to queue"
                ami.expect("QueueMemberAdded", Queue="unmanned", MemberName="Żółw", Paused="1")
                await one.ask("QueueRemove", *member)
                ami.expect("QueueMemberRemoved", Queue="unmanned")

        asyncio.run(run())


def test_many_calls_ring_on_one_session(pbx: Pbx) -> None:
    async def run() -> None:
        async with pool_at(pbx, "actions") as one:
            ring = (("Timeout", "1500"),)
            calls = [dial(one, f"pbx|ring {number}", "Local/never@parties", *ring) for number in range(100)]
            results = await asyncio.gather(*calls)
            assert {told(result).get("Reason") for result in results} == {"3"}
            ids = {told(result).get("Uniqueid") for result in results}
            assert len(ids) == 100
            assert one.sessions == ["call,agi"]

    asyncio.run(run())


def test_an_agi_command_is_done_when_it_is_executed(pbx: Pbx) -> None:
    async def run() -> None:
        async with pool_at(pbx) as one:
            to = ("Context", "internal"), ("Exten", "663"), ("Priority", "1")
            with pbx.manager() as ami:
                call = told(await dial(one, "pbx|agi", "Local/caller@parties/n", *to))
                ami.expect("AsyncAGIStart", Uniqueid=call.get("Uniqueid"))
            for channel in (call.get("Channel"), call.get("Uniqueid")):
                _, event = await one.ask("AGI", ("Channel", channel), ("Command", "VERBOSE hello"))
                assert event.headers[0] == ("Event", "AsyncAGIExec")
                assert "200%20result%3D1" in event.get("Result")
            command = ("Channel", call.get("Channel")), ("Command", "SET VARIABLE A b"), ("CommandID", "mine")
            _, event = await one.ask("AGI", *command)
            assert event.get("CommandId") == "mine"
            await one.ask("Hangup", ("Channel", call.get("Channel")))
            assert sorted(one.sessions) == ["call,agi", "off"]

    asyncio.run(run())


def test_an_action_that_asterisk_is_stuck_in_holds_up_nothing_else(pbx: Pbx) -> None:
    """A synchronous Originate holds its session until the call is answered or given up."""

    async def run() -> None:
        async with pool_at(pbx, sessions=2) as one:
            call = ("Channel", "Local/never@parties"), ("Application", "Wait"), ("Timeout", "2500")
            stuck = asyncio.create_task(one.result("Originate", *call, timeout_s=0.5))
            (pong,) = await one.ask("Ping")
            assert pong.get("Ping") == "Pong"
            assert not stuck.done()
            late = await stuck
            assert (late.reach, late.late, late.reason) == (Reach.SENT, True, "not answered in 0.5 s")
            answers = await asyncio.gather(*(one.ask("CoreStatus") for _ in range(10)))
            assert all(len(answer) == 1 for answer in answers)
            assert not [fact for fact in one.facts if isinstance(fact, StrayAnswer)]

    asyncio.run(run())


def test_of_many_responses_the_first_counts(pbx: Pbx) -> None:
    async def run() -> None:
        async with pool_at(pbx, sessions=1) as one:
            (first,) = await one.ask("ModuleLoad")
            assert first.get("Message") == "Incomplete ModuleLoad action."
            (after,) = await one.ask("Ping")
            assert after.get("Ping") == "Pong"
            strays = [fact.head for fact in one.facts if isinstance(fact, StrayAnswer)]
            assert strays == ["Error: Need module name", "Error: Incomplete ModuleLoad action."]

    asyncio.run(run())


def test_a_list_of_hung_up_channels_is_whole(pbx: Pbx) -> None:
    async def run() -> None:
        async with pool_at(pbx) as one:
            for number in range(3):
                told(await dial(one, f"pbx|hang {number}", "Local/answer@parties/n"))
            answer = await one.ask("Hangup", ("Channel", "/^Local/answer@parties/"))
            assert len(answer) >= 5
            assert answer[-1].headers[0] == ("Event", "ChannelsHungupListComplete")

    asyncio.run(run())


EVIL = ("Variable", "x" * (1_023 - len("Variable: ")))
"""A header of exactly 1,023 bytes: Asterisk takes its end for the end of the action."""


def raw(action: AmiAction) -> bytes:
    lines = ("Action", action.name), ("ActionID", action.action_id), *action.headers
    return "".join(f"{name}: {value}\r\n" for name, value in (*lines, ("", "")))[:-4].encode() + b"\r\n"


def test_what_follows_1023_bytes_runs_as_an_action_of_its_own(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the rule switched off; with it, not a byte is sent."""
    headers: tuple[tuple[str, str], ...] = (EVIL, ("Action", "UserEvent"), ("UserEvent", "SlippedIn"))

    async def ask() -> Result:
        async with pool_at(pbx) as one:
            return await one.result("Getvar", *headers)

    with pbx.manager(events="user") as ami:
        with monkeypatch.context() as off:
            off.setattr("connector.ami.questions.encode", raw)
            off.setattr("connector.edges.pbx.pool.encode", raw)
            result = asyncio.run(ask())
        assert result.answer is not None
        assert result.answer.response.get("Message") == "Failed to parse message: line too long"
        ami.expect("UserEvent", UserEvent="SlippedIn")
        ami.forget()
        with pytest.raises(ActionError):
            asyncio.run(ask())
        headers = (EVIL,)
        with pytest.raises(ActionError, match="1023 bytes"):
            asyncio.run(ask())
        ami.action("UserEvent", UserEvent="Last")
        ami.expect("UserEvent", UserEvent="Last")
        assert [event["UserEvent"] for event in ami.events] == ["Last"]


@pytest.mark.parametrize("version", [22, 16])
def test_a_call_that_rings_when_asterisk_dies_was_sent_and_nothing_is_sent_again(
    start_asterisk: Callable[..., Asterisk], version: int
) -> None:
    pbx = start_asterisk(version)

    async def run() -> None:
        async with pool_at(pbx, "actions") as one:
            await one.ask("Ping")
            rings = asyncio.create_task(dial(one, "pbx|dies", "Local/never@parties"))
            with pbx.manager() as ami:
                await asyncio.to_thread(ami.expect, "Newexten", Extension="never")
            pbx.kill()
            result = await rings
            assert (result.reach, result.late) == (Reach.SENT, False)
            assert result.answer is not None
            assert "closed the connection" in result.reason
            await until(lambda: one.links == [False])
            while (away := await one.result("Ping")).reach is not Reach.NOT_SENT:
                assert away.reach is Reach.SENT
            assert "connection refused" in away.reason
            await asyncio.to_thread(pbx.start)
            await until(lambda: one.links == [False, True], within=60)
            await one.ask("Ping")
            assert "0 active calls" in pbx.cli("core show channels")

    asyncio.run(run())


def test_a_wrong_secret_is_told_and_tried_slowly(pbx: Pbx) -> None:
    async def run() -> None:
        wrong = Pbx(pbx.host, pbx.port, pbx.username, "wrong")
        async with pool_at(wrong) as one:
            for _ in range(3):
                result = await one.result("Ping")
                assert result.reach is Reach.NOT_SENT
                assert "Authentication failed" in result.reason
            assert one.links == [False]
            assert one.sessions == []

    asyncio.run(run())
