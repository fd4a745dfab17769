"""AMI over TLS at a real Asterisk: what proves the PBX, and what is said of what does not."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.parts.asterisk import Asterisk, Plan
from tests.parts.certificates import ELSEWHERE, Authority, Pair, fingerprint
from tests.real.bridge import bridge, command, fresh, pbx_table, toml
from tests.real.conftest import have_asterisk
from tests.real.story import mark


@pytest.fixture(scope="module")
def pbx() -> Iterator[Asterisk]:
    """Give an Asterisk whose certificate a test may change."""
    with ExitStack() as ends:
        yield have_asterisk(Plan(tls=True), ends)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def show(pbx: Asterisk, pair: Pair) -> None:
    """Have the PBX show another certificate."""
    shutil.copy(pair.certificate, pbx.certificate)
    shutil.copy(pair.key, pbx.certificate.with_name("key.pem"))
    pbx.restart()


class Place:
    """Settings for events to a broker inside the process, so that nothing else can fail."""

    def __init__(self, pbx: Asterisk, folder: Path) -> None:
        self._pbx = pbx
        self._folder = folder

    def tables(self, port: int, tls: dict[str, object]) -> dict[str, dict[str, object]]:
        table = pbx_table(self._pbx.host, port, self._pbx.username, self._pbx.secret, timezone="UTC")
        return {"pbx.main": table, "pbx.main.tls": tls, "events": {"topic_prefix": fresh("tls")}}

    def logs_in(self, **tls: object) -> None:
        """See that events come."""
        with bridge(self._folder, self.tables(self._pbx.tls_port, tls), "--embedded") as running:
            running.expect("LinkUp", pbx="main")
            mark(self._pbx, "OverTls")
            assert running.stop() == 0, running.text()

    def is_refused(self, *words: str, port: int = 0, **tls: object) -> None:
        """See that `run` tries again and says why, that `check` fails, and that both say what to do."""
        settings = self.tables(port or self._pbx.tls_port, tls)
        with bridge(self._folder, settings, "--embedded") as running:
            message = running.expect("LinkDown", pbx="main")[0]["message"]
            assert running.stop() == 0, running.text()
        config = self._folder / "check.toml"
        config.write_text(
            toml({**settings, "kafka": {"bootstrap_servers": ["127.0.0.1:1"], "reach_timeout_s": 0.1}})
        )
        check = command("check", "--config", str(config))
        assert check.returncode == 1
        for word in words:
            assert word in message
            assert word in check.stdout
        assert self._pbx.secret not in running.text() + check.stdout + check.stderr


@pytest.fixture
def place(pbx: Asterisk, tmp_path: Path) -> Place:
    return Place(pbx, tmp_path)


def test_an_authority_of_ones_own(place: Place, pbx: Asterisk, authority: Authority) -> None:
    show(pbx, authority.issue("own"))
    place.logs_in(ca_file=str(authority.certificate))
    place.is_refused("issuer certificate)", "tls.ca_file", "tls.fingerprint")
    place.is_refused("no TLS there", "tlsenable", port=pbx.port, ca_file=str(authority.certificate))


def test_a_certificate_for_another_host(place: Place, pbx: Asterisk, authority: Authority) -> None:
    show(pbx, authority.issue("elsewhere", names=ELSEWHERE))
    place.is_refused("not valid for '127.0.0.1'", "tls.server_name", ca_file=str(authority.certificate))
    place.logs_in(ca_file=str(authority.certificate), server_name="elsewhere.example")


def test_a_certificate_that_has_ended(place: Place, pbx: Asterisk, authority: Authority) -> None:
    show(pbx, authority.issue("ended", days=-1))
    place.is_refused("certificate has expired", "renew it", ca_file=str(authority.certificate))


def test_a_certificate_as_asterisks_script_makes_it_is_pinned(
    place: Place, pbx: Asterisk, authority: Authority
) -> None:
    pair = authority.issue_as_asterisk("pbx.example")
    show(pbx, pair)
    place.is_refused("not valid for", "tls.fingerprint", ca_file=str(authority.certificate))
    place.logs_in(fingerprint=fingerprint(pair.certificate))
    other = fingerprint(authority.certificate)
    shown = fingerprint(pair.certificate).replace(":", "").lower()
    place.is_refused(
        "another certificate than the pinned one", shown, "set tls.fingerprint", fingerprint=other
    )
