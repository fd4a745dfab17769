import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.avro import catalogue, lint, propose
from connector.avro.catalogue import BlockUse, Catalogue, Dynamic, Header, Row
from connector.errors import SchemaError

Frame = list[tuple[str, str]]


def _dongle(device: str, signal: str, *more: tuple[str, str]) -> Frame:
    return [
        ("Event", "DongleStatus"),
        ("Privilege", "call,all"),
        ("Timestamp", "1.2"),
        ("Device", device),
        ("Signal", signal),
        *more,
    ]


def _snapshot(known: Catalogue, prefix: str = "") -> Frame:
    needed = (header for header in known.blocks["channel"].headers if not header.optional)
    return [(prefix + header.name, "x") for header in needed]


def _sale(known: Catalogue, *own: tuple[str, str], name: str = "Sale") -> Frame:
    return [("Event", "UserEvent"), ("Privilege", "user,all"), *_snapshot(known), ("UserEvent", name), *own]


def _sound(rows: Iterable[Row], known: Catalogue) -> None:
    for text in propose.texts(rows, known).values():
        assert lint.lint(json.loads(text)) == []


def test_an_unknown_event_of_a_capture(shipped_catalogue: Catalogue) -> None:
    frames = [_dongle("d0", "12"), _dongle("d1", "13"), [("Event", "Hangup"), ("Cause", "16")]]
    (row,) = propose.from_frames(frames, shipped_catalogue)
    assert (row.event, row.record, row.topic, row.family) == (
        "DongleStatus",
        "DongleStatus",
        "dongle-status",
        "other",
    )
    assert (row.classes, row.kinds, row.channels, row.key) == (("call",), ("unsolicited",), (), ())
    assert [(header.name, header.type) for header in row.headers if isinstance(header, Header)] == [
        ("Device", "string"),
        ("Signal", "int"),
    ]
    assert list(propose.texts([row], shipped_catalogue)) == ["dongle_status.avsc"]
    _sound([row], shipped_catalogue)


def test_headers_of_several_frames_keep_their_order(shipped_catalogue: Catalogue) -> None:
    frames = [_dongle("d", "1", ("Zone", "z")), _dongle("d", "2", ("Mode", "m"), ("Zone", "z"))]
    (row,) = propose.from_frames(frames, shipped_catalogue)
    assert [item.name for item in row.headers if isinstance(item, Header)] == [
        "Device",
        "Signal",
        "Mode",
        "Zone",
    ]


def test_a_repeated_header_is_a_list(shipped_catalogue: Catalogue) -> None:
    (row,) = propose.from_frames([_dongle("d", "1", ("Tag", "a"), ("Tag", "b"))], shipped_catalogue)
    assert Header("Tag", "strings", doc="Tag, as the PBX sends it.", field="tag") in row.headers


def test_a_list_item_has_no_privilege(shipped_catalogue: Catalogue) -> None:
    (row,) = propose.from_frames(
        [[("Event", "DongleEntry"), ("ActionID", "1"), ("Uniqueid", "1.2")]], shipped_catalogue
    )
    assert row.kinds == ("list_item",)
    assert row.channels == (("Uniqueid", None),)


def test_a_channel_by_its_two_ids(shipped_catalogue: Catalogue) -> None:
    frame = [("Event", "Odd"), ("Linkedid", "1.1"), ("Uniqueid", "1.2")]
    (row,) = propose.from_frames([frame], shipped_catalogue)
    assert row.channels == (("Uniqueid", "Linkedid"),)


def test_snapshots_are_seen_if_whole(shipped_catalogue: Catalogue) -> None:
    variables = [("ChanVariable", "A=1"), ("ChanVariable", "B=2")]
    frame = [
        ("Event", "Odd"),
        *_snapshot(shipped_catalogue),
        *variables,
        *_snapshot(shipped_catalogue, "Dest")[:-1],
    ]
    (row,) = propose.from_frames([frame], shipped_catalogue)
    assert [item for item in row.headers if isinstance(item, BlockUse)] == [BlockUse("channel", "", None)]
    assert row.channels == (("Uniqueid", "Linkedid"),)
    _sound([row], shipped_catalogue)


