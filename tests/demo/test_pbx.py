"""The simulated PBX from outside, by a bare socket."""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice

import pytest

from connector.ami.framing import Framer
from connector.ami.message import AmiMessage, Kind, parse
from connector.demo.channels import Event
from connector.demo.pbx import SimulatedPbx
from connector.demo.traffic import Traffic

ACCOUNTS = {"demo": "s3cret"}


class Client:
    """Sends actions as text, and reads messages one by one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._unread: list[AmiMessage] = []

    def send(self, *lines: str) -> None:
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def next(self) -> AmiMessage | None:
        while not self._unread:
            data = await self._reader.read(65536)
            if not data:
                return None
            self._unread += map(parse, self._framer.feed(data))
        return self._unread.pop(0)

    async def ask(self, *lines: str) -> dict[str, str]:
        self.send(*lines)
        while (message := await self.next()) is not None:
            if message.kind is Kind.RESPONSE:
                return dict(message.headers)
        return {}

    async def log_in(self, events: str = "on") -> None:
        await self.ask("Action: Login", "Username: demo", "Secret: s3cret", f"Events: {events}")


@asynccontextmanager
async def client(pbx: SimulatedPbx) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(*pbx.address)
    assert await reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def talk(scene: Callable[[SimulatedPbx, Client], Awaitable[None]], pbx: SimulatedPbx | None = None) -> None:
    async def run() -> None:
        async with asyncio.timeout(20), pbx or SimulatedPbx(ACCOUNTS) as simulated, client(simulated) as one:
            await scene(simulated, one)

    asyncio.run(run())


def test_plain_login() -> None:
    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        assert await one.ask("Action: Ping", "ActionID: 0") == {
            "Response": "Error",
            "ActionID": "0",
            "Message": "Permission denied",
        }
        told = await one.ask("Action: Login", "ActionID: 1", "Username: demo", "Secret: s3cret")
        assert told == {"Response": "Success", "ActionID": "1", "Message": "Authentication accepted"}
        booted = await one.next()
        assert booted is not None
        assert [name for name, _ in booted.headers] == [
            "Event",
            "Privilege",
            "Uptime",
            "LastReload",
            "Status",
        ]
        assert pbx.logins == 1
        assert (await one.ask("Action: Login"))["Message"] == "Already authenticated"

    talk(scene)


def test_login_by_challenge() -> None:
    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        challenge = (await one.ask("Action: Challenge", "AuthType: MD5"))["Challenge"]
        key = hashlib.md5(f"{challenge}s3cret".encode()).hexdigest()
        told = await one.ask("Action: Login", "AuthType: MD5", "Username: demo", f"Key: {key}")
        assert told["Response"] == "Success"
        assert pbx.logins == 1

    talk(scene)


@pytest.mark.parametrize(
    "lines",
    [
        ("Username: demo", "Secret: wrong"),
        ("Username: nobody", "Secret: s3cret"),
        ("Username: demo", "AuthType: MD5", f"Key: {hashlib.md5(b's3cret').hexdigest()}"),
    ],
)
def test_what_proves_nothing_is_refused_and_cut(lines: tuple[str, ...]) -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        told = await one.ask("Action: Login", *lines)
        assert told == {"Response": "Error", "Message": "Authentication failed"}
        assert await one.next() is None

    talk(scene)


def test_answers_as_asterisk_does() -> None:
    async def scene(_: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        pong = await one.ask("Action: Ping", "ActionID: a")
        assert list(pong) == ["Response", "ActionID", "Ping", "Timestamp"]
        settings = await one.ask("Action: CoreSettings")
        assert (settings["AMIversion"], settings["SystemName"]) == ("11.0.0", "demo")
        assert (await one.ask("action: corestatus"))["CoreCurrentCalls"] == "0"
        assert "QueueStatus" in await one.ask("Action: ListCommands")
        assert (await one.ask("Action: Nonesuch"))["Message"] == (
            "Invalid/unknown command: Nonesuch. Use Action: ListCommands to show available commands."
        )
        assert (await one.ask("ActionID: 9"))["Message"] == "Missing action in request"
        assert await one.ask("Action: Logoff") == {
            "Response": "Goodbye",
            "Message": "Thanks for all the fish.",
        }
        assert await one.next() is None

    talk(scene)


def test_lists() -> None:
    traffic = Traffic(1_700_000_000, calls_at_once=20)
    while not traffic.world.waiting:
        list(islice(traffic, 50))

    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        for action, items in (
            ("CoreShowChannels", len(pbx.world.exchange.alive)),
            ("QueueStatus", 5 + len(pbx.world.waiting)),
        ):
            begin = await one.ask(f"Action: {action}", "ActionID: x")
            assert begin["EventList"] == "start"
            events = [await one.next() for _ in range(items + 1)]
            assert all(event is not None and event.get("ActionID") == "x" for event in events)
            assert dict(events[-1].headers if events[-1] else ()) == {
                "Event": f"{action}Complete",
                "ActionID": "x",
                "EventList": "Complete",
                "ListItems": str(items),
            }

    # A bound of no events: the world stays as it is.
    talk(scene, SimulatedPbx(ACCOUNTS, traffic, events=0))


@pytest.mark.parametrize(
    ("mask", "expected"),
    [("on", ["call", "agent", "user"]), ("off", []), ("call,user", ["call", "user"]), ("agent", ["agent"])],
)
def test_the_mask_holds(mask: str, expected: list[str]) -> None:
    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        await one.log_in("off")
        await one.ask("Action: Events", f"EventMask: {mask}")
        for event_class in ("call", "agent", "user"):
            pbx.tell(Event("Hello", event_class, []))
        one.send("Action: Ping")
        seen = []
        while (message := await one.next()) is not None and message.kind is Kind.EVENT:
            seen.append(message.get("Privilege"))
        assert seen == [f"{event_class},all" for event_class in expected]

    talk(scene)


def test_a_user_event_is_seen_on_every_session() -> None:
    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        await one.log_in()
        async with client(pbx) as other:
            await other.log_in("off")
            await other.ask("Action: UserEvent", "ActionID: 5", "UserEvent: Canary", "Note: a", "Note: b")
        await one.next()
        seen = await one.next()
        assert seen is not None
        assert seen.headers[4:] == (("UserEvent", "Canary"), ("ActionID", "5"), ("Note", "a"), ("Note", "b"))

    talk(scene)


def test_plays_a_bounded_number_of_events_as_fast_as_it_is_read() -> None:
    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        await one.log_in()
        await one.next()
        names: list[str] = []
        while len(names) < 3000 and (message := await one.next()) is not None:
            names.append(message.headers[0][1])
        await pbx.finished()
        assert names == [event.name for _, event in islice(Traffic(1_700_000_000), 3000)]

    talk(scene, SimulatedPbx(ACCOUNTS, Traffic(1_700_000_000), speed=math.inf, events=3000))


def test_pace_follows_the_clock() -> None:
    at, _ = next(islice(Traffic(1_700_000_000), 20, None))

    async def scene(pbx: SimulatedPbx, one: Client) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await one.log_in()
        await pbx.finished()
        assert loop.time() - began >= 0.05

    talk(scene, SimulatedPbx(ACCOUNTS, Traffic(1_700_000_000), speed=at / 0.05, events=21))
