"""A PBX's core-en_US.xml: an error of ours, or rows whose schemas can be loaded; the work is bounded by the file's size."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from connector.avro import catalogue, propose
from connector.avro.catalogue import Catalogue
from connector.avro.schema import load
from connector.edges.schemas import directory
from connector.errors import SchemaError
from tests.fuzz.mutation import Mutator

CORPUS: Final = Path(__file__).parent / "corpus" / "documentation"
_LONGEST: Final = 50
_WORDS: Final = (
    *(b"<", b">", b"/>", b"&", b"&lt;", b"&#0;", b"&x;", b'"', b"<!--", b"-->", b"<![CDATA[", b"]]>", b"\xff", b"<a>" * 3_000),
    *(b'<!DOCTYPE x [<!ENTITY a "aaaa">]>', b'<?xml version="1.0" encoding="utf-16"?>', b'<?xml version="1.1"?>'),
    *(b'<managerEvent name="Own">', b"</managerEvent>", b'<managerEventInstance class="EVENT_FLAG_CALL|x">'),
    *(b"</managerEventInstance>", b"<syntax>", b"</syntax>", b'<parameter name="A"/>', b'<parameter name=""/>'),
    *(b'<channel_snapshot prefix="Dest"/>', b"<bridge_snapshot/>", b'<parameter name="A-b c.1"/>', b'name="Hangup"'),
    *(b"<xi:include xpointer=\"xpointer(/docs/managerEvent[@name='Own']/managerEventInstance/syntax/parameter)\"/>",),
    *(b'xmlns:xi="http://www.w3.org/2001/XInclude"', b'<include xpointer="managerEvent[@name=\'Own\']"/>'),
)  # fmt: skip


def target(seed: int) -> Callable[[], None]:
    """Return a function that makes one document and judges what is made of it."""
    maker = Mutator([path.read_bytes() for path in sorted(CORPUS.iterdir())], _WORDS, seed)
    return lambda: judge(maker.make().decode("utf-8", "replace"))


def judge(text: str) -> None:
    """Propose from a document; raise what is wrong."""
    known = _known()
    try:
        rows = propose.from_xml(text, known)
    except SchemaError as error:
        str(error).encode()
        return
    headers = sum(len(row.headers) for row in rows)
    if headers > _LONGEST * len(text):
        raise AssertionError(f"{headers} headers of {len(text)} characters")
    for name, schema in propose.texts(rows, known).items():
        load(schema, name)
    for row in rows:
        propose.as_json(row)


@cache
def _known() -> Catalogue:
    files = sorted((directory() / "catalogue").glob("*.json"))
    return catalogue.parse({path.name: path.read_text("utf-8") for path in files})
