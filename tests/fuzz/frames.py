"""AMI's bytes: however they are cut they give the same frames, and each ends as a record or as a dead letter."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from connector.ami.framing import Framer
from connector.events.records.outcome import Quarantine
from tests.events.frames import NOW, intake, record, translate
from tests.fuzz.mutation import Mutator

CAPTURES: Final = Path(__file__).parents[1] / "captures"
MAX_FRAME: Final = 8_192
_HEAD: Final = 6_000
WORDS: Final = (
    *(b"\r\n", b"\r\n\r\n", b"\r\n\n", b"\n", b"\r", b": ", b":", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\n", b"%41"),
    *(b"Event: Newchannel\r\n", b"Event: \r\n", b"Response: Success\r\n", b"Response: Follows\r\n", b"--END COMMAND--\r\n\r\n"),
    *(b"Uniqueid: 1.1\r\n", b"Linkedid: 1.2\r\n", b"Timestamp: 1e9\r\n", b"Timestamp: 99999999999.999999999\r\n"),
    *(b"ChanVariable(x): a=b\r\n", b"Variable: a=b\r\n", b"ActionID: ami-kafka-1\r\n", b"SequenceNumber: -1\r\n"),
    *(b"9" * 40, b"-0", b"<unknown>", b"(null)", b"Asterisk Call Manager/5.0\r\n", b"Event: UserEvent\r\nUserEvent: X\r\n"),
)  # fmt: skip


def corpus() -> list[bytes]:
    """Return pieces of the captures, whole frames mostly."""
    pieces = []
    for path in sorted(CAPTURES.glob("asterisk*/*.ami")):
        data = path.read_bytes()
        pieces += [data[at : at + _HEAD] for at in range(0, min(len(data), 8 * _HEAD), _HEAD)]
    return pieces


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one stream and judges what becomes of it."""
    maker = Mutator(corpus(), WORDS, seed)

    def once() -> None:
        data = maker.make()
        cuts = sorted(maker.chance.randint(0, len(data)) for _ in range(maker.chance.choice((0, 1, 5, 40))))
        judge(data, cuts)

    return once


def judge(data: bytes, cuts: list[int]) -> None:
    """Read a stream in pieces; raise what is wrong."""
    whole, cut = Framer(MAX_FRAME), Framer(MAX_FRAME)
    frames = whole.feed(data)
    pieces = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    if [frame for piece in pieces for frame in cut.feed(piece)] != frames or cut.pending != whole.pending:
        raise AssertionError("another cut gives other frames")
    if any(len(frame) > MAX_FRAME for frame in frames):
        raise AssertionError("a frame is larger than its bound")
    taking = intake()
    entries = taking.frames(frames, NOW)
    if [entry.sequence for entry in entries] != list(range(1, len(entries) + 1)):
        raise AssertionError("numbers are not in order")
    for entry in entries:
        outcome = translate(entry)
        if isinstance(outcome, Quarantine):
            f"{outcome.reason}{outcome.detail}".encode()
        else:
            record(entry)
