"""TLS for AMI, and what went wrong with a connection in words that tell what to do."""

import hashlib
import socket
import ssl
from collections.abc import Collection
from typing import Any, Final

from connector.edges.trust import Remedies, distrust

_REMEDIES: Final = Remedies(
    "set tls.ca_file to its authority, or pin it by tls.fingerprint",
    "set tls.server_name to the name that it was made for, or pin it by tls.fingerprint",
)


class _NotPinned(ssl.SSLError):
    """The PBX has shown another certificate than the settings name."""


class _NamedContext(ssl.SSLContext):
    """Checks the certificate for a name of its own instead of the address that was dialled."""

    server_name: str | None = None

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        kwargs["server_hostname"] = self.server_name or kwargs.get("server_hostname")
        return super().wrap_bio(*args, **kwargs)


class _PinningContext(ssl.SSLContext):
    """Takes the certificates of these fingerprints alone, whoever signed them, whomever and how long they are for."""

    fingerprints: frozenset[str] = frozenset()


class _Pinned(ssl.SSLObject):
    """A session that ends with its handshake, unless the certificate is the one."""

    def do_handshake(self) -> None:
        super().do_handshake()
        shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
        context = self.context
        if not isinstance(context, _PinningContext) or shown not in context.fingerprints:
            raise _NotPinned(shown)


def tls_context(
    ca_file: str | None = None, server_name: str | None = None, *, verify: bool = True
) -> ssl.SSLContext:
    """Return a context for connections to a PBX.

    Args:
        ca_file: PEM file of the authority that signed the PBX's certificate, or of the certificate
            itself; None: the system's authorities.
        server_name: the name in the certificate, where it is not the address.
        verify: False takes any certificate, and with it anybody who stands between.

    Raises:
        OSError: `ca_file` cannot be read, or is no PEM file (ssl.SSLError).
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = server_name
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    if not verify:
        _trust_anybody(context)
    return context


def pinning_context(fingerprints: Collection[str]) -> ssl.SSLContext:
    """Return a context that takes certificates by their SHA-256, in hex with colons or without, and needs no authority."""
    context = _PinningContext(ssl.PROTOCOL_TLS_CLIENT)
    context.fingerprints = frozenset(each.replace(":", "").lower() for each in fingerprints)
    context.sslobject_class = _Pinned
    _trust_anybody(context)
    return context


def _trust_anybody(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


def explain(error: OSError) -> str:
    """Say what keeps a connection from being made, and what to look at."""
    if isinstance(error, _NotPinned):
        return (
            f"the PBX shows another certificate than the pinned one, with the SHA-256 {error.args[0]}: if that is"
            " the PBX's own (openssl x509 -in tlscertfile -noout -sha256 -fingerprint), set tls.fingerprint to it"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the PBX's {distrust(error, _REMEDIES)}"
    if isinstance(error, ssl.SSLError | ConnectionResetError):
        detail = error.reason if isinstance(error, ssl.SSLError) else "reset"
        return f"no TLS there ({detail}): see tlsenable, tlsbindaddr and tlscertfile in manager.conf"
    if isinstance(error, ConnectionRefusedError):
        return (
            "connection refused: is Asterisk running, and enabled, bindaddr and port right in manager.conf?"
        )
    if isinstance(error, socket.gaierror):
        return f"no such host ({error.strerror})"
    return f"no connection ({error.strerror or error})"
