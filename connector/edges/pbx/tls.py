"""TLS for AMI, and what went wrong with a connection in words that tell what to do."""

import socket
import ssl
from typing import Any


class _NamedContext(ssl.SSLContext):
    """Checks the certificate for a name of its own instead of the address that was dialled."""

    server_name: str | None = None

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        kwargs["server_hostname"] = self.server_name or kwargs.get("server_hostname")
        return super().wrap_bio(*args, **kwargs)


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
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def explain(error: OSError) -> str:
    """Say what keeps a connection from being made, and what to look at."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the PBX's certificate is not trusted ({error.verify_message}):"
            " set its authority, or the name it was made for"
        )
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
