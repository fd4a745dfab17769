"""What a PBX should not send: each costs nothing but itself, and its bytes are in the dead-letter topic.

And a stream cut anywhere: the same bytes give the same records.
"""

import hashlib
import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.parts.kafka import Cluster, Kafka
from tests.parts.registry import Registry, Service
from tests.real import reading
from tests.real.bridge import bridge, fresh, pbx_table
from tests.real.reading import Decoder, Got
from tests.real.server import Server
from tests.real.story import Ends, tables

CAPTURES = Path(__file__).parents[1] / "captures" / "asterisk22"
SLOW = {"ping_interval_s": 60.0, "pong_timeout_s": 60.0}
"""A server that talks for long answers late."""


def event(name: str, number: int, *lines: bytes, end: bytes = b"\r\n\r\n") -> bytes:
    head = f"Event: {name}\r\nPrivilege: user,all\r\nTimestamp: 1700000000.{number:06d}".encode()
    return b"\r\n".join([head, *lines]) + end


def good(number: int, end: bytes = b"\r\n\r\n") -> bytes:
    return event("UserEvent", number, f"UserEvent: Good{number}".encode(), b"Order: 4711", end=end)


LONG = event("UserEvent", 0, b"UserEvent: Long", b"Text: " + b"x" * 2_000_000)
BROKEN = {
    "not UTF-8": event("UserEvent", 0, b"UserEvent: Latin", b"Name: Zo\xeb"),
    "two Event headers": event("UserEvent", 0, b"UserEvent: Twice", b"Event: Hangup"),
    "no colon": event("UserEvent", 0, b"UserEvent: Blank", b"a line without one"),
    "two megabytes": LONG,
    "a value with a line end": event("UserEvent", 0, b"UserEvent: Torn", b"Text: first\r\nsecond"),
    "a value with a blank line": event("UserEvent", 0, b"UserEvent: Cut", b"Text: first\r\n\r\nsecond: half"),
    "an empty last header": event("UserEvent", 0, b"UserEvent: Empty", b"Last:"),
    "CR LF LF": event("UserEvent", 0, b"UserEvent: Short", end=b"\r\n\n"),
    "a bare LF": event("UserEvent", 0, b"UserEvent: Lines", b"Text: first\nsecond"),
    "no event at all": b"Nonsense\r\n\r\n",
    "an answer to nobody": b"Response: Success\r\nActionID: whose\r\n\r\n",
}
LAST = b"UserEvent: RoadEnds"


def run(ends: Ends, folder: Path, streams: dict[str, Iterable[bytes]], **events: Any) -> list[Got]:
    """Let the connector read a stream from each of several servers until all have said their last word."""
    prefix = fresh("broken")
    settings = tables(ends, prefix, **events)
    with ExitStack() as servers:
        for name, pieces in streams.items():
            port = servers.enter_context(Server(pieces)).port
            settings[f"pbx.{name}"] = pbx_table("127.0.0.1", port, "any", "secret", auth="plain", **SLOW)
        with bridge(folder, settings) as running:
            running.expect("LinkUp", len(streams))
            reading.expect(ends.kafka.bootstrap, prefix, b"RoadEnds", times=len(streams))
            assert running.stop() == 0, running.text()
            assert "Traceback" not in running.text()
    got = reading.read_all(ends.kafka.bootstrap, prefix)
    reading.remove(ends.kafka.bootstrap, prefix)
    return got


def test_a_broken_event_costs_nothing_but_itself(
    kafka: Cluster | Kafka, registry: Service | Registry, tmp_path: Path
) -> None:
    stream = [good(0)]
    for number, broken in enumerate(BROKEN.values(), 1):
        stream += [broken, good(number)]
    stream += [event("Nonesuch", 998, b"Some: thing"), event("UserEvent", 999, LAST)]
    got = run(Ends(kafka, registry), tmp_path, {"main": stream}, select=["UserEvent", "@unknown"])
    letters = [one for one in got if one.topic.endswith(".dlq")]
    numbered = sorted(got, key=lambda one: one.number)
    with Decoder(registry.url) as decoder:
        values = [decoder.value(one) for one in numbered if one not in letters]
    said = {value["user_event"]: value for value in values if "user_event" in value}
    assert [name for name in said if name.startswith("Good")] == [f"Good{n}" for n in range(len(BROKEN) + 1)]
    assert sorted(one.number for one in got) == list(range(1, len(got) + 1))
    unknown = [value for value in values if value.get("event") == "Nonesuch"]
    assert [value["extra"] for value in unknown] == [[{"name": "Some", "value": "thing"}]]
    judge_records(said)
    judge_letters(letters)


