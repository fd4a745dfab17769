"""The schemas in the repository: what generate writes, what lint demands, what AMI's reference counts."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastavro.schema import parse_schema

from connector.ami.framing import Framer
from connector.avro import compatibility, generate, lint, naming
from connector.avro.catalogue import BlockUse, Catalogue, Dynamic, Header

CAPTURES = Path(__file__).parents[1] / "captures"
FAMILIES = {
    *("agi", "aoc", "call", "cc", "cdr", "cel", "conference", "connector", "dahdi", "database", "dialplan"),
    *("dtmf", "endpoint", "fax", "queue", "rtcp", "security", "state", "system", "test", "unknown", "user"),
    "voicemail",
}
CHANNEL = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
    *("Tenantid", "ChanVariable"),
)
BRIDGE = (
    *("BridgeUniqueid", "BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels"),
    *("BridgeVideoSourceMode", "BridgeVideoSource"),
)
#: Headers that the reference lacks, seen in Asterisk 16 and its sources, and in 22.10.
BEYOND = {
    "PeerEntry": 9,
    "RegistryEntry": 4,
    "DeviceEntry": 9,
    "LineEntry": 7,
    "QueueMemberPause": 1,
    "EndpointDetail": 1,
    "TransportDetail": 1,
    "RTCPReceived": 2,
    "RTCPSent": 2,
}
BEYOND |= {"MonitorStart": 2, "MonitorStop": 2, "SessionTimeout": 2}
LISTS_OF_OLD = {"DevicelistComplete": 3, "LinelistComplete": 3, "SIPpeerstatusComplete": 3}

Values = Mapping[str, dict[str, Any]]


def test_the_files_are_what_generate_writes(shipped: Mapping[str, str], shipped_catalogue: Catalogue) -> None:
    assert shipped == generate.schemas(shipped_catalogue)


def test_each_file_is_avro(shipped: Mapping[str, str]) -> None:
    for text in shipped.values():
        assert parse_schema(json.loads(text), {})


def test_lint_finds_nothing(shipped_values: Values, shipped_actions: Values) -> None:
    assert lint.lint_all(shipped_values.values()) == []
    assert len(shipped_actions) == 3
    assert [lint.lint_action(schema) for schema in shipped_actions.values()] == [[]] * 3


def test_what_was_released_holds(shipped_values: Values, shipped_actions: Values, released_text: str) -> None:
    released = compatibility.read(released_text)
    assert {"Hangup", *shipped_actions} <= {one.schema["name"] for one in released}
    present = [*shipped_values.values(), *shipped_actions.values()]
    assert compatibility.check(released, present, _version()) == []


def _version() -> str:
    text = (Path(__file__).parents[2] / "connector" / "__init__.py").read_text("utf-8")
    found = re.search(r'__version__[^"]*"([^"]+)"', text)
    assert found
    return found[1]


def test_every_event_of_asterisk_16_to_23_has_its_schema(shipped_catalogue: Catalogue) -> None:
    assert len({row.event for row in shipped_catalogue.rows if row.event}) == 251


def test_every_header_of_the_reference_has_its_place(shipped_catalogue: Catalogue) -> None:
    """3,538 pairs of event and header: fields, maps, and the sixteen whose names are made on the wire."""
    fields = sum(len(shipped_catalogue.flat(row)) for row in shipped_catalogue.rows if row.event)
    dynamic = [
        item.name for row in shipped_catalogue.rows for item in row.headers if isinstance(item, Dynamic)
    ]
    reports = [name for name in dynamic if name.startswith("Report<n>")]
    assert len(dynamic) - len(reports) == 16
    assert len(reports) == 16
    assert fields == 3538 - 16 + sum(BEYOND.values()) + sum(LISTS_OF_OLD.values())


def test_headers_without_a_field_are_those_whose_names_are_made_on_the_wire(
    shipped_catalogue: Catalogue,
) -> None:
    where = {row.event for row in shipped_catalogue.rows for item in row.headers if isinstance(item, Dynamic)}
    assert where == {"AOC-D", "AOC-E", "AOC-S", "RTCPReceived", "RTCPSent", "TestEvent", "UserEvent"}


@pytest.mark.parametrize(("name", "order"), [("channel", CHANNEL), ("bridge", BRIDGE)])
def test_snapshots_are_in_wire_order(shipped_catalogue: Catalogue, name: str, order: tuple[str, ...]) -> None:
    assert tuple(header.name for header in shipped_catalogue.blocks[name].headers) == order


def test_the_default_selection_is_useful_and_can_be_had(shipped_values: Values) -> None:
    """About sixty events, all of classes that the login asks for."""
    selected = [value["ami"] for value in shipped_values.values() if value["ami"]["selected"]]
    events = [ami for ami in selected if ami["event"]]
    assert 55 <= len(events) <= 70
    assert all(set(ami["class"]) & {"system", "call", "agent", "cdr", "user"} for ami in events)
    assert all("unsolicited" in ami["kind"] for ami in events)


def test_topics_are_kebab_case_and_families_are_known(shipped_values: Values) -> None:
    for value in shipped_values.values():
        topic = value["ami"]["topic"]
        assert topic is None or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", topic)
        assert value["ami"]["family"] in FAMILIES


def test_each_event_has_a_key_or_belongs_to_the_pbx(shipped_values: Values) -> None:
    keyless = {
        value["ami"]["event"]
        for value in shipped_values.values()
        if not value["ami"]["channels"]
        and not value["ami"]["key"]
        and "list_complete" not in value["ami"]["kind"]
    }
    assert keyless == {None, "FAXStats", "FullyBooted", "Shutdown", "TestEvent", "WaitEventComplete"}


@pytest.mark.parametrize(
    ("record", "channels"),
    [
        ("DialBegin", [["Uniqueid", "Linkedid"], ["DestUniqueid", "DestLinkedid"]]),
        ("Cdr", [["UniqueID", None]]),
        ("CEL", [["UniqueID", "LinkedID"]]),
        ("Rename", [["Uniqueid", None]]),
        ("OriginateResponse", [["Uniqueid", None]]),
        (
            "BlindTransfer",
            [["TransfererUniqueid", "TransfererLinkedid"], ["TransfereeUniqueid", "TransfereeLinkedid"]],
        ),
        ("Pickup", [["TargetUniqueid", "TargetLinkedid"], ["Uniqueid", "Linkedid"]]),
        ("Unknown", [["Uniqueid", "Linkedid"]]),
        ("BridgeCreate", []),
    ],
)
def test_channels_by_which_a_call_is_found(
    shipped_values: Values, record: str, channels: list[list[str | None]]
) -> None:
    assert shipped_values[record]["ami"]["channels"] == channels


def _field(values: Values, record: str, name: str) -> dict[str, Any]:
    return next(field for field in values[record]["fields"] if field["name"] == name)


@pytest.mark.parametrize(
    ("record", "name", "header", "wire"),
    [
        ("AgentConnect", "ring_time_s", "RingTime", "duration_s"),
        ("AgentRingNoAnswer", "ring_time_ms", "RingTime", "duration_ms"),
        ("Cdr", "ami_source", "Source", "string"),
        ("Cdr", "start_time", "StartTime", "datetime_local"),
        ("Cdr", "start_time_text", "StartTime", "text_of_local"),
        ("CEL", "ami_event_time", "EventTime", "datetime_local"),
        ("CEL", "ami_extra", "Extra", "string"),
        ("Hangup", "cause", "Cause", "int"),
        ("Hangup", "cause_txt", "Cause-txt", "string"),
        ("Shutdown", "restart", "Restart", "boolean"),
        ("Rename", "channel_variables", "ChanVariable()", "map"),
        ("Status", "variables", "Variable", "map"),
        ("DialEnd", "dest_channel_variables", "DestChanVariable", "map"),
        ("AttendedTransfer", "orig_bridge_unique_id", "OrigBridgeUniqueid", "string"),
        ("ListDialplan", "priority", "Priority", "string"),
        ("QueueEntry", "priority", "Priority", "int"),
        ("PresenceStatus", "status", "Status", "string"),
        ("ExtensionStatus", "status", "Status", "int"),
        ("SuccessfulAuth", "event_tv", "EventTV", "datetime_iso8601"),
        ("CoreShowChannel", "duration_s", "Duration", "duration_hms"),
        ("RTCPReceived", "report0_dlsr_s", "Report0DLSR", "duration_s_float"),
        ("FAXStatus", "file_name", "FileName", "strings"),
        ("ConnectorRecord", "from_time_us", "From", "us_of_epoch"),
        ("ConnectorRecord", "lag_ms", "LagMs", "duration_ms"),
    ],
)
def test_headers_have_the_type_of_their_event(
    shipped_values: Values, record: str, name: str, header: str, wire: str
) -> None:
    found = _field(shipped_values, record, name)
    assert (found["ami"], found["wire"]) == (header, wire)


def test_only_what_asterisk_escapes_is_unescaped(shipped_values: Values) -> None:
    """Two names and the variables of each channel snapshot, VarSet's Value, PresenceStateChange's two texts."""
    escaped = {
        (value["name"], field["ami"])
        for value in shipped_values.values()
        for field in value["fields"]
        if field.get("escaped") and not field.get("block", "").startswith("channel")
    }
    assert escaped == {
        ("VarSet", "Value"),
        ("PresenceStateChange", "Subtype"),
        ("PresenceStateChange", "Message"),
    }
    blocks = {
        field["ami"].removeprefix(field["block"].partition(":")[2])
        for value in shipped_values.values()
        for field in value["fields"]
        if field.get("escaped") and "block" in field
    }
    assert blocks == {"CallerIDName", "ConnectedLineName", "ChanVariable"}


def test_secrets_are_marked(shipped_values: Values) -> None:
    """Digests and passwords that events carry, and keys pressed: what is masked unless asked for."""
    marked = {
        (value["name"], field["ami"])
        for value in shipped_values.values()
        for field in value["fields"]
        if field.get("secret")
    }
    assert {
        ("VoicemailPasswordChange", "NewPassword"),
        ("ChallengeSent", "Challenge"),
        ("DTMFEnd", "Digit"),
    } <= marked
    assert {
        ("InvalidPassword", "ReceivedHash"),
        ("AuthDetail", "Password"),
        ("AuthList", "RefreshToken"),
    } <= marked
    assert len(marked) == 21


def test_nothing_points_into_asterisks_source(shipped: Mapping[str, str]) -> None:
    assert not [name for name, text in shipped.items() if re.search(r"\.[ch]:\d|<para>", text)]


def _heard() -> Iterator[tuple[Path, list[str]]]:
    for path in sorted(CAPTURES.rglob("*.ami")):
        for frame in Framer().feed(path.read_bytes()):
            lines = frame.decode("utf-8", "replace").split("\r\n")
            if lines[0].startswith("Event: "):
                yield path, [line for line in lines if line]


def test_real_captures_keep_the_order_and_find_their_fields(shipped_catalogue: Catalogue) -> None:
    """What real Asterisk 16 and 22 print: each header known to its event, snapshots whole and in their order."""
    rows = {row.event: row for row in shipped_catalogue.rows}
    prefix = {"Event", "Privilege", "Timestamp", "SequenceNumber", "File", "Line", "Func", "SystemName"}
    strange: set[tuple[str | None, ...]] = set()
    heard = 0
    for path, lines in _heard():
        event = lines[0].removeprefix("Event: ")
        row = rows.get(event)
        if row is None:
            strange.add((path.name, event))
            continue
        if event == "TestEvent":
            continue
        heard += 1
        known = [header.name for header in shipped_catalogue.flat(row)]
        names = [re.sub(r"\(.*\)", "()", line.partition(":")[0]) for line in lines]
        names = [name for place, name in enumerate(names) if place > 7 or name not in prefix]
        seen = [name for name in names if name in known and "Variable" not in name]
        if row.event != "UserEvent" and (set(names) - set(known) or seen != sorted(seen, key=known.index)):
            strange.add((path.name, row.event, *sorted(set(names) - set(known))))
    assert heard > 1000
    assert strange == set()


def test_names_never_depend_on_the_place_in_the_catalogue(shipped_catalogue: Catalogue) -> None:
    for row in shipped_catalogue.rows:
        for item in row.headers:
            if isinstance(item, Header) and item.field is None:
                assert naming.is_legal(naming.field(item.name, item.type))
            if isinstance(item, BlockUse):
                assert item.block in shipped_catalogue.blocks
