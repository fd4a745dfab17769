"""Sessions at a real Asterisk: logins, masks, answers, and what a PBX that goes away looks like."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from connector.ami.action import AmiAction, variable
from connector.ami.message import AmiMessage, parse
from connector.ami.steps import Account, Deadlines, Welcome
from connector.edges.pbx import Address, AsteriskPbx, Connection, tls_context
from connector.errors import LinkLost, LoginRefused
from connector.facts import Fact, LinkDown, LinkUp
from connector.roads.link import Clock, Link
from tests.edges.scripted import END, Ear
from tests.events.frames import intake
from tests.parts.asterisk import Asterisk, Pbx
from tests.roads.in_memory import Books

CALL = AmiAction(
    "Originate",
    (("Channel", "Local/brief@parties/n"), ("Application", "Wait"), ("Data", "9"), ("Async", "true")),
)


@pytest.fixture(params=["asterisk22", "asterisk16"])
def pbx(request: pytest.FixtureRequest) -> Pbx:
    found: Pbx = request.getfixturevalue(request.param)
    return found


def at(pbx: Pbx, account: Account | None = None, deadlines: Deadlines | None = None) -> AsteriskPbx:
    account = account or Account(pbx.username, pbx.secret)
    return AsteriskPbx("pbx1", [Address(pbx.host, pbx.port)], account, deadlines)


@asynccontextmanager
async def logged_in(there: AsteriskPbx, ear: Ear | None = None) -> AsyncIterator[Connection]:
    """Log in and leave; whatever happens between, no socket stays open."""
    ear = ear or Ear()
    connection = await there.login(ear.up, ear.take)
    try:
        yield connection
        connection.leave()
        assert await connection.ended() == "logged off"
    finally:
        connection.close()


def name_of(message: AmiMessage) -> str:
    return message.headers[0][1]


async def heard(ear: Ear, condition: Callable[[list[AmiMessage]], bool]) -> list[AmiMessage]:
    """Wait until what was heard fulfils a condition."""
    async with asyncio.timeout(20):
        while not condition(messages := [*map(parse, ear.frames)]):
            ear.heard.clear()
            await ear.heard.wait()
    return messages


def two_hangups(messages: list[AmiMessage]) -> bool:
    return sum(name_of(message) == "Hangup" for message in messages) == 2


@pytest.mark.parametrize("md5", [True, False])
def test_logs_in_learns_who_it_is_and_leaves(pbx: Pbx, *, md5: bool) -> None:
    async def run() -> Welcome:
        ear = Ear()
        async with logged_in(at(pbx, Account(pbx.username, pbx.secret, md5=md5)), ear):
            await heard(ear, lambda messages: name_of(messages[0]) == "FullyBooted" if messages else False)
        return ear.welcomes[0]

    welcome = asyncio.run(run())
    assert welcome.asterisk_version is not None
    assert welcome.system_name
    assert (
        welcome.ami_version.split(".")[0] == {"22": "11", "16": "5"}[welcome.asterisk_version.split(".")[0]]
    )


@pytest.mark.parametrize("md5", [True, False])
def test_a_wrong_secret_is_refused(pbx: Pbx, *, md5: bool) -> None:
    wrong = at(pbx, Account(pbx.username, "wrong", md5=md5))
    with pytest.raises(LoginRefused, match="Authentication failed"):
        asyncio.run(wrong.login(Ear().up, Ear().take))


def test_a_call_is_read_byte_for_byte_and_its_answer_reaches_both_readers(pbx: Pbx) -> None:
    async def bare(listening: asyncio.Event) -> list[bytes]:
        """Read what a plain socket gives, knowing nothing of the connector."""
        reader, writer = await asyncio.open_connection(pbx.host, pbx.port)
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: call\r\n\r\n"
        writer.write(login.encode())
        data = await reader.readuntil(END)
        listening.set()
        while data.count(b"Event: Hangup\r\n") < 2 or not data.endswith(END):
            data += await reader.read(65536)
        writer.close()
        return data.split(END)[1:-1]

    async def run() -> None:
        ear, listening = Ear(), asyncio.Event()
        there = at(pbx, Account(pbx.username, pbx.secret, events="call"))
        async with asyncio.timeout(20), logged_in(there, ear) as connection:
            other = asyncio.create_task(bare(listening))
            await listening.wait()
            answer = await connection.ask(CALL, within=10)
            assert answer.events[-1].get("Response") == "Success"
            oracle = await other
            messages = await heard(ear, two_hangups)
        last = max(place for place, message in enumerate(messages) if name_of(message) == "Hangup")
        assert ear.frames[: last + 1] == oracle[: last + 1]
        assert [name_of(message) for message in messages].count("OriginateResponse") == 1

    asyncio.run(run())


def test_answers_of_every_kind_are_whole(pbx: Pbx) -> None:
    async def run() -> None:
        async with logged_in(at(pbx)) as connection:
            ask = connection.ask
            assert (await ask(AmiAction("Ping"), within=10)).response.get("Ping") == "Pong"
            queues = await ask(AmiAction("QueueStatus"), within=10)
            assert queues.events[-1].get("EventList") == "Complete"
            assert int(queues.events[-1].get("ListItems")) == len(queues.events) - 1
            rooms = await ask(AmiAction("ConfbridgeListRooms"), within=10)
            assert (rooms.success, rooms.response.get("Message")) == (False, "No active conferences.")
            unknown = await ask(AmiAction("Nonesuch"), within=10)
            assert "Invalid/unknown command" in unknown.response.get("Message")
            uptime = await ask(AmiAction("Command", (("Command", "core show uptime"),)), within=10)
            assert [*uptime.response.all("Output")]
            dialplan = await ask(AmiAction("ShowDialPlan"), within=10)
            assert len(dialplan.events) > 50
            assert name_of(dialplan.events[-1]) == "ShowDialPlanComplete"

    asyncio.run(run())


VALUES = ["a,b", 'say "hi"', "back\\slash\\", "(open [bracket", "x=y", "Żółw", "$1 ; # |", ""]


def test_variables_arrive_as_they_were(pbx: Pbx) -> None:
    given = tuple(("Variable", variable(f"V{place}", value)) for place, value in enumerate(VALUES))

    async def run() -> list[AmiMessage]:
        ear = Ear()
        account = Account(pbx.username, pbx.secret, events="call,dialplan")
        async with logged_in(at(pbx, account), ear) as connection:
            await connection.ask(CALL._replace(headers=CALL.headers + given), within=10)
            return await heard(ear, two_hangups)

    sets = {message.get("Variable"): message.get("Value") for message in asyncio.run(run())}
    # VarSet escapes as C does, this much of it.
    unescaped = [re.sub(r"\\(.)", r"\1", sets[f"V{place}"]) for place in range(len(VALUES))]
    assert unescaped == VALUES


@pytest.mark.parametrize("filters", [(), ("!Event: VarSet", "!Event: Newexten")])
def test_filters_keep_away_what_they_name(pbx: Pbx, filters: tuple[str, ...]) -> None:
    async def run() -> set[str]:
        ear = Ear()
        account = Account(pbx.username, pbx.secret, events="call,dialplan", filters=filters)
        async with logged_in(at(pbx, account), ear) as connection:
            await connection.ask(CALL, within=10)
            return {name_of(message) for message in await heard(ear, two_hangups)}

    names = asyncio.run(run())
    assert "Newchannel" in names
    assert ("Newexten" in names) is not bool(filters)


def test_the_least_account_has_no_right_to_filter(start_asterisk: Callable[..., Asterisk]) -> None:
    pbx = start_asterisk(22)
    for account, refused in (("events", False), ("actions", False), ("events", True)):
        filters = ("!Event: VarSet",) if refused else ()
        ear = Ear()

        async def run(pbx: AsteriskPbx, ear: Ear) -> None:
            (await pbx.login(ear.up, ear.take)).close()

        there = at(pbx, Account(account, pbx.secret, filters=filters))
        if refused:
            with pytest.raises(LoginRefused, match="needs write=system"):
                asyncio.run(run(there, ear))
        else:
            asyncio.run(run(there, ear))
            assert ear.welcomes[0].system_name == "pbx-a"


def test_an_account_that_is_still_in_use_is_tried_again_soon(start_asterisk: Callable[..., Asterisk]) -> None:
    pbx = start_asterisk(22, manager_extra="allowmultiplelogin = no")
    # Not the account by which the PBX was seen to be up: its session may not be gone yet.
    there = at(pbx, Account("events", pbx.secret))

    async def run() -> None:
        async with logged_in(there):
            with pytest.raises(LinkLost, match="Already In Use"):
                await there.login(Ear().up, Ear().take)

    asyncio.run(run())


def test_a_restart_is_a_loss_a_gap_and_a_new_session(start_asterisk: Callable[..., Asterisk]) -> None:
    pbx = start_asterisk(22)
    facts: list[Fact] = []
    happened = asyncio.Event()

    def report(fact: Fact) -> None:
        facts.append(fact)
        happened.set()

    async def until(fact: type[Fact], times: int) -> None:
        async with asyncio.timeout(60):
            while sum(isinstance(one, fact) for one in facts) < times:
                happened.clear()
                await happened.wait()

    async def run() -> Books:
        books = Books()
        link = Link(at(pbx), intake(), books, 1, report, clock=Clock(lambda: 0.5))
        task = asyncio.create_task(link.run())
        await until(LinkUp, 1)
        await asyncio.to_thread(pbx.stop)
        await until(LinkDown, 2)
        await asyncio.to_thread(pbx.start)
        await until(LinkUp, 2)
        link.stop()
        await task
        return books

    books = asyncio.run(run())
    kinds = [kind for kind in books.kinds if kind in {"session_up", "session_down", "gap"}]
    assert kinds == ["session_up", "session_down", "session_up", "gap", "session_down"]
    reasons = [fact.reason for fact in facts if isinstance(fact, LinkDown)]
    assert "closed the connection" in reasons[0]
    assert "connection refused: is Asterisk running" in reasons[1]
    assert reasons[-1] == "logged off"


def test_a_frozen_pbx_is_noticed(start_asterisk: Callable[..., Asterisk]) -> None:
    pbx = start_asterisk(22)

    async def run() -> str:
        there = at(pbx, deadlines=Deadlines(ping_every=0.2, pong=0.3))
        connection = await there.login(Ear().up, Ear().take)
        try:
            assert (await connection.ask(AmiAction("Ping"), within=5)).success
            pbx.suspend()
            async with asyncio.timeout(10):
                return await connection.ended()
        finally:
            pbx.resume()
            connection.close()

    assert "silent" in asyncio.run(run())


def test_tls(start_asterisk: Callable[..., Asterisk]) -> None:
    pbx = start_asterisk(22, tls=True)

    def log_in(address: Address) -> None:
        async def run() -> None:
            there = AsteriskPbx("pbx1", [address], Account(pbx.username, pbx.secret), Deadlines(greeting=3))
            async with logged_in(there) as connection:
                assert (await connection.ask(AmiAction("CoreStatus"), within=5)).success

        asyncio.run(run())

    trusted = tls_context(str(pbx.certificate))
    log_in(Address(pbx.host, pbx.tls_port, trusted))
    log_in(Address(pbx.host, pbx.tls_port, tls_context(str(pbx.certificate), "localhost")))
    with pytest.raises(LinkLost, match="certificate is not trusted"):
        log_in(Address(pbx.host, pbx.tls_port, tls_context()))
    with pytest.raises(LinkLost, match="certificate is not trusted"):
        log_in(Address(pbx.host, pbx.tls_port, tls_context(str(pbx.certificate), "pbx.example")))
    with pytest.raises(LinkLost, match="no TLS there"):
        log_in(Address(pbx.host, pbx.port, trusted))
    with pytest.raises(LinkLost, match="plain or TLS"):
        log_in(Address(pbx.host, pbx.tls_port))
