"""Who may look: by what a request shows, and by the name under which it asks."""

import base64
import hmac
from collections.abc import Collection
from typing import Final

from connector.settings.http import Http, is_local

_BASIC: Final = "basic"
_BEARER: Final = "bearer"


def challenge(http: Http) -> str:
    """Return what an answer without entry asks for."""
    return 'Bearer realm="ami-kafka"' if http.token else 'Basic realm="ami-kafka", charset="UTF-8"'


def admits(http: Http, authorization: str) -> bool:
    """Return whether what a request shows lets it in; how much of it is right cannot be told from the time it takes."""
    if not http.guarded:
        return True
    scheme, _, shown = authorization.partition(" ")
    if http.token:
        return scheme.lower() == _BEARER and _same(shown.strip().encode(), http.token.reveal())
    try:
        told = base64.b64decode(shown.strip(), validate=True)
    except ValueError:
        return False
    password = http.password.reveal() if http.password else ""
    return scheme.lower() == _BASIC and _same(told, f"{http.username}:{password}")


def _same(shown: bytes, expected: str) -> bool:
    return hmac.compare_digest(shown, expected.encode())


def is_ours(http: Http, host: str) -> bool:
    """Return whether a Host header names us.

    A page from elsewhere can have its own name lead to 127.0.0.1, and read what is served there as its own.
    """
    name = _name(host)
    allowed: Collection[str] = {each.lower() for each in http.hosts}
    if http.local:
        return is_local(name) or name in allowed
    return not allowed or name in allowed


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
