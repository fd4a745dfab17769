"""What may go on the wire, byte by byte, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import (
    MAX_ACTION_ID,
    MAX_LINE,
    MAX_LINES,
    OF_THE_SESSION,
    AmiAction,
    encode,
    encode_own,
    variable,
)
from connector.edges.schemas import load_action_catalogue
from connector.errors import ActionError


def action(*headers: tuple[str, str], name: str = "Originate", action_id: str = "a-1") -> AmiAction:
    return AmiAction(name, headers, action_id)


def test_bytes_of_an_action() -> None:
    assert (
        encode(action(("Channel", "Local/1@x"), ("Variable", "a=1"), ("Variable", "b=Żółw")))
        == (
            "Action: Originate\r\nActionID: a-1\r\nChannel: Local/1@x\r\nVariable: a=1\r\nVariable: b=Żółw\r\n\r\n"
        ).encode()
    )


def test_an_empty_value_stays_a_header() -> None:
    assert encode(action(("Data", ""))).endswith(b"Data: \r\n\r\n")


@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
def test_no_control_character_passes(code: int) -> None:
    with pytest.raises(ActionError, match=r"Data has the control character .* at character 4"):
        encode(action(("Data", f"abc{chr(code)}Action: Command")))
    for broken in (
        action((f"Da{chr(code)}ta", "x")),
        action(name=f"Ping{chr(code)}"),
        action(action_id=f"1{chr(code)}"),
    ):
        with pytest.raises(ActionError):
            encode(broken)


@pytest.mark.parametrize("name", ["", " ", "a b", "Da:ta", "-x", "Zoë", "x" * 65, "a\n", "a=b"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ActionError, match="cannot be"):
        encode(action((name, "x")))
    with pytest.raises(ActionError, match="cannot be"):
        encode(action(name=name))


@pytest.mark.parametrize(
    "name", ["Action", "ActionID", "Secret", "Key", "Username", "AuthType", "Events", "SuppressEvents"]
)
def test_reserved_names_are_the_sessions_own(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        with pytest.raises(ActionError, match="reserved"):
            encode(action((spelling, "x")))
        assert encode_own(action((spelling, "x")))


def test_the_database_has_a_key_of_its_own() -> None:
    keyed = {
        facts.name for facts in load_action_catalogue() for each in facts.parameters if each.name == "Key"
    }
    assert keyed == {"Login", "DBDel", "DBDelTree", "DBGet", "DBGetTree", "DBPut"}
    for name in keyed - {"Login"}:
        assert encode(action(("Key", "x"), name=name)).endswith(b"Key: x\r\n\r\n")
        with pytest.raises(ActionError, match="reserved"):
            encode(action(("Key", "x"), ("Secret", "y"), name=name))


def test_no_action_of_the_session_is_sent_for_others() -> None:
    forbidden = {facts.name.lower() for facts in load_action_catalogue() if facts.forbidden}
    assert forbidden == OF_THE_SESSION
    for name in forbidden:
        for spelling in (name, name.upper()):
            with pytest.raises(ActionError, match="is never sent"):
                encode(action(name=spelling))


def test_a_parameter_is_read_as_asterisk_reads_it() -> None:
    one = action(("Channel", "  \ta "), ("channel", "b"), ("Data", ""), ("Data", "c"))
    assert (one.get("CHANNEL"), one.get("Data"), one.get("Other")) == ("a ", "", "")


def test_a_line_has_a_thousand_bytes_at_most() -> None:
    fits = "x" * (MAX_LINE - len("Data: "))
    assert encode(action(("Data", fits)))
    for long in (fits + "x", "é" * (MAX_LINE // 2), "x" * 1023):
        with pytest.raises(ActionError, match=r"the line of Data has \d+ bytes; 1000 are allowed"):
            encode(action(("Data", long)))


def test_an_action_has_128_lines_at_most() -> None:
    headers = [("Variable", f"v{place}=1") for place in range(MAX_LINES - 2)]
    assert encode(action(*headers)).count(b"\r\n") == MAX_LINES + 1
    with pytest.raises(ActionError, match="129 lines"):
        encode(action(*headers, ("Data", "x")))


@pytest.mark.parametrize("action_id", ["", "a b", "é", "x" * (MAX_ACTION_ID + 1)])
def test_action_ids_that_are_none(action_id: str) -> None:
    with pytest.raises(ActionError, match="1 to 64 visible ASCII"):
        encode(action(action_id=action_id))


def test_what_is_no_text_is_refused_with_its_place() -> None:
    with pytest.raises(ActionError, match="the value of Data is not text at character 3"):
        encode(action(("Data", "ab\ud800")))


def test_errors_do_not_repeat_values() -> None:
    for value in ("hunter2\n", "hunter2" + "x" * 1000, "hunter2\ud800"):
        with pytest.raises(ActionError) as caught:
            encode_own(action(("Secret", value)))
        assert "hunter2" not in str(caught.value)


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=1200)), max_size=140), st.text(max_size=70))
def test_what_passes_is_read_back_as_it_was_and_what_does_not_is_refused(
    headers: list[tuple[str, str]], action_id: str
) -> None:
    try:
        data = encode(AmiAction("Originate", tuple(headers), action_id))
    except ActionError:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(b"\r\n\r\n")
    lines = data[:-4].split(b"\r\n")
    assert lines == [
        b"Action: Originate",
        f"ActionID: {action_id}".encode(),
        *(f"{name}: {value}".encode() for name, value in headers),
    ]
    assert all(len(line) <= MAX_LINE and b"\n" not in line and b"\0" not in line for line in lines)


def test_variables_are_escaped() -> None:
    assert variable("a", "1,2") == r"a=1\,2"
    assert variable("__CDR(x)", 'say "hi" \\ bye') == r"__CDR(x)=say \"hi\" \\ bye"


@pytest.mark.parametrize("name", ["", "a=b", "a,b", 'a"', "a\\", "a\nb"])
def test_variable_names_that_split_are_refused(name: str) -> None:
    with pytest.raises(ActionError, match="cannot be a variable's name"):
        variable(name, "x")


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60))
def test_asterisks_splitting_finds_one_variable(value: str) -> None:
    # Asterisk's rule: a backslash frees the next character, quotes hide commas, commas split.
    text = variable("v", value)
    parts: list[str] = []
    part, quoted, freed = "", False, False
    for character in text:
        if freed:
            part, freed = part + character, False
        elif character == "\\":
            freed = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts, part = [*parts, part], ""
        else:
            part += character
    assert [*parts, part] == [f"v={value}"]
