"""A SIP phone, as much of it as the scenarios need.

Being in the same process as the driver it takes each step when the PBX's events show that the last one
arrived, and it can hold two calls and join them (REFER with Replaces), which `sipp` cannot without sleeps.
"""

import queue
import re
import secrets
import socket
import struct
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import quote

from tests.parts.processes import LOOPBACK
from tests.parts.sipwire import Dialog, Headers, Packet, parse, proof, tag


class Phone:
    """A phone on loopback; requests inside a call are answered by a thread of its own."""

    def __init__(self, server: tuple[str, int], user: str, password: str = "", *, port: int = 0) -> None:
        self.user = user
        self._server = server
        self._password = password
        self._socket = _udp(port)
        self._sound, self._reports = _udp(0), _udp(0)
        self.port: int = self._socket.getsockname()[1]
        self._answers: queue.Queue[Packet] = queue.Queue()
        self.invitations: queue.Queue[Packet] = queue.Queue()
        self.notices: queue.Queue[Packet] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._listener.join()
        for one in (self._socket, self._sound, self._reports):
            one.close()

    def register(self, *, expires: int = 60) -> int:
        """Register, or with 0 take it back; give the final status."""
        home = f"sip:{_address(self._server)}"
        dialog = Dialog(secrets.token_hex(8), self._own(), f"<sip:{self.user}@{LOOPBACK}>", home)
        return self._ask("REGISTER", dialog, {"Expires": str(expires)}).status

    def watch(self, number: str) -> int:
        """Ask to be told about the state of an extension; give the final status."""
        target = f"sip:{number}@{_address(self._server)}"
        dialog = Dialog(secrets.token_hex(8), self._own(), f"<{target}>", target)
        wanted = {"Event": "presence", "Accept": "application/pidf+xml", "Expires": "60"}
        return self._ask("SUBSCRIBE", dialog, wanted).status

    def call(self, number: str) -> Dialog:
        """Call a number, and return when it is answered."""
        target = f"sip:{number}@{_address(self._server)}"
        dialog = Dialog(secrets.token_hex(8), self._own(), f"<{target}>", target)
        self._invite(dialog, "sendrecv")
        return dialog

    def answer(self) -> Dialog:
        """Take the next call that comes in."""
        invitation = self.invitations.get(timeout=10)
        self._reply(invitation, "180 Ringing")
        self._reply(invitation, "200 OK", self._sdp("sendrecv"))
        headers = invitation.headers
        target = re.sub(r".*<(.*)>.*", r"\1", headers["contact"])
        return Dialog(headers["call-id"], headers["to"], headers["from"], target, invitation.media)

    def decline(self) -> None:
        """Refuse the next call that comes in."""
        self._reply(self.invitations.get(timeout=10), "486 Busy Here")

    def hold(self, dialog: Dialog) -> None:
        """Send no more than music would need."""
        self._invite(dialog, "sendonly")

    def resume(self, dialog: Dialog) -> None:
        """Talk again."""
        self._invite(dialog, "sendrecv")

    def refer(self, dialog: Dialog, number: str, other: Dialog | None = None) -> int:
        """Ask the PBX to connect the other side with a number, or with our other call."""
        to = f"sip:{number}@{_address(self._server)}"
        if other is not None:
            tags = f"to-tag={tag(other.remote)};from-tag={tag(other.local)}"
            to += "?Replaces=" + quote(f"{other.call_id};{tags}", safe="")
        return self._ask("REFER", dialog, {"Refer-To": f"<{to}>"}).status

    def hang_up(self, dialog: Dialog) -> None:
        """End the call."""
        self._ask("BYE", dialog, {})

    def talk(self, dialog: Dialog, packets: int = 10) -> None:
        """Send some sound, and a report about it."""
        source = 0x0A1B2C3D
        for number in range(packets):
            head = struct.pack("!BBHII", 0x80, 0, number, number * 160, source)
            self._sound.sendto(head + b"\x7f" * 160, dialog.media)
        report = struct.pack(
            "!BBHIIIIII", 0x80, 200, 6, source, 3900000000, 0, packets * 160, packets, packets * 160
        )
        self._reports.sendto(report, (dialog.media[0], dialog.media[1] + 1))

    def _invite(self, dialog: Dialog, direction: str) -> None:
        answer = self._ask("INVITE", dialog, {}, self._sdp(direction))
        if answer.status != 200:
            raise RuntimeError(f"the PBX answered {answer.first}")
        dialog.remote = answer.headers["to"]
        dialog.media = answer.media
        dialog.target = re.sub(r".*<(.*)>.*", r"\1", answer.headers["contact"])

    def _ask(self, method: str, dialog: Dialog, headers: Headers, body: str = "") -> Packet:
        """Send a request, prove who we are if asked, and give the final answer."""
        answer = self._once(method, dialog, headers, body)
        if answer.status == 401:
            answered = proof(
                answer.headers["www-authenticate"], self.user, self._password, method, dialog.target
            )
            answer = self._once(method, dialog, {**headers, "Authorization": answered}, body)
        return answer

    def _once(self, method: str, dialog: Dialog, headers: Headers, body: str) -> Packet:
        dialog.number += 1
        self._send(method, dialog, headers, body)
        while True:
            answer = self._answers.get(timeout=15)
            mine = answer.headers["call-id"] == dialog.call_id
            if not mine or answer.headers["cseq"] != f"{dialog.number} {method}" or answer.status < 200:
                continue
            if method == "INVITE":
                self._send("ACK", Dialog(**{**vars(dialog), "remote": answer.headers["to"]}), {})
            return answer

    def _send(self, method: str, dialog: Dialog, headers: Headers, body: str = "") -> None:
        lines = {
            "Via": f"SIP/2.0/UDP {LOOPBACK}:{self.port};branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards": "70",
            "From": dialog.local,
            "To": dialog.remote,
            "Call-ID": dialog.call_id,
            "CSeq": f"{dialog.number} {method}",
            "Contact": f"<sip:{self.user}@{LOOPBACK}:{self.port}>",
            "User-Agent": "phone",
            **headers,
        }
        self._put(f"{method} {dialog.target} SIP/2.0", lines, body)

    def _reply(self, request: Packet, status: str, body: str = "") -> None:
        lines = {name: request.headers[name] for name in ("via", "from", "to", "call-id", "cseq")}
        if "tag=" not in lines["to"]:
            request.headers["to"] = lines["to"] = f"{lines['to']};tag={secrets.token_hex(6)}"
        own = f"<sip:{self.user}@{LOOPBACK}:{self.port}>"
        lines["contact"] = request.headers.get("contact", own) if request.method == "REGISTER" else own
        self._put(f"SIP/2.0 {status}", lines, body)

    def _put(self, first: str, headers: Headers, body: str) -> None:
        kind = {"Content-Type": "application/sdp"} if body else {}
        lines = {**headers, **kind, "Content-Length": str(len(body))}
        text = "\r\n".join([first, *(f"{name}: {value}" for name, value in lines.items()), "", body])
        self._socket.sendto(text.encode(), self._server)

    def _listen(self) -> None:
        while data := self._socket.recv(65536):
            packet = parse(data.decode(errors="replace"))
            if packet.status:
                self._answers.put(packet)
            elif packet.method == "INVITE" and "tag=" not in packet.headers["to"]:
                self._reply(packet, "100 Trying")
                self.invitations.put(packet)
            elif packet.method != "ACK":
                self._reply(packet, "200 OK", self._sdp("sendrecv") if packet.method == "INVITE" else "")
                with suppress(queue.Full):
                    self.notices.put_nowait(packet)

    def _own(self) -> str:
        return f"<sip:{self.user}@{LOOPBACK}>;tag={secrets.token_hex(6)}"

    def _sdp(self, direction: str) -> str:
        port = self._sound.getsockname()[1]
        return (
            f"v=0\r\no=- 1 {secrets.randbelow(10**6)} IN IP4 {LOOPBACK}\r\ns=-\r\nc=IN IP4 {LOOPBACK}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
        )


def _udp(port: int) -> socket.socket:
    opened = socket.socket(type=socket.SOCK_DGRAM)
    opened.bind((LOOPBACK, port))
    return opened


def _address(server: tuple[str, int]) -> str:
    return f"{server[0]}:{server[1]}"
