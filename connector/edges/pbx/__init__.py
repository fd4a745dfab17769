"""The road to a PBX: sockets and TLS around `connector.ami.session`; the only user of panoramisk.

Of panoramisk the opening of the connection is left. Its parser, completion rules, pending table,
re-sending, pinger and reconnect timer are all replaced, since each loses or repeats something.
"""

from connector.edges.pbx.asterisk import Address, AsteriskPbx
from connector.edges.pbx.connection import Connection, Take, Up
from connector.edges.pbx.tls import pinning_context, tls_context

__all__ = ["Address", "AsteriskPbx", "Connection", "Take", "Up", "pinning_context", "tls_context"]
