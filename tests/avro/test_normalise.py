"""The compiled road against the naive one, over every schema."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.ami.framing import Framer
from connector.avro.normalise import Normaliser
from connector.avro.schema import EventSchema
from connector.edges.schemas import load_schemas
from tests.avro import reference

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*/*.ami"))
SCHEMAS = load_schemas()
BERLIN = ZoneInfo("Europe/Berlin")
NORMALISER = Normaliser(SCHEMAS, BERLIN)
EVERY = [*SCHEMAS, SCHEMAS.unknown]

VALUES = st.one_of(
    st.sampled_from(
        [
            b"",
            b"1",
            b"0",
            b"Yes",
            b"no",
            b"on",
            b"Off",
            b"True",
            b"false",
            b"<unknown>",
            b"unknown",
            b"none",
            b"N/A",
            b"1700000000",
            b"1700000000.12",
            b"-5",
            b"1.5",
            b"00:01:02",
            b"2026-08-27 12:00:00",
            b"2026-08-27T12:00:00.123+0000",
            b"hint",
            b"a=b",
            b"a=",
            b"=x",
            b'O\\\'Brien \\"x\\" \\\\ \\?',
            b"line\\nfeed",
            b"two\nlines",
            b"caf\xe9",
            "Żółw".encode(),
            b"9223372036854775807",
            b"9223372036854775808",
            b"(null)",
            b"Enabled",
            b"99999999999999999999",
        ]
    ),
    st.binary(max_size=12).map(lambda value: value.replace(b"\r\n", b"")),
)
STRANGERS = st.sampled_from(
    [
        "X-Own",
        "Event",
        "Privilege",
        "Channel",
        "Uniqueid",
        "ActionID",
        "Cause",
        "ChanVariable",
        "ChanVariable(SIP/1)",
        "Output",
    ]
)


def decoded(schema: EventSchema, body: bytes) -> dict[str, Any]:
    """Decode the fields from `privilege` on."""
    whole = json.loads(schema.text)
    names = [field["name"] for field in whole["fields"]]
    # `extra` names its record type only once, in the field itself; `source` is not needed here.
    whole["fields"] = whole["fields"][names.index("privilege") :]
    record = fastavro.schemaless_reader(BytesIO(body), without_logical_types(whole), None)
    assert isinstance(record, dict)
    return record


def without_logical_types(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    return [without_logical_types(item) for item in node] if isinstance(node, list) else node


@st.composite
def frames(draw: st.DrawFn) -> tuple[EventSchema, bytes]:
    schema = draw(st.sampled_from(EVERY))
    own = sorted(
        {field.header for field in schema.fields if field.header and field.header != "ChanVariable()"}
    ) or ["Channel"]
    name = schema.event or "NeverHeardOf"
    lines = [b"Event: " + name.encode()]
    lines += draw(
        st.lists(
            st.sampled_from(
                [
                    b"Privilege: call,all",
                    b"Timestamp: 1700000000.123456",
                    b"Timestamp: soon",
                    b"SystemName: a",
                    b"SequenceNumber: 7",
                    b"File: manager.c",
                ]
            ),
            max_size=4,
        )
    )
    for header in draw(st.lists(st.one_of(st.sampled_from(own), STRANGERS), max_size=30)):
        blank = draw(st.sampled_from([b": ", b": ", b": ", b":"]))
        lines.append(header.encode() + blank + draw(VALUES))
    if draw(st.booleans()):
        lines.append(b"no colon here")
    return schema, b"\r\n".join(lines)


@given(frames())
def test_what_we_write_is_what_the_naive_reading_says(case: tuple[EventSchema, bytes]) -> None:
    schema, frame = case
    reading = NORMALISER.read(frame)
    assert reading.shape.schema is schema
    expected = reference.body(json.loads(schema.text), frame, BERLIN)
    assert decoded(schema, b"".join(reading.parts())) == expected


@given(st.binary(max_size=200))
@example(b"\r\n\r\n")
@example(b"Hangup\r\n: \r\n:")
def test_any_bytes_behind_an_event_give_a_record(tail: bytes) -> None:
    frame = b"Event: " + tail
    reading = NORMALISER.read(frame)
    assert decoded(reading.shape.schema, b"".join(reading.parts())).keys() >= {"privilege", "extra"}


@pytest.mark.parametrize("schema", EVERY, ids=lambda schema: schema.event or "unknown")
def test_an_event_without_headers_has_only_defaults(schema: EventSchema) -> None:
    name = schema.event or "NeverHeardOf"
    record = decoded(schema, b"".join(NORMALISER.read(f"Event: {name}".encode()).parts()))
    present = {key for key, value in record.items() if value not in (None, [], {})}
    assert present <= {"event"}


def field(frame: bytes, name: str) -> Any:
    reading = NORMALISER.read(frame)
    return decoded(reading.shape.schema, b"".join(reading.parts()))[name]


@pytest.mark.parametrize(
    ("frame", "name", "value"),
    [
        (b"Event: Hangup\r\nCallerIDName: O\\'Brien \\\"x\\\" \\\\ \\?", "caller_id_name", "O'Brien \"x\" \\ ?"),
        (b"Event: QueueEntry\r\nCallerIDName: O\\'Brien", "caller_id_name", "O\\'Brien"),
        (b"Event: Hangup\r\nCallerIDNum: <unknown>", "caller_id_num", None),
        (b"Event: Hangup\r\nCause: 16\r\nCause: 17", "cause", 16),
        (b"Event: Hangup\r\nCause: x", "cause", None),
        (b"Event: Hangup\r\nCause: x", "extra", [{"name": "Cause", "value": "x"}]),
        (b"Event: Hangup\r\nAccountCode: ", "account_code", ""),
        (b"Event: Hangup\r\nUniqueid: 1700000000.12", "unique_id", "1700000000.12"),
        (b"Event: Hangup\r\nChanVariable: a=1\r\nChanVariable: b=x=y", "channel_variables", {"a": "1", "b": "x=y"}),
        (b"Event: Hangup\r\nChanVariable: a=1\r\nChanVariable: a=2", "extra", [{"name": "ChanVariable", "value": "a=2"}]),
        (b"Event: Rename\r\nChanVariable(SIP/1): a=\\n", "channel_variables", {"a": "\\n"}),
        (b"Event: DialBegin\r\nDestCallerIDName: a\\'b", "dest_caller_id_name", "a'b"),
        (b"Event: AgentRingNoAnswer\r\nRingTime: 15000", "ring_time_ms", 15000),
        (b"Event: AgentConnect\r\nRingTime: 15", "ring_time_s", 15),
        (b"Event: QueueMemberStatus\r\nPaused: 1", "paused", True),
        (b"Event: QueueMemberStatus\r\nLastCall: 0", "last_call", None),
        (b"Event: Cdr\r\nStartTime: 2026-07-01 12:00:00", "start_time", 1782900000000),
        (b"Event: Cdr\r\nStartTime: 2026-07-01 12:00:00", "start_time_text", "2026-07-01 12:00:00"),
        (b"Event: Cdr\r\nSource: 100", "ami_source", "100"),
        (b"Event: CEL\r\nExtra: {}", "ami_extra", "{}"),
        (b"Event: Hangup\r\nCallerIDNum: caf\xe9", "caller_id_num", "caf\ufffd"),
        (b"Event: Hangup\r\nCallerIDNum: caf\xe9", "extra", [{"name": "CallerIDNum*", "value": "caf%E9"}]),
        (b"Event: Newexten\r\nAppData: a\nb", "app_data", "a\nb"),
        (b"Event: Newexten\r\nAppData: ", "app_data", ""),
        (b"Event: Hangup\r\nPrivilege: call,reporting,all", "privilege", ["call", "reporting"]),
        (b"Event: DongleNewSMS\r\nDevice: d0", "event", "DongleNewSMS"),
        (b"Event: DongleNewSMS\r\nDevice: d0", "extra", [{"name": "Device", "value": "d0"}]),
        (b"Event: Status\r\nActionID: 1\r\nVariable: X=(null)\r\nVariable: Y=1", "variables", {"X": "(null)", "Y": "1"}),
        (b"Event: ContactStatusDetail\r\nActionID: 1\r\nRoundtripUsec: N/A", "roundtrip_us", None),
        (b"Event: VarSet\r\nChannel: none\r\nUniqueid: none", "unique_id", None),
        (b"Event: RTCPSent\r\nPT: 200(SR)\r\nSSRC: 0x0a1b2c3d", "ssrc", "0x0a1b2c3d"),
        (b"Event: RTCPSent\r\nPT: 200(SR)\r\nMES:  0.0", "mes", 0.0),
        (b"Event: DeviceStateChange\r\nActionID: 1\r\nDevice: a\r\nState: BUSY", "state", "BUSY"),
        (b"Event: Agents\r\nCallStarted: 1443613421\nLoggedInTime: 1443608760", "call_started", 1443613421000),
        (b"Event: Agents\r\nCallStarted: 1443613421\nLoggedInTime: 1443608760", "logged_in_time", 1443608760000),
    ],
)  # fmt: skip
def test_types_on_known_lines(frame: bytes, name: str, value: object) -> None:
    assert field(frame, name) == value


def test_the_same_line_means_another_thing_in_another_event() -> None:
    """Channel is a DAHDI number in one event and a name in the next; memory must not mix them."""
    for _ in range(2):
        assert field(b"Event: AgentRingNoAnswer\r\nRingTime: 15", "ring_time_ms") == 15
        assert field(b"Event: AgentConnect\r\nRingTime: 15", "ring_time_s") == 15


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_real_traffic_reads_as_the_naive_reading_says(capture: Path) -> None:
    frames = [frame for frame in Framer().feed(capture.read_bytes()) if frame.startswith(b"Event: ")]
    assert frames
    for frame in frames:
        reading = NORMALISER.read(frame)
        # The naive reading knows nothing of the line feed with which Agents ends one header.
        split = re.sub(rb"(CallStarted: \d+)\n", rb"\1\r\n", frame)
        expected = reference.body(json.loads(reading.shape.schema.text), split, BERLIN)
        assert decoded(reading.shape.schema, b"".join(reading.parts())) == expected


def test_memory_is_bounded() -> None:
    normaliser = Normaliser(SCHEMAS)
    for number in range(40_000):
        normaliser.read(b"Event: UserEvent\r\nUserEvent: x\r\nH%d: %d" % (number, number))
    assert max(len(dialect) for dialect in normaliser._dialects) <= 16_384
    assert max(len(dialect.names) for dialect in normaliser._dialects) < 6_000


def test_an_event_of_nothing_but_its_time_has_it() -> None:
    frame = b"Event: Reload\r\nPrivilege: system,all\r\nTimestamp: 1700000000.123456"
    assert [NORMALISER.read(frame).stamp for _ in range(2)] == [b"1700000000.123456"] * 2
