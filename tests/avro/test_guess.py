import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.avro.catalogue import TYPES
from connector.avro.guess import wire_type


@pytest.mark.parametrize(
    ("header", "values", "wire"),
    [
        ("Note", ["a", "b"], "string"),
        ("Note", [], "string"),
        ("Note", ["", "<unknown>", "N/A"], "string"),
        ("Signal", ["12", "-3", "0"], "int"),
        ("Signal", ["12", ""], "string"),
        ("Signal", ["12", "13", "<unknown>"], "int"),
        ("Signal", ["12", "007"], "string"),
        ("Signal", ["12", "13x"], "string"),
        ("Signal", ["12", "9" * 19], "string"),
        ("Load", ["0.5", "12.25"], "float"),
        ("Load", ["0.5", "1"], "string"),
        ("CallerNumber", ["100", "101"], "string"),
        ("Exten", ["100", "101"], "string"),
        ("Uniqueid", ["1700000000.1", "1700000000.2"], "string"),
        ("StartTime", ["1700000000", "1700000001"], "epoch_s"),
        ("StartTime", ["17", "18"], "string"),
        ("Active", ["Yes", "No"], "boolean"),
        ("Active", ["yes"], "boolean"),
        ("Active", ["on", "off"], "boolean"),
        ("Active", ["True", "no"], "string"),
        ("Active", ["1", "0"], "int"),
        ("When", ["2026-11-22T10:00:00.123+0100", "2026-11-22T10:00:00Z"], "datetime_iso8601"),
        ("When", ["2026-11-22 10:00:00"], "string"),
    ],
)
def test_guess(header: str, values: list[str], wire: str) -> None:
    assert wire_type(header, values) == wire


@given(st.text(), st.lists(st.text()))
def test_any_guess_is_a_wire_type(header: str, values: list[str]) -> None:
    assert wire_type(header, values) in TYPES


@given(st.lists(st.from_regex(r"0[0-9]{1,8}", fullmatch=True), min_size=2, unique=True))
def test_leading_zeros_are_never_lost(values: list[str]) -> None:
    assert wire_type("Anything", values) == "string"
