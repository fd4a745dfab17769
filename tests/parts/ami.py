"""A bare AMI client for driving a PBX.

It owes nothing to the connector, nor to panoramisk: what helps to judge them must not share their mistakes.
"""

import itertools
import socket
import time
from collections.abc import Callable, Sequence
from typing import Self

from tests.parts.processes import Answer, TooLate

Value = str | int | Sequence[str]


class Refused(Exception):
    """The PBX answered an action with Error."""


class Message:
    """The headers of one message in order, repeats kept."""

    def __init__(self, headers: Sequence[tuple[str, str]]) -> None:
        self.headers = tuple(headers)

    def __getitem__(self, name: str) -> str:
        return self.get(name) or ""

    def get(self, name: str) -> str | None:
        """Give the first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    def fits(self, event: str, headers: dict[str, str]) -> bool:
        """Tell whether this is the event with these header values."""
        return self.get("Event") == event and all(self.get(name) == value for name, value in headers.items())


class Manager:
    """One AMI session.

    `events` holds what it has read since the last `forget`, `received` every byte it ever read.
    """

    def __init__(self, host: str, port: int, username: str, secret: str, *, events: str = "on") -> None:
        self._socket = socket.create_connection((host, port), timeout=10)
        self._unread = b""
        self.received = bytearray()
        self._numbers = itertools.count(1)
        self.events: list[Message] = []
        self._answers: dict[str, Message] = {}
        try:
            self.greeting = self._take(b"\r\n", time.monotonic() + 10).decode()
            self.action("Login", Username=username, Secret=secret, Events=events)
        except Exception:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave without ceremony."""
        self._socket.close()

    def forget(self) -> None:
        """Start afresh: later waiting looks only at what arrives from now on."""
        self.events.clear()

    def action(self, name: str, **headers: Value) -> Message:
        """Send an action and give its response; raise when that is an error."""
        answer = self.ask(name, **headers)
        if answer["Response"] == "Error":
            raise Refused(f"{name}: {answer['Message']}")
        return answer

    def ask(self, name: str, **headers: Value) -> Message:
        """Send an action and give its response, whatever it says."""
        number = self.send(name, **headers)
        return self._until(lambda: self._answers.pop(number, None), f"a response to {name}", 40)

    def send(self, name: str, **headers: Value) -> str:
        """Send an action and give its ActionID."""
        number = f"t-{next(self._numbers)}"
        lines = [f"Action: {name}", f"ActionID: {number}"]
        for header, value in headers.items():
            values = value if isinstance(value, list | tuple) else [value]
            lines += [f"{header}: {one}" for one in values]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return number

    def await_end_of_list(self, number: str) -> None:
        """Read on until the list that answers this action is whole."""

        def ended() -> bool:
            return any(e["ActionID"] == number and e["EventList"] == "Complete" for e in self.events)

        self._until(ended, f"the end of the list for {number}", 20)

    def items(self, name: str, **headers: Value) -> list[Message]:
        """Send a list action and give its items, without the event that ends it."""
        answer = self.ask(name, **headers)
        number = answer["ActionID"]
        if answer["EventList"].lower() != "start":
            return []
        self.await_end_of_list(number)
        mine = [event for event in self.events if event["ActionID"] == number]
        self.events = [event for event in self.events if event["ActionID"] != number]
        return mine[:-1]

    def expect(self, event: str, *, within: float = 15, times: int = 1, **headers: str) -> Message:
        """Wait for an event with these header values and give the last of so many."""
        wanted = f"{times} x {event} {headers}"
        return self._until(lambda: self._seen(event, times, headers), wanted, within)

    def expect_any(self, fits: Callable[[Message], bool], what: str, *, within: float = 15) -> Message:
        """Wait for an event that fits in the caller's own way."""
        return self._until(lambda: next(filter(fits, self.events), None), what, within)

    def _seen(self, event: str, times: int, headers: dict[str, str]) -> Message | None:
        found = [message for message in self.events if message.fits(event, headers)]
        return found[times - 1] if len(found) >= times else None

    def _until(self, condition: Callable[[], Answer | None], what: str, within: float) -> Answer:
        deadline = time.monotonic() + within
        while True:
            answer = condition()
            if answer:
                return answer
            try:
                self._read(deadline)
            except TimeoutError as error:
                last = ", ".join(event["Event"] for event in self.events[-12:])
                raise TooLate(f"not within {within:g} s: {what}; last events: {last}") from error

    def _read(self, deadline: float) -> None:
        """Read one message, and keep it where it belongs."""
        text = self._take(b"\r\n\r\n", deadline).decode(errors="replace")
        pairs = (line.partition(":") for line in text.split("\r\n") if line)
        message = Message([(name, value.strip()) for name, _, value in pairs])
        first = message.headers[0][0] if message.headers else ""
        if first == "Response":
            self._answers[message["ActionID"]] = message
        elif first:
            self.events.append(message)

    def _take(self, end: bytes, deadline: float) -> bytes:
        while end not in self._unread:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ConnectionError("the PBX closed the session")
            self._unread += chunk
            self.received += chunk
        taken, _, self._unread = self._unread.partition(end)
        return taken
