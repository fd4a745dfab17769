"""Why a certificate is not trusted, in words that tell what to do."""

import ssl
from typing import Final, NamedTuple

_NOT_YET: Final = 9
_EXPIRED: Final = 10
_OTHER_HOST: Final = frozenset({62, 64})
"""OpenSSL's codes, as `SSLCertVerificationError.verify_code` has them: a name, an address."""


class Remedies(NamedTuple):
    """What to do where a certificate's authority is not known, and where it is for another host."""

    authority: str
    host: str


def distrust(error: ssl.SSLCertVerificationError, remedies: Remedies) -> str:
    """Return what is wrong with a certificate, and what to do."""
    if error.verify_code in _OTHER_HOST:
        remedy = remedies.host
    elif error.verify_code == _EXPIRED:
        remedy = "renew it, and have the server read it"
    elif error.verify_code == _NOT_YET:
        remedy = "look at the clocks, here and where it was made"
    else:
        remedy = remedies.authority
    return f"certificate is not trusted ({error.verify_message.rstrip('.')}): {remedy}"
