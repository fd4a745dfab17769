"""The connector's own events, as AMI messages about itself.

They are numbered and journaled like every other message and typed by `schemas/connector.avsc`; their
origin, and not their name, picks that schema, so nobody on a PBX can forge one.
"""

import re
from collections.abc import Mapping
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


def notice(kind: str, headers: Mapping[str, str | int | None]) -> bytes:
    """Return the frame of one of the connector's own events; None leaves a header out.

    Values may be texts of a PBX: control characters in them become a blank.
    """
    lines = [f"Event: {kind}", f"Type: {kind}"]
    lines += [
        f"{name}: {_CONTROL.sub(' ', str(value))}" for name, value in headers.items() if value is not None
    ]
    return "\r\n".join(lines).encode()
