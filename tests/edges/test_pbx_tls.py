"""TLS to a PBX: what proves it, and what does not."""

import asyncio
import hashlib
import shutil
import ssl
from pathlib import Path

import pytest

from connector.ami.steps import Welcome
from connector.demo.pbx import SimulatedPbx
from connector.edges.pbx import Address, pinning_context, tls_context
from connector.errors import LinkLost
from tests.edges.scripted import GREETING, SECRET, Ear, pbx_at
from tests.parts.certificates import Authority

ACCOUNTS = {"kafka": SECRET}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    """Make a certificate for the name pbx.example, its key beside it in one file."""
    return authority.issue("pbx", names="DNS:pbx.example").whole()


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def log_in(certificate: Path, context: ssl.SSLContext | None, greeting: float = 10) -> list[Welcome]:
    async def run() -> list[Welcome]:
        ear = Ear()
        async with SimulatedPbx(ACCOUNTS, tls=server_context(certificate)) as pbx:
            there = pbx_at(Address(*pbx.address, tls=context), greeting=greeting)
            connection = await there.login(ear.up, ear.take)
            connection.leave()
            await connection.ended()
        return ear.welcomes

    return asyncio.run(run())


def fingerprint(certificate: Path) -> str:
    pem = certificate.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    return hashlib.sha256(der).hexdigest()


def test_the_right_authority_and_name(certificate: Path, authority: Authority) -> None:
    assert log_in(certificate, tls_context(str(authority.certificate), "pbx.example"))


def test_no_check_at_all_has_to_be_asked_for(certificate: Path) -> None:
    assert log_in(certificate, tls_context(verify=False))


@pytest.mark.parametrize(
    ("trusted", "name", "words"),
    [
        (True, None, "not valid for '127.0.0.1'): set tls.server_name"),
        (True, "other.example", "not valid for 'other.example'"),
        (False, "pbx.example", "issuer certificate): set tls.ca_file"),
    ],
)
def test_a_certificate_that_does_not_prove_it(
    certificate: Path, authority: Authority, *, trusted: bool, name: str | None, words: str
) -> None:
    context = tls_context(str(authority.certificate) if trusted else None, name)
    with pytest.raises(LinkLost, match="certificate is not trusted") as caught:
        log_in(certificate, context)
    assert words in str(caught.value)


def test_a_certificate_that_has_ended(authority: Authority) -> None:
    old = authority.issue("old", names="DNS:pbx.example", days=-1).whole()
    with pytest.raises(LinkLost, match=r"certificate has expired\): renew it"):
        log_in(old, tls_context(str(authority.certificate), "pbx.example"))
    assert log_in(old, pinning_context([fingerprint(old)]))


def test_a_pinned_certificate_needs_no_authority_and_no_name(certificate: Path, authority: Authority) -> None:
    digest = fingerprint(certificate)
    with_colons = ":".join(digest[place : place + 2] for place in range(0, 64, 2)).upper()
    assert log_in(certificate, pinning_context([digest]))
    assert log_in(certificate, pinning_context(["0" * 64, with_colons]))
    other = authority.issue("other", names="DNS:pbx.example").whole()
    with pytest.raises(LinkLost, match="another certificate than the pinned one") as caught:
        log_in(other, pinning_context([digest, fingerprint(authority.certificate)]))
    assert fingerprint(other) in str(caught.value)


def test_whoever_shows_another_certificate_is_told_nothing(certificate: Path) -> None:
    heard = bytearray()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        heard.extend(await reader.read())
        writer.close()

    async def run() -> None:
        context = server_context(certificate)
        async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=context) as server:
            host, port = server.sockets[0].getsockname()
            address = Address(host, port, pinning_context(["0" * 64]))
            with pytest.raises(LinkLost, match="another certificate"):
                await pbx_at(address).login(Ear().up, Ear().take)

    asyncio.run(run())
    assert not heard


def test_tls_to_a_plain_port() -> None:
    async def run() -> None:
        async with SimulatedPbx(ACCOUNTS) as pbx:
            await pbx_at(Address(*pbx.address, tls=tls_context())).login(Ear().up, Ear().take)

    with pytest.raises(LinkLost, match="no TLS there"):
        asyncio.run(run())


def test_plain_to_a_tls_port(certificate: Path) -> None:
    with pytest.raises(LinkLost, match="plain or TLS"):
        log_in(certificate, None, greeting=0.05)


def test_an_authority_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        tls_context(str(tmp_path / "none.pem"))