def test_a_prefixed_snapshot(shipped_catalogue: Catalogue) -> None:
    (row,) = propose.from_frames(
        [[("Event", "Odd"), *_snapshot(shipped_catalogue, "Dest")]], shipped_catalogue
    )
    assert row.headers == (BlockUse("channel", "Dest", "the channel Dest"),)
    assert row.channels == (("DestUniqueid", "DestLinkedid"),)


def test_each_user_event_by_its_sub_name(shipped_catalogue: Catalogue) -> None:
    frames = [_sale(shipped_catalogue, ("Amount", one), ("Customer", "Zoë")) for one in ("1", "2")]
    frames.append(_sale(shipped_catalogue, name="Refund"))
    sale, refund = propose.from_frames(frames, shipped_catalogue)
    assert (sale.event, sale.user_event, sale.record) == ("UserEvent", "Sale", "UserEvent_Sale")
    assert (sale.topic, sale.family, sale.key) == ("user-event-sale", "user", (("UserEvent",),))
    assert sale.channels == (("Uniqueid", "Linkedid"),)
    assert refund.user_event == "Refund"
    texts = propose.texts([sale, refund], shipped_catalogue)
    assert list(texts) == ["user_event_sale.avsc", "user_event_refund.avsc"]
    properties = json.loads(texts["user_event_sale.avsc"])["ami"]
    assert (properties["event"], properties["user_event"]) == ("UserEvent", "Sale")
    _sound([sale, refund], shipped_catalogue)


def test_what_cannot_have_a_field_lands_in_extra(shipped_catalogue: Catalogue) -> None:
    own = [
        ("Channel", "again"),
        ("Extra", "e"),
        ("2x", "t"),
        ("日本", "j"),
        ("--", "d"),
        ("Amount", "1"),
        ("amount", "2"),
    ]
    (row,) = propose.from_frames([_sale(shipped_catalogue, *own)], shipped_catalogue)
    fields = {item.name: item.field for item in row.headers if isinstance(item, Header)}
    assert fields == {
        "UserEvent": "user_event",
        "Extra": "ami_extra",
        "2x": "ami_2x",
        "Amount": "amount",
        "amount": "ami_amount",
    }
    assert {item.name for item in row.headers if isinstance(item, Dynamic)} == {"Channel", "日本", "--"}
    _sound([row], shipped_catalogue)


def test_a_header_before_the_snapshot_yields_to_it(shipped_catalogue: Catalogue) -> None:
    frame = [("Event", "Odd"), ("Unique-ID", "u"), *_snapshot(shipped_catalogue)]
    (row,) = propose.from_frames([frame], shipped_catalogue)
    assert row.headers[0] == Header("Unique-ID", doc="Unique-ID, as the PBX sends it.", field="ami_unique_id")
    _sound([row], shipped_catalogue)


def test_the_known_and_the_nameless_are_passed_over(shipped_catalogue: Catalogue) -> None:
    frames = [
        [],
        [("Response", "Success")],
        [("Exten", "fragment")],
        [("Event", "日本")],
        [("Event", "UserEvent")],
        _sale(shipped_catalogue, name="日本"),
        _sale(shipped_catalogue),
        _dongle("d", "1"),
    ]
    known = [("UserEvent", "Sale"), ("DongleStatus", None)]
    assert propose.from_frames(frames, shipped_catalogue, known) == ()


def test_of_two_that_would_share_a_topic_the_first_is_proposed(shipped_catalogue: Catalogue) -> None:
    frames = [_sale(shipped_catalogue, name=name) for name in ("Sale", "sale")] + [[("Event", "hangup")]]
    assert [row.user_event for row in propose.from_frames(frames, shipped_catalogue)] == ["Sale"]


