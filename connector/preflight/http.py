"""Checks of the HTTP server: who can see it."""

from connector.preflight import Finding, State
from connector.settings.http import Http


def check(http: Http) -> list[Finding]:
    """Say whether others than this machine may look, and must show who they are."""
    if not http.enabled:
        return []
    seen = f"{http.host}:{http.port}, " + ("guarded" if http.guarded else "open to whoever reaches it")
    if http.local or http.guarded:
        return [Finding("http", State.OK, seen)]
    remedy = "set http.token, or http.username and http.password; or http.host to 127.0.0.1"
    return [Finding("http", State.WARNING, seen, remedy)]
