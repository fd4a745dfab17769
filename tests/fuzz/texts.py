"""Settings, users' schemas and a PBX's documentation: what is wrong with a text is told, by an error of ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError
from connector.settings.load import load
from tests.fuzz.mutation import Mutator

ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "hunter2"
_WORDS: Final = (
    *(b'"', b"'", b"=", b"[", b"]", b"[[", b"]]", b"{", b"}", b",", b".", b"\n", b"#", b"true", b"false", b"-1", b"0"),
    *(b"1e308", b"inf", b"nan", b"9" * 30, b"1979-05-27", b"${env:X}", b"${file:/x}", b"${", b"\\u0000", b"\xff", b"*", b"(("),
    *(b"[pbx.b]\n", b"[actions]\n", b"[actions.policy]\n", b"[[actions.rules]]\n", b"[privacy]\n", b"[[privacy.rules]]\n"),
    *(b"[http]\n", b"[journal]\n", b"[topics.families.cdr]\n", b"name = ", b"do = ", b"headers = ", b"keep = ", b"profile = "),
)  # fmt: skip


def corpus() -> list[bytes]:
    """Return the settings that the repository holds, each with a secret."""
    documents = (ROOT / "docs/settings.md").read_text("utf-8").split("```toml\n")[1:]
    least = (
        f'[pbx.a]\naddress = "h"\nusername = "u"\nsecret = "{SECRET}"\n[kafka]\nbootstrap_servers = "k:1"\n'
    )
    samples = [least, *(least + each.partition("```")[0] for each in documents)]
    samples.append((ROOT / "docs/deploy/compose/ami-kafka.toml").read_text("utf-8"))
    return [each.encode() for each in samples]


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one text and judges what is said of it."""
    maker = Mutator(corpus(), _WORDS, seed)
    return lambda: judge(maker.make().decode("utf-8", "replace"))


def judge(text: str) -> None:
    """Load a text; raise what is wrong."""
    try:
        load(text, {"X": SECRET}, lambda _: SECRET)
    except ConnectorError as error:
        told = str(error)
        told.encode()
        if not told.strip():
            raise AssertionError("an error without words") from error
