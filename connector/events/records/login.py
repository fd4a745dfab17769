"""What the records of one login have in common, worked out once and kept."""

from typing import Final, NamedTuple

from connector.avro.binary import PRESENT, long, optional_string, string
from connector.events.entry import Source
from connector.percent import key_part, path_part

MAX_CALLS: Final = 16_384
"""Calls kept by a login, some 400 bytes each."""

_MAX_NAMES: Final = 64
"""Values of SystemName kept; a PBX has one."""


class Call(NamedTuple):
    """What the records of one call share: the encoded `call_id`, the header `ce_subject`, the key."""

    field: bytes
    subject: tuple[str, bytes]
    key: bytes


class Login:
    """One login's part of records: of `event_id`, `source`, the header `ce_source` and of keys."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.key = key_part(source.pbx)
        self.header = ("ce_source", f"/asterisk/{path_part(source.pbx)}".encode())
        self.event_ids = f"{source.pbx}/{source.epoch}/".encode()
        self._fronts: dict[bytes, bytes] = {}
        self.calls: dict[str, Call] = {}

    def call(self, root: str) -> Call:
        """Return what the records of a call share; kept in `calls`."""
        if len(self.calls) >= MAX_CALLS:
            self.calls.clear()
        raw = root.encode()
        key = f"{self.key}|{key_part(root)}".encode()
        call = self.calls[root] = Call(PRESENT + string(raw), ("ce_subject", raw), key)
        return call

    def front(self, system: bytes) -> bytes:
        """Return the fields of `source` up to the epoch.

        Args:
            system: the event's own SystemName, encoded; empty where it has none.
        """
        known = self._fronts.get(system)
        return self._front(system) if known is None else known

    def _front(self, system: bytes) -> bytes:
        source = self.source
        if len(self._fronts) >= _MAX_NAMES:
            self._fronts.clear()
        front = self._fronts[system] = b"".join(
            (
                string(source.pbx.encode()),
                system or optional_string(source.system_name),
                optional_string(source.asterisk_version),
                optional_string(source.ami_version),
                long(source.epoch),
            )
        )
        return front
