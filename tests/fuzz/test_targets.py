"""A few inputs of every fuzzing target, in each run; and that each would find something."""

from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.ami.questions import Questions
from connector.avro import propose
from connector.edges.journal.segment import Segment
from connector.edges.registry import SchemaRegistry
from connector.edges.schemas import directory
from connector.errors import SchemaError
from connector.events.intake import Intake
from tests.edges.journal.given import entries
from tests.fuzz import captures, claims, documentation, frames, journals, registries, schemas, sessions, texts
from tests.fuzz.__main__ import TARGETS

SEED = 11
SHORT = {
    **dict.fromkeys(("claims", "documentation", "frames", "journal", "schemas", "sessions", "settings"), 150),
    "captures": 5,
    "registry": 20,
}
"""Inputs of each run; what a request is made into has tests of its own."""


@pytest.mark.parametrize(("name", "inputs"), SHORT.items())
def test_damage_is_survived(name: str, inputs: int) -> None:
    once = TARGETS[name](SEED)
    for _ in range(inputs):
        once()


def test_the_corpus_itself_is_survived() -> None:
    for piece in frames.corpus()[::7]:
        frames.judge(piece, [])
    for text in texts.corpus():
        texts.judge(text.decode())


def test_a_cut_that_matters_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Framer.feed
    monkeypatch.setattr(Framer, "feed", lambda self, data: whole(self, data.strip()))
    with pytest.raises(AssertionError, match="another cut"):
        frames.judge(frames.corpus()[1], [1_000, 2_003, 3_001, 3_002, 4_008])


def test_a_silent_loss_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "written").mkdir()
    (tmp_path / "read").mkdir()
    files = journals.written(tmp_path / "written")
    emptied = sorted(name for name in files if name.endswith(".journal"))[2]
    known = {entry.sequence: entry for entry in entries(1, journals.COUNT)}
    monkeypatch.setattr(Segment, "is_short_of", lambda *_: False)
    with pytest.raises(AssertionError, match="nothing says so"):
        journals.judge(tmp_path / "read", files | {emptied: b""}, known)


def test_an_error_that_is_none_of_ours_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise KeyError("pbx")

    monkeypatch.setattr(texts, "load", load)
    with pytest.raises(KeyError):
        texts.judge("")


def test_an_action_that_is_never_answered_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [(sessions.CORPUS[1], 0.0)]
    account = sessions.ACCOUNTS[1]
    sessions.judge(account, reads)
    whole = Questions.expired
    monkeypatch.setattr(Questions, "expired", lambda self, now: whole(self, now)[:0])
    monkeypatch.setattr(Questions, "abandoned", lambda *_: [])
    with pytest.raises(AssertionError, match="never answered"):
        sessions.judge(account, reads)


def test_a_frame_that_nobody_tells_of_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    data = frames.corpus()[0]
    captures.judge(data, 700)
    whole = Intake.frames
    monkeypatch.setattr(Intake, "frames", lambda self, read, at: whole(self, read, at)[1:])
    with pytest.raises(AssertionError, match="are told of"):
        captures.judge(data, 700)


def test_a_schema_that_makes_no_records_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (directory() / "events" / "queue_params.avsc").read_text("utf-8")
    wrong = text.replace('"wire": "int"', '"wire": "string"', 1)
    schemas.judge(text)
    schemas.judge(wrong)
    monkeypatch.setattr("connector.avro.schema.check_fields", lambda *_: None)
    with pytest.raises(SchemaError, match="not a record of its schema"):
        schemas.judge(wrong)


def test_a_schema_of_the_documentation_that_cannot_be_loaded_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (path,) = documentation.CORPUS.iterdir()
    documentation.judge(path.read_text("utf-8"))
    monkeypatch.setattr(propose, "texts", lambda *_: {"x.avsc": "{"})
    with pytest.raises(SchemaError):
        documentation.judge(path.read_text("utf-8"))


def test_a_claim_that_is_overlooked_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.actions.writing.claiming._blank", lambda _: None)
    with pytest.raises(AssertionError, match="overlooked"):
        claims.judge(claims.SERDES[0], b"main|r-1", b"no claim")


def test_an_answer_that_is_no_id_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def schema_id(*_: object) -> int:
        return -1

    monkeypatch.setattr(SchemaRegistry, "schema_id", schema_id)
    with pytest.raises(AssertionError, match="an id of -1"):
        registries.judge(1)
