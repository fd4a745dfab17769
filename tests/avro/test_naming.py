import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.avro import naming


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CallerIDNum", "caller_id_num"),
        ("CallerIDnum", "caller_id_num"),
        ("CallerIDani", "caller_id_ani"),
        ("MCallerIDton", "m_caller_id_ton"),
        ("CallerID", "caller_id"),
        ("CalleridTag", "caller_id_tag"),
        ("Uniqueid", "unique_id"),
        ("UniqueID", "unique_id"),
        ("DestUniqueId", "dest_unique_id"),
        ("BridgeUniqueid", "bridge_unique_id"),
        ("Linkedid", "linked_id"),
        ("AccountCode", "account_code"),
        ("Accountcode", "account_code"),
        ("ChannelStateDesc", "channel_state_desc"),
        ("Cause-txt", "cause_txt"),
        ("CID-CallingPres", "cid_calling_pres"),
        ("AOR", "aor"),
        ("IPaddress", "ip_address"),
        ("DNSmanager", "dns_manager"),
        ("Qualify2xxOnly", "qualify_2xx_only"),
        ("SuppressQ850ReasonHeaders", "suppress_q850_reason_headers"),
        ("Report0IAJitter", "report0_ia_jitter"),
        ("CompletedFAXes", "completed_faxes"),
        ("Charge/Currency/Cost", "charge_currency_cost"),
        ("T38UdptlEc", "t38_udptl_ec"),
        ("bpviol", "bpviol"),
        ("", ""),
    ],
)
def test_snake(text: str, name: str) -> None:
    assert naming.snake(text) == name


@pytest.mark.parametrize(
    ("event", "topic"),
    [
        ("QueueMemberStatus", "queue-member-status"),
        ("Hangup", "hangup"),
        ("Newchannel", "new-channel"),
        ("AGIExecEnd", "agi-exec-end"),
        ("AOC-S", "aoc-s"),
        ("UnParkedCall", "unparked-call"),
        ("ParkedCallTimeOut", "parked-call-timeout"),
        ("SIPpeerstatusComplete", "sip-peer-status-complete"),
        ("RTCPReceived", "rtcp-received"),
        ("DAHDIChannel", "dahdi-channel"),
        ("ListDialplan", "list-dialplan"),
        ("ShowDialPlanComplete", "show-dialplan-complete"),
        ("PJSIPMaintenanceStatus", "pjsip-maintenance-status"),
    ],
)
def test_kebab(event: str, topic: str) -> None:
    assert naming.kebab(event) == topic


@pytest.mark.parametrize(
    ("header", "wire", "name"),
    [
        ("HoldTime", "duration_s", "hold_time_s"),
        ("Duration", "duration_hms", "duration_s"),
        ("DurationMs", "duration_ms", "duration_ms"),
        ("RoundtripUsec", "duration_us", "roundtrip_us"),
        ("BillableSeconds", "duration_s", "billable_seconds"),
        ("Seconds", "duration_s", "seconds"),
        ("RTT", "duration_s_float", "rtt_s"),
        ("Source", "string", "ami_source"),
        ("Extra", "string", "ami_extra"),
        ("CallID", "string", "ami_call_id"),
        ("100rel", "string", "ami_100rel"),
        ("Message", "string", "message"),
    ],
)
def test_field(header: str, wire: str, name: str) -> None:
    assert naming.field(header, wire) == name


def test_a_name_that_another_field_has_is_prefixed() -> None:
    assert naming.field("Channel", "string", {"channel"}) == "ami_channel"


@pytest.mark.parametrize(
    ("event", "name"), [("AOC-S", "AOC_S"), ("Hangup", "Hangup"), ("2Ring", "_2Ring"), ("Ä b", "__b")]
)
def test_record(event: str, name: str) -> None:
    assert naming.record(event) == name


@pytest.mark.parametrize(
    ("prefix", "name"), [("", "channel_variables"), ("OrigTransferer", "orig_transferer_channel_variables")]
)
def test_variables(prefix: str, name: str) -> None:
    assert naming.variables(prefix) == name


@given(st.text(alphabet=st.characters(codec="ascii"), min_size=1))
def test_any_header_gives_a_legal_name(header: str) -> None:
    assert naming.is_legal(naming.field(header, "string"))


@given(st.text(min_size=1))
def test_any_event_gives_a_legal_record(event: str) -> None:
    assert naming.is_legal(naming.record(event))


@given(st.text())
def test_names_are_what_topics_take(event: str) -> None:
    assert set(naming.kebab(event)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
