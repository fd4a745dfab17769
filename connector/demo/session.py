"""One session at the simulated PBX: logins, the event mask, and what each action does."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from connector.demo.answers import AMI_VERSION, Request, answer, message, read_request, respond
from connector.demo.channels import Event
from connector.demo.orders import Stage, command, originate, queue_pause

_EVERYTHING = frozenset({"on", "all", "yes", "true", "1", ""})
_NOTHING = frozenset({"off", "none", "no", "false", "0"})


class ServedSession:
    """A connection to the simulated PBX, and whether it is logged in.

    Args:
        accounts: usernames and their secrets.
        stage: what the answers tell of, and where actions are done.
        writer: the way to the client.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        stage: Stage,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.logged_in = False
        self._accounts = accounts
        self._stage = stage
        self._writer = writer
        self._challenge = ""
        self._classes: frozenset[str] | None = frozenset()
        self._over = False

    async def run(self, reader: asyncio.StreamReader, on_login: Callable[[], None]) -> None:
        """Greet, and answer until the client leaves; `on_login` is called once it is in."""
        self._writer.write(f"Asterisk Call Manager/{AMI_VERSION}\r\n".encode())
        lines: list[str] = []
        while not self._over and (line := await reader.readline()):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text:
                lines.append(text)
            elif lines:
                was_in = self.logged_in
                self._writer.write(self._act(read_request(lines)))
                lines = []
                if self.logged_in and not was_in:
                    on_login()
                await self._writer.drain()

    def reads(self, event_class: str) -> bool:
        """Say whether this session is sent events of a class."""
        return self.logged_in and (self._classes is None or event_class in self._classes)

    def write(self, data: bytes) -> None:
        """Send."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the client has read enough."""
        await self._writer.drain()

    def close(self) -> None:
        """Cut the connection; `run` returns."""
        self._writer.transport.abort()

    def _act(self, request: Request) -> bytes:
        action = request.get("Action").lower()
        if not self.logged_in and action not in {"login", "challenge", "logoff"}:
            return respond(request, "Error", "Message: Permission denied")
        own = {
            "login": self._log_in,
            "challenge": self._set_challenge,
            "logoff": self._log_off,
            "events": self._set_events,
            "filter": _add_filter,
            "userevent": self._send_user_event,
        }.get(action)
        if own:
            return own(request)
        order = _ORDERS.get(action)
        return order(request, self._stage) if order else answer(request, self._stage.world)

    def _set_challenge(self, request: Request) -> bytes:
        self._challenge = str(secrets.randbelow(10**9))
        return respond(request, "Success", f"Challenge: {self._challenge}")

    def _log_off(self, request: Request) -> bytes:
        self._over = True
        return respond(request, "Goodbye", "Message: Thanks for all the fish.")

    def _set_events(self, request: Request) -> bytes:
        self._mask(request.get("EventMask"))
        return respond(request, "Success", f"Events: {'Off' if self._classes == frozenset() else 'On'}")

    def _send_user_event(self, request: Request) -> bytes:
        first = f"UserEvent: {request.get('UserEvent')}"
        others = (
            (name, value) for name, value in request.headers if name.lower() not in {"action", "userevent"}
        )
        self._stage.tell(Event("UserEvent", "user", [first, *(f"{name}: {value}" for name, value in others)]))
        return respond(request, "Success", "Message: Event Sent")

    def _log_in(self, request: Request) -> bytes:
        if self.logged_in:
            return respond(request, "Success", "Message: Already authenticated")
        if not self._proves(request):
            self._over = True
            return respond(request, "Error", "Message: Authentication failed")
        self.logged_in = True
        self._mask(request.get("Events"))
        response = respond(request, "Success", "Message: Authentication accepted")
        return response + (self._fully_booted() if self.reads("system") else b"")

    def _proves(self, request: Request) -> bool:
        secret = self._accounts.get(request.get("Username"))
        if secret is None:
            return False
        if request.get("AuthType").lower() == "md5":
            key = hashlib.md5((self._challenge + secret).encode(), usedforsecurity=False).hexdigest()
            return bool(self._challenge) and hmac.compare_digest(key, request.get("Key"))
        return hmac.compare_digest(secret.encode(), request.get("Secret").encode())

    def _mask(self, mask: str) -> None:
        words = {word.strip().lower() for word in mask.split(",")}
        if words & _NOTHING:
            self._classes = frozenset()
        else:
            self._classes = None if words & _EVERYTHING else frozenset(words)

    def _fully_booted(self) -> bytes:
        age = max(0, int(time.time()) - self._stage.world.exchange.started)
        lines = f"Uptime: {age}", f"LastReload: {age}", "Status: Fully Booted"
        return message("Event: FullyBooted", "Privilege: system,all", *lines)


def _add_filter(request: Request) -> bytes:
    return respond(request, "Success", "Message: Filter added successfully")


_ORDERS: Final = {"command": command, "originate": originate, "queuepause": queue_pause}
