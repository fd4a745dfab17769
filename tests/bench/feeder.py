"""A PBX that lets anyone in and then sends recorded events, as fast as they are taken or at a rate.

`python -m tests.bench.feeder EVENTS RATE` prints its port, and after the stream waits to be killed.
A rate of 0 means as fast as possible; else events a second, each with the Timestamp of its sending.
"""

import re
import socket
import sys
import time

from tests.bench.traffic import END, recorded, stream

_CHUNK = 65_536
_TICK_S = 0.005


def answer(action: bytes) -> bytes:
    """Answer what a session asks before the events begin."""
    headers = dict(re.findall(rb"(?m)^([A-Za-z]+): (.*?)\r$", action + b"\r\n"))
    parts = [b"Response: Success"]
    if b"ActionID" in headers:
        parts.append(b"ActionID: " + headers[b"ActionID"])
    if headers.get(b"Action") == b"Challenge":
        parts.append(b"Challenge: 1")
    if headers.get(b"Action") == b"CoreSettings":
        parts += [b"AMIversion: 11.0.0", b"AsteriskVersion: 22.10.1", b"SystemName: pbx-a"]
    return b"\r\n".join(parts) + END


def let_in(peer: socket.socket, until: bytes) -> None:
    peer.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    pending = b""
    while True:
        pending += peer.recv(_CHUNK)
        *actions, pending = pending.split(END)
        for action in actions:
            peer.sendall(answer(action))
            if until in action:
                return


def steadily(peer: socket.socket, events: int, rate: int) -> None:
    frames = [
        re.sub(rb"\r\nTimestamp: [0-9.]+", b"\r\nTimestamp: %s", frame.replace(b"%", b"%%"), count=1)
        for frame in recorded()
    ]
    sent, begun = 0, time.perf_counter()
    while sent < events:
        due = min(events, int((time.perf_counter() - begun) * rate))
        while sent < due:
            frame = frames[sent % len(frames)]
            stamp = b"%.6f" % time.time()
            whole = frame % stamp if b"\r\nTimestamp: %s" in frame else frame.replace(b"%%", b"%")
            peer.sendall(whole.replace(b"pbx-a-", b"pbx-%d-" % (sent // len(frames))) + END)
            sent += 1
        time.sleep(_TICK_S)


def main() -> None:
    events, rate, until = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
    data = b"" if rate else stream(events)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        peer, _ = server.accept()
        # As Asterisk does for its sessions (main/manager.c).
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        let_in(peer, until)
        if rate:
            steadily(peer, events, rate)
        else:
            peer.sendall(data)
        while peer.recv(_CHUNK):
            pass


if __name__ == "__main__":
    main()
