"""A PBX that can be logged in at, from its table of the settings."""

from collections.abc import Callable

from connector.ami.clock import Pong
from connector.edges.pbx import Address, AsteriskPbx, tls_context
from connector.errors import SettingsError
from connector.settings.sections import Pbx


def open_pbx(
    name: str, pbx: Pbx, max_frame: int, ponged: Callable[[Pong, int], None] = lambda *_: None
) -> AsteriskPbx:
    """Return a PBX that can be logged in at; `ponged` is told what its clock says, and when that was read.

    Raises:
        SettingsError: the file of its authority cannot be read.
    """
    context = None
    if pbx.tls:
        try:
            context = tls_context(pbx.tls.ca_file, pbx.tls.server_name, verify=pbx.tls.verify)
        except OSError as error:
            raise SettingsError(f"pbx.{name}.tls.ca_file: {error}") from error
    addresses = [Address(host, port, context) for host, port in pbx.addresses]
    return AsteriskPbx(name, addresses, pbx.account(max_frame), pbx.deadlines, ponged)