def test_a_row_goes_into_the_catalogue_and_out(shipped_catalogue: Catalogue) -> None:
    frames = [_sale(shipped_catalogue, ("Channel", "x")), _dongle("d", "1", ("Tag", "a"), ("Tag", "b"))]
    for row in propose.from_frames(frames, shipped_catalogue):
        value = json.loads(json.dumps(propose.as_json(row)))
        assert catalogue.row(row.event, value) == row


_names = st.one_of(
    st.sampled_from(["Channel", "Uniqueid", "UserEvent", "Extra", "Note"]), st.text(min_size=1)
)


@settings(max_examples=settings().max_examples // 2)
@given(st.lists(st.lists(st.tuples(_names, st.text()), max_size=8), max_size=3))
def test_whatever_was_heard_gives_sound_schemas(shipped_catalogue: Catalogue, bodies: list[Frame]) -> None:
    frames = [[("Event", "Odd"), *body] for body in bodies]
    frames += [_sale(shipped_catalogue, *body) for body in bodies]
    _sound(propose.from_frames(frames, shipped_catalogue), shipped_catalogue)


XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE docs SYSTEM "appdocsxml.dtd">
<docs xmlns:xi="http://www.w3.org/2001/XInclude">
  <managerEvent name="NewExten"><managerEventInstance class="EVENT_FLAG_DIALPLAN"><syntax/></managerEventInstance></managerEvent>
  <managerEvent name="">
  </managerEvent>
  <managerEvent name="Ring2">
    <managerEventInstance class="EVENT_FLAG_CALL|EVENT_FLAG_USER">
      <synopsis>Words that are not ours.</synopsis>
      <syntax>
        <channel_snapshot/>
        <channel_snapshot prefix="Dest"/>
        <bridge_snapshot/>
        <parameter name="Tone"><para>Words.</para></parameter>
        <parameter/>
        <xi:include xpointer="xpointer(/docs/managerEvent[@name='Ring3']/managerEventInstance/syntax/parameter)"/>
      </syntax>
    </managerEventInstance>
    <managerEventInstance class="EVENT_FLAG_CALL">
      <syntax>
        <parameter name="Tone"/>
        <parameter name="Pace"/>
      </syntax>
    </managerEventInstance>
  </managerEvent>
  <managerEvent name="Ring3">
    <managerEventInstance class="">
      <syntax>
        <parameter name="Beat"/>
        <xi:include xpointer="xpointer(/docs/managerEvent[@name='Ring2']/managerEventInstance/syntax/parameter[@name='Pace'])"/>
        <xi:include xpointer="xpointer(/docs/managerEvent[@name='Gone']/managerEventInstance/syntax/parameter)"/>
        <xi:include/>
      </syntax>
    </managerEventInstance>
  </managerEvent>
  <managerEvent name="Ring2"/>
</docs>
"""


def test_names_of_headers_come_from_the_documentation(shipped_catalogue: Catalogue) -> None:
    ring2, ring3 = propose.from_xml(XML, shipped_catalogue)
    assert ring2.headers[:3] == (
        BlockUse("channel"),
        BlockUse("channel", "Dest", "the channel Dest"),
        BlockUse("bridge"),
    )
    assert [item.name for item in ring2.headers[3:] if isinstance(item, Header)] == ["Tone", "Beat", "Pace"]
    assert {item.type for item in ring2.headers if isinstance(item, Header)} == {"string"}
    assert ring2.classes == ("call", "user")
    assert [item.name for item in ring3.headers if isinstance(item, Header)] == ["Beat", "Pace"]
    _sound([ring2, ring3], shipped_catalogue)


def test_no_sentence_of_the_documentation_is_copied(shipped_catalogue: Catalogue) -> None:
    texts = propose.texts(propose.from_xml(XML, shipped_catalogue), shipped_catalogue)
    assert not [text for text in texts.values() if "Words" in text]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<docs>", "is no XML"),
        ('<!DOCTYPE docs [<!ENTITY a "b">]><docs/>', "declares entities"),
    ],
)
def test_what_is_no_documentation_is_refused(shipped_catalogue: Catalogue, text: str, why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        propose.from_xml(text, shipped_catalogue)
