"""A PBX at its addresses: connecting and logging in."""

import asyncio
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace

from panoramisk.manager import Manager

from connector.ami.session import Session
from connector.ami.steps import Account, Deadlines
from connector.edges.pbx.connection import Connection, Ponged, Take, Up
from connector.edges.pbx.tls import explain
from connector.errors import LinkLost, LoginRefused


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PBX listens; `tls` None: in plain text."""

    host: str
    port: int = 5038
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class AsteriskPbx:
    """A PBX at one address, or at several that are tried in turn, the first first.

    Args:
        name: what the settings call it.
        addresses: at least one.
        account: who logs in.
        deadlines: how long each step may take.
        ponged: see `Ponged`.
    """

    def __init__(
        self,
        name: str,
        addresses: Sequence[Address],
        account: Account,
        deadlines: Deadlines | None = None,
        ponged: Ponged = lambda *_: None,
    ) -> None:
        self.name = name
        self.address = ", ".join(map(str, addresses))
        self._addresses = addresses
        self._account = account
        self._deadlines = deadlines or Deadlines()
        self._ponged = ponged

    def hearing(self, events: str) -> "AsteriskPbx":
        """Return the same PBX for logins with another mask of event classes."""
        account = replace(self._account, events=events, asks_start=False)
        return AsteriskPbx(self.name, self._addresses, account, self._deadlines)

    async def login(self, up: Up, take: Take) -> Connection:
        """Connect and log in at the first address that lets us.

        Raises:
            LoginRefused: no address let us in, and one of them said no.
            LinkLost: no address could be reached; the text names each with its reason.
        """
        troubles: list[LinkLost | LoginRefused] = []
        for address in self._addresses:
            try:
                return await self._login_at(address, up, take)
            except (LinkLost, LoginRefused) as trouble:
                troubles.append(trouble)
        refused = any(isinstance(trouble, LoginRefused) for trouble in troubles)
        raise (LoginRefused if refused else LinkLost)("; ".join(map(str, troubles)))

    async def _login_at(self, address: Address, up: Up, take: Take) -> Connection:
        tag = f"connector-{secrets.token_hex(4)}"
        session = Session(self._account, self._deadlines, tag)
        connection = Connection(str(address), session, up, take, self._ponged)
        try:
            await self._connect(address, connection)
            await connection.established()
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connect(self, address: Address, connection: Connection) -> None:
        opener = _Opener(  # type: ignore[no-untyped-call]  # panoramisk has no types
            host=address.host,
            port=address.port,
            ssl=address.tls or False,
            protocol_factory=lambda: connection,
            loop=asyncio.get_running_loop(),
        )
        try:
            async with asyncio.timeout(self._deadlines.connect):
                await opener.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            limit = self._deadlines.connect
            raise LinkLost(f"{address}: no connection in {limit:g} s: is a firewall between?") from None
        except OSError as error:
            raise LinkLost(f"{address}: {explain(error)}") from error


class _Opener(Manager):
    """panoramisk's Manager, which opens the connection and is told nothing more."""

    def connection_made(self, opened: "asyncio.Future[object]") -> None:
        """Leave the login to the session."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the return to the road."""
