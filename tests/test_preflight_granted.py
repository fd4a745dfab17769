"""What a PBX grants, and what it keeps silent: from its answers to findings."""

import asyncio
from collections.abc import Mapping

import pytest

from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.message import parse
from connector.edges.schemas import load_action_catalogue
from connector.preflight import Finding, State, granted
from connector.preflight.granted import Listed, Needs

CATALOGUE = load_action_catalogue()
LISTS = ("CoreShowChannels", "Agents", "ParkedCalls", "PJSIPShowContacts")
NEEDS = Needs("main", LISTS, frozenset({"call", "agent", "reporting"}), frozenset({"Cdr", "CEL"}), CATALOGUE)


def told(findings: list[Finding]) -> list[tuple[str, State]]:
    return [(finding.what, finding.state) for finding in findings]


def listed(*names: str, classes: tuple[str, ...] = ()) -> Listed:
    return Listed(frozenset(name.lower() for name in names), frozenset(classes))


class Pbx:
    """Answers each question as told, and notes it; what it was not told it refuses."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def ask(self, action: AmiAction) -> Answer:
        words = " ".join([action.name, *(value for _, value in action.headers)])
        self.asked.append(words)
        lines = self._answers.get(words)
        head = b"Response: Error" if lines is None else b"Response: Success"
        return Answer(parse(b"\r\n".join([head, *(lines or "").encode().splitlines()])))


def test_lists_that_the_account_may_not_ask_are_named() -> None:
    found = granted.write(NEEDS, listed("CoreShowChannels", "ParkedCalls"))
    assert told(found) == [("main snapshot", State.WARNING), ("main snapshot", State.OK)]
    assert "Agents needs agent" in found[0].seen
    assert "left out" in found[1].seen
    assert "PJSIPShowContacts" in found[1].seen


def test_a_list_that_the_pbx_has_not_is_not_the_accounts_fault() -> None:
    found = granted.write(NEEDS, listed(*LISTS[:1], *LISTS[2:], classes=("agent",)))
    assert told(found) == [("main snapshot", State.OK)]
    assert "not at this PBX, though the account has the right: Agents" in found[0].seen
    assert granted.write(NEEDS, listed(*LISTS)) == []


def test_an_account_that_may_too_much_is_told() -> None:
    found = granted.write(NEEDS, listed(*LISTS, classes=("command", "config", "agent")))
    assert told(found) == [("main account", State.WARNING)]
    assert found[0].seen == "may do more than is needed: command, config in write"


CDR, CEL = "Command cdr show status", "Command cel show status"
ALIVE = "Output: CEL Logging: Enabled\nOutput: CEL Event Subscriber: Manager Event Logging"


@pytest.mark.parametrize(
    ("may", "answers", "states", "words"),
    [
        (["Command"], {CDR: "Output: cdr_manager", CEL: ALIVE}, [State.OK, State.OK], "says that they are sent"),
        (["Command"], {CDR: "Output: cdr_manager (suspended)", CEL: "Output: CEL Logging: Disabled"}, [State.WARNING] * 2, "cdr_manager.conf"),
        (["Command"], {CDR: "Output: cdr_manager", CEL: "Output: CEL Logging: Enabled"}, [State.OK, State.WARNING], "[manager]"),
        (["ModuleCheck"], {}, [State.WARNING] * 2, "the module cdr_manager is not loaded"),
        (["ModuleCheck"], {"ModuleCheck cdr_manager": "", "ModuleCheck cel_manager": ""}, [State.UNPROVEN] * 2, "cdr show status"),
        (["CoreSettings"], {"CoreSettings": "CoreCDRenabled: No"}, [State.WARNING, State.UNPROVEN], "CDRs are off"),
        (["CoreSettings"], {"CoreSettings": "CoreCDRenabled: Yes"}, [State.UNPROVEN] * 2, "cel show status"),
        ([], {}, [State.UNPROVEN] * 2, "none came yet"),
    ],
)  # fmt: skip
def test_backends_that_say_nothing(
    may: list[str], answers: dict[str, str], states: list[State], words: str
) -> None:
    found = asyncio.run(granted.silent(NEEDS, listed(*may), [], Pbx(answers).ask))
    assert told(found) == [("main Cdr", states[0]), ("main CEL", states[1])]
    assert words in " ".join(map(str, found))


def test_a_backend_that_was_heard_is_not_asked_for_nor_one_that_nobody_wants() -> None:
    pbx = Pbx({})
    found = asyncio.run(granted.silent(NEEDS, listed("Command"), ["Cdr", "CEL"], pbx.ask))
    assert [finding.seen for finding in found] == ["seen", "seen"]
    none = NEEDS._replace(events=frozenset({"Hangup"}))
    assert asyncio.run(granted.silent(none, listed("Command"), [], pbx.ask)) == []
    assert pbx.asked == []


ACCOUNT, GENERAL = "GetConfig manager.conf kafka", "GetConfig manager.conf general"
STAMPED = {GENERAL: "Line-000000-000000: timestampevents = On"}


@pytest.mark.parametrize(
    ("answers", "states", "words"),
    [
        ({ACCOUNT: "Line-000000-000000: secret=hunter2\nLine-000000-000001: writetimeout=15000", **STAMPED}, [State.OK], "15000 ms"),
        ({ACCOUNT: "Line-000000-000000: secret=hunter2", **STAMPED}, [State.WARNING], "100 ms: a reader"),
        ({ACCOUNT: "Line-000000-000000: writetimeout = 5000", **STAMPED}, [State.WARNING], "5000 ms"),
        ({ACCOUNT: "Line-000000-000000: writetimeout = 5000\nLine-000000-000001: writetimeout = 20000", **STAMPED}, [State.OK], "20000 ms"),
        ({ACCOUNT: "Line-000000-000000: writetimeout=x"}, [State.WARNING, State.WARNING], "timestampevents = yes"),
        ({}, [State.UNPROVEN], "not told"),
    ],
)  # fmt: skip
def test_what_manager_conf_says_where_it_may_be_read(
    answers: dict[str, str], states: list[State], words: str
) -> None:
    found = asyncio.run(granted.configured("main", "kafka", listed("GetConfig"), Pbx(answers).ask))
    assert [finding.state for finding in found] == states
    text = " ".join(map(str, found))
    assert words in text
    assert "hunter2" not in text


def test_manager_conf_is_asked_for_only_by_who_may() -> None:
    pbx = Pbx({})
    (found,) = asyncio.run(granted.configured("main", "kafka", listed("Ping"), pbx.ask))
    assert (found.state, pbx.asked) == (State.UNPROVEN, [])
    assert "writetimeout = 15000" in found.remedy


def test_system_names_must_be_there_and_differ() -> None:
    found = granted.system_names({"a": "one", "b": "", "c": "one", "d": "two"})
    assert [(finding.what, finding.seen) for finding in found] == [
        ("a, c system name", "a and c both call themselves one"),
        ("b system name", "not set"),
    ]
    assert all(finding.state is State.WARNING for finding in found)
    assert granted.system_names({"a": "one", "b": "two"}) == []
