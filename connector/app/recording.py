"""Captures: what PBXs send, or an older capture, as whole frames in a file that `replay` reads."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from connector.ami.framing import Framer, Oversize
from connector.ami.message import Kind, kind_of
from connector.ami.steps import Welcome
from connector.app.opening import open_pbx
from connector.app.signals import Stop
from connector.avro.normalise import Normaliser
from connector.edges.capture import CaptureFile, read_chunks
from connector.edges.pbx import AsteriskPbx
from connector.edges.schemas import load_schemas
from connector.errors import ConnectorError, SettingsError
from connector.events.sanitiser import Sanitiser
from connector.preflight.pbx import leave
from connector.settings.privacy import privacy
from connector.settings.sections import Settings

_END: Final = b"\r\n\r\n"
_LEAVE_S: Final = 5.0
"""Seconds that a PBX has to answer a Logoff; what it sends meanwhile is still taken."""

Tell = Callable[[bytes], bytes | None]
"""A frame to what is written of it; None: it is left out."""


class Limits(NamedTuple):
    """When a recording has enough: after so many seconds, or events of each PBX; None: never."""

    seconds: float | None = None
    events: int | None = None


@dataclass(slots=True)
class Recorded:
    """What came of a recording: events written, frames left out, and why it ended; `failed`: not as was asked."""

    pbx: str
    path: Path
    events: int = 0
    left_out: int = 0
    size: int = 0
    ended: str = ""
    failed: bool = False


class Recorder:
    """Writes frames to a file, until there are enough events.

    Args:
        file: where to.
        tell: what is written of a frame.
        events: how many are enough; None: no number is.
    """

    def __init__(self, file: CaptureFile, tell: Tell, events: int | None = None) -> None:
        self._file = file
        self._tell = tell
        self._most = events
        self.events = 0
        self.left_out = 0
        self.enough = asyncio.Event()

    def greet(self, version: str) -> None:
        """Write the line with which a PBX greets."""
        self._file.write(f"Asterisk Call Manager/{version}\r\n".encode())

    def take(self, frames: Iterable[bytes]) -> None:
        """Write the frames of one read, each whole; those too large to be kept whole are left out.

        Raises:
            CaptureError: the file cannot be written.
        """
        self._file.write(b"".join(self._written(frames)))

    def _written(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        for frame in frames:
            if self.enough.is_set():
                return
            told = None if isinstance(frame, Oversize) else self._tell(frame)
            if told is None:
                self.left_out += 1
                continue
            yield told + (b"\r\n" if kind_of(frame) is Kind.GREETING else _END)
            self.events += kind_of(frame) is Kind.EVENT
            if self.events == self._most:
                self.enough.set()


def as_they_are(frame: bytes) -> bytes:
    """Tell frames as they are."""
    return frame


def sanitisers(settings: Settings) -> Callable[[], Tell]:
    """Return what makes, for each session, a teller by the rules of privacy.

    Raises:
        SettingsError: there are no rules, or one names no event.
    """
    users = settings.events.user_schemas
    schemas = load_schemas(Path(users) if users else None)
    rules = privacy(settings.privacy, schemas)
    if not rules:
        raise SettingsError(
            "privacy.rules: there are none, and privacy.defaults is off: nothing would be covered"
        )
    normaliser = Normaliser(schemas)
    return lambda: Sanitiser(rules, normaliser).told


async def record(
    settings: Settings, files: dict[str, CaptureFile], teller: Callable[[], Tell], limits: Limits, stop: Stop
) -> Sequence[Recorded]:
    """Record PBXs, each to its file, until each has enough, its session ends, or it is told to stop."""
    targets = {name: open_pbx(name, settings.pbx[name], settings.events.max_frame_bytes) for name in files}
    return await asyncio.gather(
        *(
            _record(target, files[name], Recorder(files[name], teller(), limits.events), limits.seconds, stop)
            for name, target in targets.items()
        )
    )


async def _record(
    target: AsteriskPbx, file: CaptureFile, recorder: Recorder, seconds: float | None, stop: Stop
) -> Recorded:
    recorded = Recorded(target.name, file.path)
    try:
        recorded.ended, recorded.failed = await _until_enough(target, recorder, seconds, stop)
    except ConnectorError as error:
        recorded.ended, recorded.failed = str(error), True
    recorded.events, recorded.left_out, recorded.size = recorder.events, recorder.left_out, file.size
    return recorded


async def _until_enough(
    target: AsteriskPbx, recorder: Recorder, seconds: float | None, stop: Stop
) -> tuple[str, bool]:
    """Return why it ended, and whether nobody asked for that."""

    def up(welcome: Welcome, _: str, __: int) -> None:
        recorder.greet(welcome.ami_version)

    asked = asyncio.ensure_future(stop.wait())
    try:
        login = asyncio.ensure_future(target.login(up, lambda frames, _: recorder.take(frames)))
        await _either(asked, login)
        if not login.done():
            login.cancel()
            await asyncio.wait([login])
            return "stopped", False
        connection = await login
        lost = asyncio.ensure_future(connection.ended())
        enough = asyncio.ensure_future(recorder.enough.wait())
        await _either(asked, lost, enough, within=seconds)
        over, stopped, full = lost.done(), asked.done(), enough.done()
        enough.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await leave(connection)
        connection.close()
        reason = await lost
    finally:
        asked.cancel()
    if full:
        return f"after {recorder.events} events", False
    if over:
        return reason, True
    return ("stopped" if stopped else f"after {seconds:g} s"), False


async def _either(*waited: "asyncio.Future[Any]", within: float | None = None) -> None:
    """Wait for the first of these, so many seconds at most."""
    await asyncio.wait(waited, timeout=within, return_when=asyncio.FIRST_COMPLETED)


def rewrite(source: Path, file: CaptureFile, tell: Tell, max_frame: int) -> Recorded:
    """Write a capture anew, frame by frame; a message that it does not end is left out.

    Raises:
        SettingsError: it cannot be read.
        CaptureError: the new one cannot be written.
    """
    framer, recorder = Framer(max_frame), Recorder(file, tell)
    for chunk in read_chunks(source):
        recorder.take(framer.feed(chunk))
    torn = f"; it ends {len(framer.pending)} bytes into a message" if framer.pending else ""
    return Recorded("", file.path, recorder.events, recorder.left_out, file.size, f"all of {source}{torn}")
