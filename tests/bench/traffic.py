"""Recorded traffic of a real Asterisk 22, multiplied: each copy has calls of its own."""

from pathlib import Path

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"
END = b"\r\n\r\n"
PBX = b"pbx-a-"


def recorded() -> list[bytes]:
    """Return the unsolicited events of the captures in order.

    Without TestEvent, which only debug builds write, and without what makes panoramisk close its
    link (a second `Event` header, Shutdown), so that all contestants can run the same.
    """
    frames = [frame for path in sorted(CAPTURES.glob("*.ami")) for frame in path.read_bytes().split(END)]
    return [frame for frame in frames if _counts(frame)]


def _counts(frame: bytes) -> bool:
    if not frame.startswith(b"Event: ") or frame.startswith((b"Event: TestEvent", b"Event: Shutdown")):
        return False
    return b"\r\nPrivilege: " in frame and b"\r\nEvent: " not in frame


def copy(frames: list[bytes], number: int) -> bytes:
    """Return the recorded stream with channel ids that no other copy has."""
    return END.join(frames).replace(PBX, b"pbx-%d-" % number) + END


def count(events: int) -> int:
    """Return how many events a stream of at least `events` has: whole copies only."""
    whole = len(recorded())
    return -(-events // whole) * whole


def stream(events: int) -> bytes:
    """Return at least `events` events as one stream."""
    frames = recorded()
    return b"".join(copy(frames, number) for number in range(count(events) // len(frames)))
