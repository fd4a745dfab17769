"""Certificates for loopback, good for strict clients and for nothing else."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.parts import debian
from tests.parts.processes import LOOPBACK

DAYS = 7
HERE = f"DNS:localhost,IP:{LOOPBACK}"
ELSEWHERE = "DNS:elsewhere.example"


class Pair(NamedTuple):
    """A certificate and its key, both PEM."""

    certificate: Path
    key: Path

    def whole(self) -> Path:
        """Write both into one file, as many servers want it."""
        whole = self.certificate.with_suffix(".whole.pem")
        whole.write_text(self.key.read_text() + self.certificate.read_text())
        return whole


class Authority:
    """An authority that nobody knows by itself, which issues certificates of any kind."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._own = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE"]
        extensions += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        _request(
            self._own.key, self._own.certificate, f"/CN={name}", "-x509", "-days", str(DAYS), *extensions
        )

    @property
    def certificate(self) -> Path:
        """What clients trust."""
        return self._own.certificate

    def issue(self, name: str, *, names: str = HERE, days: int = DAYS) -> Pair:
        """Issue a certificate; `days` -1 has ended yesterday.

        Args:
            name: its CN, and what its files are called.
            names: whom it is for, as openssl writes subjectAltName.
            days: how long it is good.
        """
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        asked, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        _request(pair.key, asked, f"/CN={name}")
        extensions.write_text(
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            f"authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\nsubjectAltName={names}\n"
        )
        words = [
            "x509",
            "-req",
            "-in",
            str(asked),
            "-CA",
            str(self.certificate),
            "-CAkey",
            str(self._own.key),
        ]
        words += ["-days", str(days), "-extfile", str(extensions), "-out", str(pair.certificate)]
        _openssl(*words)
        return pair

    def issue_as_asterisk(self, name: str) -> Pair:
        """Issue what Asterisk's own script `ast_tls_cert` makes: version 1, with a CN and no other name."""
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        asked = self._folder / f"{name}.csr"
        _openssl("genrsa", "-out", str(pair.key), "2048")
        _openssl("req", "-batch", "-new", "-subj", f"/CN={name}", "-key", str(pair.key), "-out", str(asked))
        words = ["x509", "-req", "-days", str(DAYS), "-in", str(asked), "-CA", str(self.certificate)]
        words += ["-CAkey", str(self._own.key), "-set_serial", "01", "-out", str(pair.certificate)]
        _openssl(*words)
        return pair


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 as openssl prints it."""
    words = ["x509", "-in", str(certificate), "-noout", "-sha256", "-fingerprint"]
    return _openssl(*words).partition("=")[2].strip()


def make(certificate: Path, key: Path) -> None:
    """Write a certificate that is its own authority, and its key."""
    usage = "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"
    extensions = ["-addext", f"subjectAltName={HERE}", "-addext", usage]
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(DAYS), "-subj", "/CN=localhost"),
        *(*extensions, "-keyout", str(key), "-out", str(certificate)),
    )


def _request(key: Path, out: Path, subject: str, *words: str) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl("req", *curve, "-subj", subject, "-keyout", str(key), "-out", str(out), *words)


def _openssl(*words: str) -> str:
    command = [debian.tool("openssl", "openssl"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
