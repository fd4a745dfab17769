"""Callers' numbers and names covered by a rule: found in no topic, no file of the journal, no log."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.parts.asterisk import Asterisk
from tests.parts.kafka import Cluster, Kafka
from tests.parts.scenarios.steps import hang_up
from tests.real import reading
from tests.real.asking import Inbox, ask
from tests.real.bridge import Tables, bridge, fresh, pbx_table
from tests.real.reading import Got
from tests.real.server import Server

NUMBER, NAME, CUSTOMER = "4930777001", "Zoe Quill", "kd-58231"
FORGER = "4915199223"
COVERED = [each.encode() for each in (NUMBER, NAME, "Zoe", "Quill", CUSTOMER, FORGER)]
KEY = "a key of the test's own"
PSEUDONYM = f"k1:{hmac.new(KEY.encode(), NUMBER.encode(), hashlib.sha256).hexdigest()[:32]}"
CAPTURE = Path(__file__).parents[1] / "captures" / "asterisk22" / "dial.ami"
SLOW = {"ping_interval_s": 60.0, "pong_timeout_s": 60.0}
"""A server that talks for long answers late."""


def torn() -> bytes:
    """Give a Newchannel into which its caller has written an event of his own."""
    genuine = re.findall(rb"Event: Newchannel.*?\r\n\r\n", CAPTURE.read_bytes(), re.DOTALL)[1]
    number = f"CallerIDNum: {FORGER}\r\n\r\nEvent: Hangup\r\n{FORGER}: x\r\nPrivilege: call,all".encode()
    return re.sub(rb"CallerIDNum: [^\r]*", number, genuine)


def settings(kafka: Cluster | Kafka, pbx: Asterisk, forger: int, folder: Path, prefix: str) -> Tables:
    return {
        "pbx.main": pbx_table(pbx.host, pbx.port, pbx.username, pbx.secret, snapshot="after-login"),
        "pbx.main.actions": {"username": "actions", "secret": pbx.secret},
        "pbx.forger": pbx_table("127.0.0.1", forger, "any", "secret", auth="plain", **SLOW),
        "kafka": {"bootstrap_servers": [kafka.bootstrap], "reach_timeout_s": 30.0},
        "events": {"select": ["@all"], "topic_prefix": prefix, "format": "json", "routing": "family"},
        "topics": {"partitions": 1},
        "journal": {"path": str(folder / "journal")},
        "actions": {},
        "privacy": {"before_journal": True, "key": KEY},
        # An array of tables has its name in two pairs of brackets.
        "[privacy.rules]": {
            "name": "callers",
            "headers": ["*CallerID*", "*ConnectedLine*", "Source"],
            "variables": ["CUSTOMER"],
            "do": "hmac",
        },
    }


def test_a_covered_value_is_found_nowhere(
    start_asterisk: Callable[..., Asterisk], kafka: Cluster | Kafka, tmp_path: Path
) -> None:
    pbx, prefix = start_asterisk(22), fresh("privacy")
    with Server([torn()]) as forger:
        tables = settings(kafka, pbx, forger.port, tmp_path, prefix)
        with bridge(tmp_path, tables) as running, pbx.manager() as ami:
            running.expect("LinkUp", 2)
            running.expect("EventQuarantined")
            ami.action(
                "Originate",
                Channel="Local/caller@parties/n",
                Context="internal",
                Exten="110",
                Priority=1,
                CallerID=f"{NAME} <{NUMBER}>",
                Variable=f"CUSTOMER={CUSTOMER}",
                Async="true",
            )
            caller = ami.expect("BridgeEnter", CallerIDNum=NUMBER)
            asked = {
                name: {"request_id": name, "action": name, "pbx": "main"}
                for name in ("Status", "CoreShowChannels")
            }
            ask(kafka.bootstrap, f"{prefix}.actions.json", asked)
            inbox = Inbox(kafka.bootstrap, f"{prefix}.responses.json", 1)
            answers = inbox.expect(asked)
            inbox.close()
            hang_up(ami, caller)
            ami.expect("Cdr", Source=NUMBER)
            reading.expect(kafka.bootstrap, prefix, b'"ANSWERED"')
            assert running.stop() == 0, running.text()
        log = running.text()
    got = reading.read_all(kafka.bootstrap, prefix)
    reading.remove(kafka.bootstrap, prefix)
    files = {path: path.read_bytes() for path in (tmp_path / "journal").rglob("*") if path.is_file()}
    places = {"the log": log.encode(), **{str(path): data for path, data in files.items()}}
    places |= {f"{one.topic}/{one.partition}/{one.offset}": bytes_of(one) for one in got}
    assert not {name: value for name, held in places.items() for value in COVERED if value in held}
    judge_pseudonyms(got, b"".join(files.values()))
    for answer in (each for parts in answers.values() for each in parts):
        assert answer["status"] == "SUCCESS"
        assert PSEUDONYM in json.dumps(answer)
    judge_letters([one for one in got if one.topic.endswith(".dlq")])


def bytes_of(one: Got) -> bytes:
    headers = "\n".join(f"{name}: {value}" for name, value in one.headers.items())
    return b"\n".join([one.topic.encode(), one.key, headers.encode(), one.value])


def judge_pseudonyms(got: list[Got], journal: bytes) -> None:
    """See that the search would have found something, and that events of different kinds are joined."""
    values = [json.loads(one.value) for one in got if not one.topic.endswith(".dlq")]
    fields = {name for value in values for name, text in value.items() if text == PSEUDONYM}
    assert {"caller_id_num", "ami_source"} <= fields, fields
    assert PSEUDONYM.encode() in journal
    assert len([value for value in values if value.get("caller_id_num") == PSEUDONYM]) > 10


def judge_letters(letters: list[Got]) -> None:
    """See that of what the forger has torn only the length and a keyed digest are told."""
    assert [one.value for one in letters] == [b"Event: Newchannel", b"Event: Hangup"]
    for one in letters:
        assert int(one.headers["ami_kafka_size"]) > len(one.value)
        assert one.headers["ami_kafka_hmac"].startswith("k1:")
        assert FORGER not in one.headers["__connect.errors.exception.message"]
