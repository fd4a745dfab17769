"""What a rule does to one value."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connector.privacy.ways import Key, drop, mask, pseudonym, truncate

KEY = Key("k1", b"0123456789abcdef")
VALUES = some.binary(max_size=40)
COUNTS = some.integers(0, 20)


@pytest.mark.parametrize(
    ("keep", "value", "told"),
    [
        (0, b"4930123456", b"***"),
        (3, b"4930123456", b"***456"),
        (3, b"456", b"***"),
        (3, b"56", b"***"),
        (3, b"", b""),
        (2, "Jürgen Grün".encode(), "***ün".encode()),
        (1, b"\xffab\xfe", b"***\xfe"),
        (5, b"***", b"***"),
    ],
)
def test_mask_keeps_the_end_of_what_is_longer(keep: int, value: bytes, told: bytes) -> None:
    assert mask(keep)(value) == told


@pytest.mark.parametrize(
    ("keep", "value", "told"),
    [(4, b"4930123456", b"4930"), (4, b"493", b"493"), (1, "ÜX".encode(), "Ü".encode()), (2, b"", b"")],
)
def test_truncate_keeps_the_beginning(keep: int, value: bytes, told: bytes) -> None:
    assert truncate(keep)(value) == told


def test_a_pseudonym_is_an_hmac_with_the_name_of_its_key() -> None:
    whole = hmac.new(KEY.secret, b"4930123456", hashlib.sha256).hexdigest()
    assert pseudonym(KEY)(b"4930123456") == f"k1:{whole[:32]}".encode()


def test_nothing_is_said_of_what_says_nothing() -> None:
    assert [way(b"") for way in (drop, mask(3), truncate(3), pseudonym(KEY))] == [b""] * 4
    assert drop(b"x") is None


@given(VALUES, COUNTS)
def test_mask_and_truncate_are_done_once_for_all(value: bytes, keep: int) -> None:
    for way in (mask(keep), truncate(keep)):
        once = way(value)
        assert once is not None
        assert way(once) == once


@given(VALUES, some.integers(1, 20))
def test_mask_tells_no_more_than_it_keeps(value: bytes, keep: int) -> None:
    told = mask(keep)(value)
    assert told is not None
    text = value.decode("utf-8", "surrogateescape")
    shown = told.decode("utf-8", "surrogateescape")
    assert shown in ("", "***") or (shown == "***" + text[-keep:] and len(text) > keep)


@given(VALUES, VALUES)
def test_pseudonyms_join_equal_values_and_no_others(one: bytes, other: bytes) -> None:
    way = pseudonym(KEY)
    assert (way(one) == way(other)) == (one == other)
    if one:
        assert pseudonym(Key("k1", b"another key, as long"))(one) != way(one)
