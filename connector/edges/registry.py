"""The schema registry: ids of schemas, registration, compatibility, by Confluent's REST API.

Five requests are needed. Confluent's own client brings a dozen further packages for them, one with
a pinned version that not every index has, and a quarter of a second of import time.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from connector.edges.trust import Remedies, distrust
from connector.errors import RegistryError, SettingsError
from connector.settings.sections import Registry

COMPATIBILITY: Final = "FULL_TRANSITIVE"
"""What a new subject is set to: every version may be read by every other's reader."""

_CONTENT: Final = "application/vnd.schemaregistry.v1+json"
_NO_SUBJECT: Final = 40401
_MAX_ANSWER: Final = 16 << 20
_MAX_ID: Final = (1 << 31) - 1
"""An id is a signed integer of four bytes on the wire."""

_REMEDIES: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "check registry.username and registry.password, or registry.token",
    HTTPStatus.FORBIDDEN: "the registry's user lacks the right: Read, and Write where auto_register is set",
    HTTPStatus.NOT_FOUND: "is the path in registry.url right? (Apicurio: /apis/ccompat/v7)",
}


_TRUST: Final = Remedies("set registry.ca_file to its authority", "set registry.url to a name that is in it")


class _Refusal(Exception):
    """The registry's answer to a request that it does not fulfil; `code` is its own."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


class _NoRedirect(HTTPRedirectHandler):
    """Follows none: the credentials are for the registry alone."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing to follow."""


