"""The security guide's own commands, run as they are written."""

import contextlib
import hashlib
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_certificate_of_the_security_guide_is_made_as_written(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    guide = (ROOT / "docs" / "security.md").read_text("utf-8")
    (script,) = re.findall(r"^```sh\n(openssl req.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    shown = tls_shown(tmp_path / "pbx.pem", tmp_path / "pbx.key", context, "pbx.example.net")
    printed = done.stdout.partition("=")[2].strip()
    assert hashlib.sha256(shown).hexdigest() == printed.replace(":", "").lower()


def tls_shown(certificate: Path, key: Path, client: ssl.SSLContext, name: str) -> bytes:
    """Shake hands without a network, and return the certificate that the client has checked."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(2):
        for side in (ours, theirs):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return ours.getpeercert(binary_form=True) or b""
