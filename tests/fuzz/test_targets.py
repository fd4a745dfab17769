"""A few inputs of every fuzzing target, in each run; and that each would find something."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.ami.framing import Framer
from connector.edges.journal.segment import Segment
from tests.edges.journal.given import entries
from tests.fuzz import frames, journals, texts

SEED = 11


@pytest.mark.parametrize(
    "target", [frames.target, journals.target, texts.target], ids=["ami", "files", "toml"]
)
def test_damage_is_survived(target: Callable[[int], Callable[[], None]]) -> None:
    once = target(SEED)
    for _ in range(150):
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
    monkeypatch.setattr(Segment, "is_emptied", lambda *_: False)
    with pytest.raises(AssertionError, match="nothing says so"):
        journals.judge(tmp_path / "read", files | {emptied: b""}, known)


def test_an_error_that_is_none_of_ours_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise KeyError("pbx")

    monkeypatch.setattr(texts, "load", load)
    with pytest.raises(KeyError):
        texts.judge("")