class SchemaRegistry:
    """One registry; each request runs in a thread of its own and ends within `registry.timeout_s`.

    Raises:
        SettingsError: `registry.ca_file` cannot be read.
    """

    def __init__(self, settings: Registry) -> None:
        self._url = settings.url.rstrip("/")
        self._auto_register = settings.auto_register
        self._timeout_s = settings.timeout_s
        self._headers = {"Accept": f"{_CONTENT}, application/json", "Content-Type": _CONTENT}
        if settings.token:
            self._headers["Authorization"] = f"Bearer {settings.token.reveal()}"
        elif settings.username and settings.password:
            pair = f"{settings.username}:{settings.password.reveal()}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._opener = build_opener(HTTPSHandler(context=_tls(settings.ca_file)), _NoRedirect)
        self._ids: dict[tuple[str, str], int] = {}

    async def schema_id(self, subject: str, schema_text: str) -> int:
        """Return the id under which `schema_text` is known for `subject`; register it if so set.

        Raises:
            RegistryError: the registry is away, does not know the schema, or refuses it.
        """
        known = self._ids.get((subject, schema_text))
        if known is None:
            known = await asyncio.to_thread(self._find, subject, schema_text, self._auto_register)
            self._ids[subject, schema_text] = known
        return known

    async def register(self, subject: str, schema_text: str) -> int:
        """Register a schema, whatever the settings say, and return its id.

        Raises:
            RegistryError: the registry is away or refuses it.
        """
        return await asyncio.to_thread(self._find, subject, schema_text, True)  # noqa: FBT003 (positional only)

    async def incompatible(self, subject: str, schema_text: str) -> str:
        """Return why `schema_text` does not fit the subject's earlier versions; empty where it does.

        Raises:
            RegistryError: the registry is away or refuses to say.
        """
        return await asyncio.to_thread(self._compare, subject, schema_text)

    async def schema_text(self, schema_id: int) -> str | None:
        """Return the schema that has an id; None where none has.

        Raises:
            RegistryError: the registry is away or refuses to say.
        """
        return await asyncio.to_thread(self._text, schema_id)

    async def reach(self) -> None:
        """Return when the registry answers as one.

        Raises:
            RegistryError: it does not; the text says what to look at.
        """
        await asyncio.to_thread(self._call, "GET", "/subjects", None, "registry")

    def _find(self, subject: str, schema_text: str, register: bool) -> int:  # noqa: FBT001 (called by to_thread)
        path, body = f"/subjects/{quote(subject, safe='')}", {"schema": schema_text}
        try:
            return _number(self._ask("POST", path, body), subject)
        except _Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise self._error(refusal, subject) from refusal
            if not register:
                raise RegistryError(
                    f"{subject}: the registry has no such schema; register it with "
                    "`ami-kafka schemas register`, or set registry.auto_register"
                ) from refusal
            new = refusal.code == _NO_SUBJECT
        number = _number(self._call("POST", f"{path}/versions", body, subject), subject)
        if new:
            self._guard(subject)
        return number

    def _text(self, schema_id: int) -> str | None:
        about = f"schema id {schema_id}"
        try:
            text = self._ask("GET", f"/schemas/ids/{schema_id}", None).get("schema")
        except _Refusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return None
            raise self._error(refusal, about) from refusal
        if not isinstance(text, str):
            raise RegistryError(f"{about}: the registry's answer has no schema")
        return text

    def _guard(self, subject: str) -> None:
        """Set a new subject's compatibility; a registry that forbids it has rules of its own."""
        try:
            self._ask("PUT", f"/config/{quote(subject, safe='')}", {"compatibility": COMPATIBILITY})
        except _Refusal:
            return

    def _compare(self, subject: str, schema_text: str) -> str:
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions?verbose=true"
        try:
            answer = self._ask("POST", path, {"schema": schema_text})
        except _Refusal as refusal:
            if refusal.code == _NO_SUBJECT or refusal.status == HTTPStatus.NOT_FOUND:
                return ""
            raise self._error(refusal, subject) from refusal
        if answer.get("is_compatible"):
            return ""
        messages = answer.get("messages")
        told = messages if isinstance(messages, list) else []
        return "; ".join(map(str, told)) or "the registry does not say why"

    def _call(self, method: str, path: str, body: Mapping[str, str] | None, about: str) -> Mapping[str, Any]:
        try:
            return self._ask(method, path, body)
        except _Refusal as refusal:
            raise self._error(refusal, about) from refusal

    def _error(self, refusal: _Refusal, about: str) -> RegistryError:
        if refusal.status == HTTPStatus.CONFLICT:
            return RegistryError(f"{about}: incompatible with the registry's version: {refusal}")
        remedy = "" if refusal.code > refusal.status else _REMEDIES.get(refusal.status, "")
        return RegistryError(f"{about}: {self._url}: {refusal}{remedy and '; '}{remedy}")

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        """Return the registry's answer, an empty one where it is no object.

        Raises:
            _Refusal: it says no.
            RegistryError: it says nothing that can be understood.
        """
        request = Request(  # noqa: S310 (the settings take http and https only)
            self._url + path, json.dumps(body).encode() if body else None, self._headers, method=method
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                said = json.loads(answer.read(_MAX_ANSWER))
        except HTTPError as error:
            raise _refusal(error) from error
        except (URLError, OSError, HTTPException, ValueError, RecursionError) as error:
            raise RegistryError(f"{self._url}: {_unanswered(error)}") from error
        return said if isinstance(said, dict) else {}


def _number(answer: Mapping[str, Any], subject: str) -> int:
    number = answer.get("id")
    if type(number) is not int or not 0 <= number <= _MAX_ID:
        raise RegistryError(f"{subject}: the registry's answer has no id")
    return number


def _unanswered(error: Exception) -> str:
    """Say why there is no answer, and what to do."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the schema registry's {distrust(reason, _TRUST)}"
    if isinstance(reason, ssl.SSLError):
        return f"the schema registry speaks no TLS there ({reason.reason}): mend registry.url"
    return (
        f"no answer from the schema registry: {reason}; is it up, and is registry.url right (http or https)?"
    )


def _refusal(error: HTTPError) -> _Refusal:
    """Read the registry's own words from an answer."""
    with error:
        try:
            said = json.loads(error.read(_MAX_ANSWER))
            return _Refusal(error.code, int(said["error_code"]), str(said["message"]))
        except (OSError, HTTPException, ValueError, OverflowError, KeyError, TypeError, RecursionError):
            return _Refusal(error.code, error.code, f"HTTP {error.code} {error.reason}")


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise SettingsError(f"registry.ca_file: cannot read {ca_file!r}: {error}") from error
    return context
