"""A session with the PBX's side played by hand."""

from collections.abc import Sequence

from connector.ami.session import Session
from connector.ami.steps import (
    Account,
    Deadlines,
    Ready,
    Send,
    Step,
    Welcome,
)

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
PLAIN = Account("kafka", "s3cret", events="system,call", md5=False)
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted"
HANGUP = b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
TOLD = "AMIversion: 11.0.0\r\nAsteriskVersion: 22.10.1\r\nSystemName: pbx-a"


class Dialogue:
    """A session opened at the instant 0, with the PBX's side played by hand."""

    def __init__(self, account: Account = PLAIN, deadlines: Deadlines = Deadlines()) -> None:  # noqa: B008
        self.session = Session(account, deadlines, "t")
        self.session.opened(0.0)
        self.asked: list[dict[str, str]] = []

    def hear(self, *texts: str | bytes, now: float = 0.0) -> list[Step]:
        """Let whole messages arrive in one read, and give the steps that are no sending."""
        data = b"".join(text if isinstance(text, bytes) else text.encode() for text in texts)
        return self._note(self.session.receive(data, now))

    def tick(self, now: float) -> list[Step]:
        return self._note(self.session.tick(now))

    def answer(self, status: str = "Success", lines: str = "", now: float = 0.0) -> list[Step]:
        """Answer what was asked last."""
        return self.hear(response(self.asked[-1]["ActionID"], status, lines), now=now)

    def up_to_ready(self) -> "Dialogue":
        self.hear(GREETING)
        self.answer()
        assert self.answer(lines=TOLD) == [Ready(Welcome("11.0.0", "22.10.1", "pbx-a"))]
        return self

    def _note(self, steps: Sequence[Step]) -> list[Step]:
        for step in steps:
            if isinstance(step, Send):
                lines = step.data.decode().removesuffix("\r\n\r\n").split("\r\n")
                self.asked.append(dict(line.split(": ", 1) for line in lines))
        return [step for step in steps if not isinstance(step, Send)]


def response(action_id: str, status: str = "Success", lines: str = "") -> bytes:
    told = f"{lines}\r\n" if lines else ""
    return f"Response: {status}\r\nActionID: {action_id}\r\n{told}\r\n".encode()


def wire(*frames: bytes) -> bytes:
    return b"".join(frame + b"\r\n\r\n" for frame in frames)
