"""Percent-encoding of keys and paths: nothing is ambiguous, and it can be undone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.percent import key_part, path_part, unescaped

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_it_can_be_undone(text: str) -> None:
    assert unescaped(key_part(text)) == text
    assert unescaped(path_part(text)) == text


@given(TEXT)
def test_what_separates_parts_is_in_none(text: str) -> None:
    assert "|" not in key_part(text)
    assert "/" not in path_part(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("%", "%"), ("%4", "%4"), ("%FF", "\ufffd"), ("%c3%A9", "é"), ("", "")]
)
def test_what_we_did_not_write_is_read_all_the_same(text: str, expected: str) -> None:
    assert unescaped(text) == expected
