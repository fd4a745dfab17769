"""TLS to a PBX: what proves it, and what does not."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from connector.ami.steps import Welcome
from connector.demo.pbx import SimulatedPbx
from connector.edges.pbx import Address, tls_context
from connector.errors import LinkLost
from tests.edges.scripted import SECRET, Ear, pbx_at

ACCOUNTS = {"kafka": SECRET}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for the name pbx.example, its key beside it in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", str(key), "-out", str(chain), "-subj", "/CN=pbx.example"]
    command += ["-addext", "subjectAltName=DNS:pbx.example"]
    subprocess.run(command, check=True, capture_output=True)
    whole = folder / "whole.pem"
    whole.write_text(key.read_text() + chain.read_text())
    return whole


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


def test_the_right_authority_and_name(certificate: Path) -> None:
    assert log_in(certificate, tls_context(str(certificate), "pbx.example"))


def test_no_check_at_all_has_to_be_asked_for(certificate: Path) -> None:
    assert log_in(certificate, tls_context(verify=False))


@pytest.mark.parametrize(
    ("trusted", "name", "words"),
    [
        (True, None, "not valid for '127.0.0.1'"),
        (True, "other.example", "other.example"),
        (False, None, "self"),
    ],
)
def test_a_certificate_that_does_not_prove_it(
    certificate: Path, *, trusted: bool, name: str | None, words: str
) -> None:
    context = tls_context(str(certificate) if trusted else None, name)
    with pytest.raises(LinkLost, match="certificate is not trusted") as caught:
        log_in(certificate, context)
    assert words in str(caught.value)


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
