"""A PBX on loopback that says exactly what a test tells it to, well-behaved or not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from connector.ami.steps import Account, Deadlines, Welcome
from connector.edges.pbx import Address, AsteriskPbx

SECRET = "hunter2-the-secret"
ACCOUNT = Account("kafka", SECRET, events="on", md5=False)
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
HANGUP = b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
END = b"\r\n\r\n"


class Peer:
    """The PBX's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.heard: list[dict[str, str]] = []

    async def hear(self) -> dict[str, str]:
        """Wait for the next action."""
        text = (await self._reader.readuntil(END)).decode().removesuffix("\r\n\r\n")
        self.heard.append(dict(line.split(": ", 1) for line in text.split("\r\n")))
        return self.heard[-1]

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def respond(self, *lines: str, status: str = "Success") -> None:
        """Answer what was heard last."""
        action_id = f"ActionID: {self.heard[-1]['ActionID']}"
        self.say("\r\n".join([f"Response: {status}", action_id, *lines, "", ""]).encode())

    async def let_in(self) -> None:
        """Greet, take the login, and answer CoreSettings."""
        self.say(GREETING)
        for _ in range(2):
            await self.hear()
            self.respond()


Scene = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def scripted(
    *scenes: Scene, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[tuple[Address, list[Peer]]]:
    """Serve one connection after another by the scenes, the last one for all that follow."""
    peers: list[Peer] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peers.append(Peer(reader, writer))
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await scenes[min(len(peers), len(scenes)) - 1](peers[-1])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    host, port = server.sockets[0].getsockname()
    try:
        yield Address(host, port), peers
    finally:
        server.close()
        # A connection just accepted takes a few turns of the loop to reach `serve`.
        for _ in range(5):
            await asyncio.sleep(0)
        for peer in peers:
            peer.writer.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def until_closed(peer: Peer) -> None:
    """Say nothing more, and wait for the other side to close."""
    while await peer._reader.read(65536):
        pass


class Ear:
    """Takes what a connection reads."""

    def __init__(self) -> None:
        self.welcomes: list[Welcome] = []
        self.frames: list[bytes] = []
        self.batches: list[tuple[list[bytes], int]] = []
        self.heard = asyncio.Event()

    def up(self, welcome: Welcome, _: str, __: int) -> None:
        self.welcomes.append(welcome)

    def take(self, frames: list[bytes], received_us: int) -> None:
        self.frames += frames
        self.batches.append((frames, received_us))
        self.heard.set()


def pbx_at(*addresses: Address, account: Account = ACCOUNT, **deadlines: float) -> AsteriskPbx:
    return AsteriskPbx("pbx", addresses, account, Deadlines()._replace(**deadlines))


async def read(*pieces: bytes) -> tuple[list[bytes], str]:
    """Let the PBX say these pieces, each in a write of its own, then close; give the frames and the end."""

    async def scene(peer: Peer) -> None:
        await peer.let_in()
        for piece in pieces:
            peer.say(piece)
            await peer.writer.drain()
            await asyncio.sleep(0.005)

    ear = Ear()
    async with asyncio.timeout(20), scripted(scene) as (address, _):
        connection = await pbx_at(address).login(ear.up, ear.take)
        reason = await connection.ended()
    return ear.frames, reason
