"""A PBX that can be logged in at, from its table of the settings."""

import ssl
from collections.abc import Callable

from connector.ami.clock import Pong
from connector.edges.pbx import Address, AsteriskPbx, pinning_context, tls_context
from connector.errors import SettingsError
from connector.settings.sections import Pbx, Tls


def open_pbx(
    name: str, pbx: Pbx, max_frame: int, ponged: Callable[[Pong, int], None] = lambda *_: None
) -> AsteriskPbx:
    """Return a PBX that can be logged in at; `ponged` is told what its clock says, and when that was read.

    Raises:
        SettingsError: the file of its authority cannot be read.
    """
    context = _context(name, pbx.tls) if pbx.tls else None
    addresses = [Address(host, port, context) for host, port in pbx.addresses]
    return AsteriskPbx(name, addresses, pbx.account(max_frame), pbx.deadlines, ponged)


def _context(name: str, tls: Tls) -> ssl.SSLContext:
    if tls.fingerprint:
        return pinning_context(tls.fingerprint)
    try:
        return tls_context(tls.ca_file, tls.server_name, verify=tls.verify)
    except OSError as error:
        raise SettingsError(f"pbx.{name}.tls.ca_file: {error}") from error
