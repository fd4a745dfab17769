"""The guarded ways into a Kafka cluster: SASL_SSL, certificates on both sides, and some with a bad certificate."""

from collections.abc import Mapping
from pathlib import Path

from tests.parts.certificates import ELSEWHERE as OTHER_NAMES
from tests.parts.certificates import Authority, Pair
from tests.parts.processes import LOOPBACK, free_port

SECURE = "SECURE"
"""SASL_SSL, by PLAIN, and by SCRAM-SHA-512 for whom a super user has given a password."""

MUTUAL = "MUTUAL"
"""SSL, for clients with a certificate of the cluster's authority: user `CN=<name>`."""

EXPIRED = "EXPIRED"
"""As SECURE, with a certificate that has ended."""

ELSEWHERE = "ELSEWHERE"
"""As SECURE, with a certificate for another host."""

_EVERY = (SECURE, MUTUAL, EXPIRED, ELSEWHERE)
PROTOCOLS = "".join(f",{door}:{'SSL' if door == MUTUAL else 'SASL_SSL'}" for door in _EVERY)
_LOGIN = "org.apache.kafka.common.security"


class Doors:
    """One cluster's: certificates in a folder, a port for each node and way."""

    def __init__(self, folder: Path, users: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.authority = Authority(folder)
        self.client = self.authority.issue("client")
        self._users = users
        self._certificates = {
            SECURE: self.authority.issue("broker"),
            EXPIRED: self.authority.issue("expired", days=-1),
            ELSEWHERE: self.authority.issue("elsewhere", names=OTHER_NAMES),
        }
        self._certificates[MUTUAL] = self._certificates[SECURE]
        self._ports: dict[tuple[int, str], int] = {}

    def port(self, node: int, door: str) -> int:
        """Give the port of a node."""
        return self._ports.setdefault((node, door), free_port())

    def listeners(self, node: int) -> str:
        """Give what belongs behind a node's other listeners."""
        return "".join(f",{door}://{LOOPBACK}:{self.port(node, door)}" for door in _EVERY)

    @property
    def properties(self) -> dict[str, str]:
        """What all nodes need."""
        found = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.truststore.type": "PEM",
            "listener.name.mutual.ssl.truststore.location": str(self.authority.certificate),
        }
        for door, pair in self._certificates.items():
            found |= self._of_door(f"listener.name.{door.lower()}", pair)
        return found

    def _of_door(self, where: str, pair: Pair) -> dict[str, str]:
        accounts = " ".join(f'user_{name}="{password}"' for name, password in self._users.items())
        return {
            f"{where}.ssl.keystore.type": "PEM",
            f"{where}.ssl.keystore.location": str(pair.whole()),
            f"{where}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            f"{where}.plain.sasl.jaas.config": f"{_LOGIN}.plain.PlainLoginModule required {accounts};",
            f"{where}.scram-sha-512.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
        }
