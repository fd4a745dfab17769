"""What a handshake with a broker shows; the brokers here say nothing beyond it."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from connector.edges.kafka.handshake import look
from tests.parts.certificates import ELSEWHERE, Authority, Pair
from tests.parts.processes import LOOPBACK, free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    return Authority(tmp_path_factory.mktemp("brokers"))


@contextmanager
def broker(pair: Pair | None) -> Iterator[str]:
    """Listen, with TLS where there is a certificate, and hang up behind the first bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                if pair is None:
                    client.recv(1)
                else:
                    context.wrap_socket(client, server_side=True).close()

    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def seen(pair: Pair | None, **options: object) -> str:
    with broker(pair) as server:
        named = {name.replace("_", "."): value for name, value in options.items()}
        return look({"bootstrap.servers": server, **named}).removeprefix(f"{server}: ")


def trusting(authority: Authority) -> dict[str, str]:
    return {"security_protocol": "sasl_ssl", "ssl_ca_location": str(authority.certificate)}


def test_nothing_is_seen_where_all_is_right(authority: Authority) -> None:
    pair = authority.issue("right")
    assert seen(pair, **trusting(authority)) == ""
    as_text = {"security_protocol": "SASL_SSL", "ssl_ca_pem": authority.certificate.read_text()}
    assert seen(pair, **as_text) == ""
    assert seen(None, security_protocol="PLAINTEXT") == ""


@pytest.mark.parametrize(
    ("name", "names", "days", "words"),
    [
        ("old", None, -1, "certificate has expired): renew it"),
        ("far", ELSEWHERE, 7, "not valid for '127.0.0.1'): reach the broker by a name that is in it"),
    ],
)
def test_what_is_wrong_with_a_certificate(
    name: str, names: str | None, days: int, words: str, authority: Authority
) -> None:
    pair = authority.issue(name, names=names, days=days) if names else authority.issue(name, days=days)
    assert words in seen(pair, **trusting(authority))


def test_an_authority_that_is_not_known(authority: Authority) -> None:
    pair = authority.issue("strange")
    assert "set ssl.ca.location" in seen(pair, security_protocol="SSL")
    options = {"security_protocol": "SASL_SSL", "enable_ssl_certificate_verification": False}
    assert seen(pair, **options) == ""


def test_names_are_not_looked_at_where_that_is_set(authority: Authority) -> None:
    pair = authority.issue("nameless", names=ELSEWHERE)
    assert seen(pair, **trusting(authority), ssl_endpoint_identification_algorithm="none") == ""


def test_tls_on_one_side_alone(authority: Authority) -> None:
    pair = authority.issue("alone")
    assert "the broker speaks no TLS there" in seen(None, **trusting(authority))
    assert "set security.protocol to SSL or SASL_SSL" in seen(pair)
    assert "set security.protocol to SASL_SSL in" in seen(pair, security_protocol="SASL_PLAINTEXT")
    assert "TLS is right, but not enough" in seen(
        pair, **(trusting(authority) | {"security_protocol": "SSL"})
    )


def test_the_first_broker_that_tells_is_believed(authority: Authority) -> None:
    with broker(authority.issue("second", days=-1)) as server:
        servers = f"{LOOPBACK}:{free_port()}, nonsense:x, {server}"
        options = {"security.protocol": "SSL", "ssl.ca.location": str(authority.certificate)}
        assert look({"bootstrap.servers": servers, **options}).startswith(
            f"{server}: the broker's certificate"
        )


def test_nobody_there_is_nothing_seen() -> None:
    assert look({"bootstrap.servers": f"{LOOPBACK}:{free_port()}"}) == ""
    assert look({}) == ""
