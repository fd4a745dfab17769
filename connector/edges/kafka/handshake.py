"""What a TLS handshake of our own shows of brokers that librdkafka could not talk to: it does not say why."""

import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from connector.edges.trust import Remedies, distrust

_WAIT_S: Final = 2.0
_PROTOCOL: Final = "security.protocol"
_CHECKED: Final = "enable.ssl.certificate.verification"
_NAMES_CHECKED: Final = "ssl.endpoint.identification.algorithm"
_ADDRESS: Final = re.compile(r"(?:\w+://)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?")
_USUAL_PORT: Final = 9092
_REMEDIES: Final = Remedies(
    "set ssl.ca.location in [kafka.librdkafka] to its authority",
    "reach the broker by a name that is in it (kafka.bootstrap_servers, advertised.listeners)",
)


def look(config: Mapping[str, Any]) -> str:
    """Return what is wrong between us and the first broker that tells; empty where nothing can be seen so.

    Nothing is sent but the handshake, no secret and no certificate of ours. May take some seconds.

    Args:
        config: a client's options.
    """
    for server in str(config.get("bootstrap.servers", "")).split(","):
        found = _ADDRESS.fullmatch(server.strip())
        if found is None:
            continue
        address = (found[1] or found[2], int(found[3] or _USUAL_PORT))
        with suppress(OSError):
            with socket.create_connection(address, _WAIT_S) as plain:
                plain.settimeout(_WAIT_S)
                said = _shake_hands(plain, address[0], config)
            if said:
                return f"{server.strip()}: {said}"
    return ""


def _shake_hands(plain: socket.socket, host: str, config: Mapping[str, Any]) -> str:
    protocol = str(config.get(_PROTOCOL, "plaintext")).upper()
    wanted = protocol.endswith("SSL")
    try:
        with (_context(config) if wanted else _blind()).wrap_socket(plain, server_hostname=host):
            pass
    except ssl.SSLCertVerificationError as error:
        return f"the broker's {distrust(error, _REMEDIES)}"
    except (ssl.SSLError, ConnectionError, TimeoutError):
        return f"the broker speaks no TLS there: mend {_PROTOCOL}, or the port" if wanted else ""
    if not wanted:
        other = "SASL_SSL" if protocol.startswith("SASL") else "SSL or SASL_SSL"
        return f"the broker speaks TLS there: set {_PROTOCOL} to {other} in [kafka.librdkafka]"
    if protocol == "SSL":
        return f"TLS is right, but not enough: if the broker wants a login set {_PROTOCOL} to SASL_SSL; if it wants a certificate of ours, ssl.certificate.location and ssl.key.location"
    return ""


def _context(config: Mapping[str, Any]) -> ssl.SSLContext:
    """Return what trusts whom librdkafka would; without its client's certificate."""
    if str(config.get(_CHECKED, True)).lower() == "false":
        return _blind()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = config.get(_NAMES_CHECKED, "https") != "none"
    location, text = config.get("ssl.ca.location"), config.get("ssl.ca.pem")
    if text:
        context.load_verify_locations(cadata=text)
    elif location and location != "probe":
        folder = Path(location).is_dir()
        context.load_verify_locations(None if folder else location, location if folder else None)
    else:
        context.load_default_certs()
    return context


def _blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
