"""Certificates for loopback, good for strict clients and for nothing else."""

import subprocess
from pathlib import Path

from tests.parts import debian
from tests.parts.processes import LOOPBACK


def make(certificate: Path, key: Path) -> None:
    """Write a certificate that is its own authority, and its key."""
    command = [
        debian.tool("openssl", "openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "7",
    ]
    command += ["-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,IP:{LOOPBACK}"]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
