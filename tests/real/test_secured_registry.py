"""A schema registry behind TLS and a password: what lets us in, and what is said of what does not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts import front
from tests.parts.certificates import ELSEWHERE, Authority, Pair
from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import Tables, command, fresh, toml

USER, PASSWORD = "bridge", "registry-hunter2"
NOBODY = {"username": "u", "secret": "s", "address": ["127.0.0.1:1"]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("registry"))


class Place:
    """Settings for a registry behind a front, and what comes of them."""

    def __init__(self, kafka: Cluster | Kafka, registry: Service | Registry, folder: Path) -> None:
        self.prefix = fresh("fronted")
        self._kafka = kafka
        self._registry = registry
        self._config = folder / "settings.toml"

    def write(self, url: str, **said: object) -> None:
        tables: Tables = {
            "pbx.main": NOBODY,
            "events": {"topic_prefix": self.prefix, "select": ["Hangup"]},
            "kafka": {"bootstrap_servers": [self._kafka.bootstrap]},
            "registry": {"url": url, "username": USER, "password": PASSWORD, "timeout_s": 5, **said},
        }
        self._config.write_text(toml(tables))

    def register(self) -> None:
        done = command("schemas", "register", "--config", str(self._config))
        assert done.returncode == 0, done.stderr

    def check(self) -> str:
        return command("check", "--config", str(self._config)).stdout

    def is_refused(self, pair: Pair, words: tuple[str, ...], **said: object) -> None:
        """See that `run` does not begin, that `check` fails, and that both say why and what to do."""
        with front.start(self._registry.url, USER, PASSWORD, pair) as door:
            self.write(door.url, **said)
            run, check = (command(word, "--config", str(self._config)) for word in ("run", "check"))
        assert (run.returncode, check.returncode) == (1, 1), run.stderr
        for word in words:
            assert word in run.stderr
            assert word in check.stdout
        assert "hunter2" not in run.stdout + run.stderr + check.stdout + check.stderr
        assert "Traceback" not in run.stderr + check.stderr

    @property
    def url(self) -> str:
        """The registry's own."""
        return self._registry.url


@pytest.fixture
def place(kafka: Cluster | Kafka, registry: Service | Registry, tmp_path: Path) -> Iterator[Place]:
    one = Place(kafka, registry, tmp_path)
    yield one
    reading.remove(kafka.bootstrap, one.prefix)


def test_with_the_password_and_the_authority_schemas_are_registered_and_found(
    place: Place, authority: Authority
) -> None:
    with front.start(place.url, USER, PASSWORD, authority.issue("right")) as door:
        place.write(door.url, ca_file=str(authority.certificate))
        place.register()
        assert "3 of 3 registered" in place.check()


Fault = Callable[[Authority], Pair]
FAULTS: dict[str, tuple[Fault, bool, dict[str, object], tuple[str, ...]]] = {
    "wrong password": (lambda own: own.issue("a"), True, {"password": "no-hunter2"}, ("HTTP 401", "check registry.username and registry.password")),
    "wrong authority": (lambda own: own.issue("b"), False, {}, ("certificate is not trusted", "set registry.ca_file")),
    "expired": (lambda own: own.issue("c", days=-1), True, {}, ("certificate has expired", "renew it")),
    "wrong host": (lambda own: own.issue("d", names=ELSEWHERE), True, {}, ("not valid for '127.0.0.1'", "set registry.url to a name")),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_keeps_us_out_is_named(fault: str, place: Place, authority: Authority) -> None:
    pair, trusted, said, words = FAULTS[fault]
    known = {"ca_file": str(authority.certificate)} if trusted else {}
    place.is_refused(pair(authority), words, **known, **said)


def test_tls_where_nobody_speaks_it_and_none_where_it_is_wanted(place: Place, authority: Authority) -> None:
    place.write(place.url.replace("http://", "https://"))
    assert "the schema registry speaks no TLS there" in place.check()
    with front.start(place.url, USER, PASSWORD, authority.issue("e")) as door:
        place.write(door.url.replace("https://", "http://"))
        assert "is registry.url right (http or https)?" in place.check()
