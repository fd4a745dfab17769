"""`[http]`: what can be seen of the connector by HTTP, and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Literal

from connector.settings.kinds import Bounds, Line, Seconds, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """The status page, probes and metrics, where `enabled`; read only.

    Whoever asks shows `username` and `password`, or `token`, where they are set; probes are free unless
    `open_probes` is off. On loopback only the names of this machine are answered to, and those in `hosts`.
    `ready` says whether all PBXs must be up or any; Kafka is not well where events wait longer than `waits_s`.
    """

    enabled: bool = False
    host: Line = "127.0.0.1"
    port: Annotated[int, Bounds(0, 65_535)] = 9464
    username: Line | None = None
    password: Secret | None = None
    token: Secret | None = None
    open_probes: bool = True
    hosts: tuple[Line, ...] = ()
    ready: Literal["all", "any"] = "all"
    waits_s: Seconds = 30.0

    @property
    def guarded(self) -> bool:
        """Whether whoever asks must show something."""
        return bool(self.token or self.password)

    @property
    def local(self) -> bool:
        """Whether only this machine can ask."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Return whether a name or address is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def problems(http: Http) -> Iterator[str]:
    """Give what is wrong with the table; each begins with its key."""
    if bool(http.username) != bool(http.password):
        yield "http.username: username and password go together"
    if http.token and http.username:
        yield "http.token: username and password, or a token, not both"
    if http.username and ":" in http.username:
        yield "http.username: a colon ends a name in basic authentication"
