"""Every safe action that a bare Asterisk can answer, and how two answers to one question are compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from connector.edges.schemas import load_action_catalogue
from tests.parts.ami import Manager
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.steps import bridged_call, call
from tests.real.pooled import Lines, bare

Answers = list[list[Lines]]
"""For each question the messages of its answer, each with its headers in order."""
Headers = tuple[tuple[str, str], ...]

PARAMETERS: dict[str, list[Headers]] = {
    "ConfbridgeList": [(("Conference", "3000"),)],
    "CoreShowChannelMap": [(("Channel", "{channel}"),)],
    "BridgeInfo": [(("BridgeUniqueid", "{bridge}"),), (("BridgeUniqueid", "none"),)],
    "DBGet": [(("Family", "shop"), ("Key", "{key}")) for key in ("one", "none")],
    "DBGetTree": [(), (("Family", "shop"),), (("Family", "none"),)],
    "ExtensionState": [(("Exten", exten), ("Context", "internal")) for exten in ("1001", "5001", "none")],
    "FAXSession": [(("SessionNumber", "1"),)],
    "GetConfig": [(("Filename", name),) for name in ("extensions.conf", "queues.conf", "none.conf")],
    "GetConfigJSON": [(("Filename", name),) for name in ("extensions.conf", "queues.conf")],
    "Getvar": [
        (("Variable", "PARTS"),),
        (("Channel", "{channel}"), ("Variable", "CALLERID(all)")),
        (("Channel", "none"), ("Variable", "X")),
    ],
    "ListCategories": [(("Filename", name),) for name in ("queues.conf", "extensions.conf", "cel.conf")],
    "MailboxCount": [(("Mailbox", "100@default"),)],
    "MailboxStatus": [(("Mailbox", "100@default"),)],
    "ModuleCheck": [(("Module", name),) for name in ("app_queue.so", "none.so")],
    "MWIGet": [(("Mailbox", "100@default"),)],
    "PJSIPShowEndpoint": [(("Endpoint", name),) for name in ("phone1", "none")],
    "PresenceState": [(("Provider", "CustomPresence:lamp1"),)],
    "QueueStatus": [(), (("Queue", "support"),), (("Queue", "none"),)],
    "ShowDialPlan": [(), (("Context", "internal"),), (("Context", "none"),), (("Context", "parked"),)],
    "SIPshowpeer": [(("Peer", "100"),)],
    "SKINNYshowdevice": [(("Device", "phone"),)],
    "SKINNYshowline": [(("Line", "100"),)],
    "Status": [
        (),
        (("Channel", "{channel}"),),
        (("Variables", "PARTS,CHANNEL(state)"),),
        (("Channel", "none"),),
    ],
    "VoicemailBoxSummary": [(("Context", "default"), ("Mailbox", "100"))],
    "VoicemailUserStatus": [(("Context", "default"), ("Mailbox", mailbox)) for mailbox in ("100", "none")],
    # Beyond the reads: what only prints, and what is no action at all.
    "Command": [
        (("Command", text),) for text in ("core show uptime", "queue show", "core show version", "none")
    ],
    "Nonesuch": [()],
    "VendorsOwn": [(("Any", "thing"),)],
}

VOLATILE = {
    "ActionID",
    "Timestamp",
    "Duration",
    "Seconds",
    "BridgedSeconds",
    "Wait",
    "TimeToHangup",
    "Timeout",
}


def _questions(fill: dict[str, str]) -> Iterator[tuple[str, Headers]]:
    reads = [facts for facts in load_action_catalogue() if not (facts.effect or facts.forbidden)]
    assert len(reads) > 60
    for name in {facts.name: None for facts in reads} | dict.fromkeys(PARAMETERS):
        for headers in PARAMETERS.get(name, [()]):
            yield name, tuple((key, value.format_map(fill)) for key, value in headers)


def _shape(answers: list[list[Lines]]) -> list[list[int]]:
    return [[len(lines) for lines in messages] for messages in answers]


def _steady(first: list[Lines], second: list[Lines]) -> list[list[tuple[str, str | None]]]:
    """Give an answer without the values that change by themselves: those that two bare sockets saw differ."""
    return [
        [
            (name, None if name in VOLATILE or value != other else value)
            for (name, value), (_, other) in zip(lines, again, strict=True)
        ]
        for lines, again in zip(first, second, strict=True)
    ]


def _masked(
    ours: list[Lines], like: list[list[tuple[str, str | None]]]
) -> list[list[tuple[str, str | None]]]:
    """Leave out the same values of what the pool gave; headers that have no value to compare stay."""
    return [
        [
            (name, None if place < len(row) and row[place][1] is None else value.strip())
            for place, (name, value) in enumerate(lines)
        ]
        for lines, row in zip(ours, [*like, *[[]] * len(ours)], strict=False)
    ]


class Questions(NamedTuple):
    """What is asked, and the bare socket that asks it."""

    asked: list[tuple[str, Headers]]
    session: Manager

    def ask(self) -> Answers:
        self.session.forget()
        return [bare(self.session, name, *headers) for name, headers in self.asked]


@contextmanager
def settled(pbx: Asterisk) -> Iterator[Questions]:
    """Give the questions at a PBX on which calls of every kind have come to rest."""
    with pbx.manager() as ami, pbx.manager(events="off") as session:
        first, _ = bridged_call(ami)
        for exten, event in (("200", "QueueCallerJoin"), ("300", "ConfbridgeJoin"), ("400", "ParkedCall")):
            call(ami, exten)
            ami.expect(event)
        ami.action("DBPut", Family="shop", Key="one", Val="a: b, c")
        fill = {"channel": first["Channel"], "bridge": first["BridgeUniqueid"], "key": "one"}
        questions = Questions([*_questions(fill)], session)
        # The calls have settled once nothing comes or goes between two looks.
        wait_until(
            lambda: _shape(questions.ask()) == _shape(questions.ask()), "calls that have settled", within=30
        )
        yield questions


def compare(asked: list[tuple[str, Headers]], before: Answers, ours: Answers, after: Answers) -> set[str]:
    """See that ours hold all that two bare sockets saw, one before and one after; give the actions that were answered."""
    lists, values, answered = 0, list[str | None](), set[str]()
    for question, one, two, mine in zip(asked, before, after, ours, strict=True):
        wanted = _steady(one, two)
        assert _masked(mine, wanted) == wanted, question
        lists += len(mine) > 1
        if ("Response", "Error") not in mine[0]:
            answered.add(question[0])
        values += [value for row in wanted for _, value in row]
    assert lists > 20
    assert values.count(None) < len(values) / 6
    return answered