def judge_records(said: dict[str, dict[str, Any]]) -> None:
    """See that what could be read was read, and kept as it came."""
    extra = {name: [(item["name"], item["value"]) for item in value["extra"]] for name, value in said.items()}
    assert extra["Latin"] == [("Name", "Zo\ufffd"), ("Name*", "Zo%EB")]
    assert extra["Twice"] == [("Event", "Hangup")]
    assert extra["Blank"] == [("", "a line without one")]
    assert extra["Torn"] == [("Text", "first"), ("", "second")]
    assert extra["Cut"] == [("Text", "first")]
    assert extra["Empty"] == [("Last", "")]
    assert extra["Short"] == []
    assert extra["Lines"] == [("Text", "first\nsecond")]


def judge_letters(letters: list[Got]) -> None:
    """See that what could not be read lies there with its bytes and the reason."""
    found = {one.headers["__connect.errors.exception.class.name"]: one for one in letters}
    assert {reason: one.value for reason, one in found.items() if reason != "oversize"} == {
        "orphan": b"Nonsense",
        "unawaited-response": b"Response: Success\r\nActionID: whose",
    }
    orphans = [
        one.value for one in letters if one.headers["__connect.errors.exception.class.name"] == "orphan"
    ]
    assert orphans == [b"second: half", b"Nonsense"]
    long, whole = found["oversize"], LONG.removesuffix(b"\r\n\r\n")
    assert whole.startswith(long.value)
    assert len(long.value) > 10_000
    assert long.headers["ami_kafka_size"] == str(len(whole))
    assert long.headers["ami_kafka_sha256"] == hashlib.sha256(whole).hexdigest()


def test_a_forged_event_and_the_one_it_tears_are_not_published(
    kafka: Cluster | Kafka, registry: Service | Registry, tmp_path: Path
) -> None:
    captured = re.findall(rb"Event: Newchannel.*?\r\n\r\n", (CAPTURES / "dial.ami").read_bytes(), re.DOTALL)
    forged = b"CallerIDNum: 1\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1"
    torn = re.sub(rb"CallerIDNum: [^\r]*", forged, captured[1])
    stream = [captured[0], torn, captured[2], event("UserEvent", 999, LAST)]
    got = run(Ends(kafka, registry), tmp_path, {"main": stream}, select=["Newchannel", "Hangup", "UserEvent"])
    letters = [one for one in got if one.topic.endswith(".dlq")]
    assert [one.value for one in letters] == torn.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")
    assert {one.headers["__connect.errors.exception.class.name"] for one in letters} == {"suspect"}
    assert not [one for one in got if one.topic.endswith(".hangup")]
    assert len([one for one in got if one.topic.endswith(".new-channel")]) == 2
    with Decoder(registry.url) as decoder:
        own = [decoder.value(one) for one in got if one.topic.endswith(".connector")]
    told = [value["subject_event"] for value in own if value["type"] == "suspect"]
    assert told == ["Newchannel", "Hangup"]


def test_a_stream_given_byte_by_byte_gives_the_same_records(
    kafka: Cluster | Kafka, registry: Service | Registry, tmp_path: Path
) -> None:
    captured = (CAPTURES / "transfer.ami").read_bytes() + (CAPTURES / "system.ami").read_bytes()
    events = [*re.findall(rb"Event: .*?\r\n\r\n", captured, re.DOTALL), event("UserEvent", 999, LAST)]
    stream = b"".join(events)
    streams: dict[str, Iterable[bytes]] = {
        "whole": [stream],
        "bytewise": [stream[at : at + 1] for at in range(len(stream))],
    }
    got = run(Ends(kafka, registry), tmp_path, streams, routing="family")
    assert not [one for one in got if one.topic.endswith(".dlq")]
    told: dict[str, list[Any]] = {"whole": [], "bytewise": []}
    with Decoder(registry.url) as decoder:
        for one in sorted(got, key=lambda one: one.number):
            if not one.topic.endswith(".connector"):
                told[one.pbx].append(
                    (one.topic, one.key.split(b"|")[1:], one.number, plain(decoder.value(one)))
                )
    assert len(told["whole"]) == len(events)
    assert told["bytewise"] == told["whole"]


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what differs between two sessions, however alike their bytes."""
    source = {name: one for name, one in value["source"].items() if name not in ("pbx", "epoch")}
    gone = {"event_id", "received_time", "received_time_us", "source"}
    if value["event_time_source"] == "receipt":
        gone |= {"event_time", "event_time_us"}
    return {name: one for name, one in value.items() if name not in gone} | {"source": source}
