"""Recorded traffic of a real Asterisk 22, multiplied: each copy has calls of its own."""

from pathlib import Path

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"
END = b"\r\n\r\n"
PBX = b"pbx-a-"


def recorded() -> list[bytes]:
    """Return the events of the captures in order, without TestEvent, which only debug builds write."""
    frames = [frame for path in sorted(CAPTURES.glob("*.ami")) for frame in path.read_bytes().split(END)]
    return [frame for frame in frames if frame.startswith(b"Event: ") and not frame.startswith(b"Event: TestEvent")]


def copy(frames: list[bytes], number: int) -> bytes:
    """Return the recorded stream with channel ids that no other copy has."""
    return END.join(frames).replace(PBX, b"pbx-%d-" % number) + END


def stream(events: int) -> tuple[bytes, int]:
    """Return at least `events` events as one stream, and how many there are."""
    frames = recorded()
    copies = -(-events // len(frames))
    return b"".join(copy(frames, number) for number in range(copies)), copies * len(frames)
