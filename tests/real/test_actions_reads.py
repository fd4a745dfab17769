"""Every safe action that a bare Asterisk can answer, over the pool and over a bare socket: the same answer."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from connector.edges.schemas import load_action_catalogue
from tests.parts.asterisk import Asterisk
from tests.parts.processes import wait_until
from tests.parts.scenarios.steps import bridged_call, call
from tests.real.pooled import Lines, bare, pool_at

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


def questions(fill: dict[str, str]) -> Iterator[tuple[str, Headers]]:
    reads = [facts for facts in load_action_catalogue() if not (facts.effect or facts.forbidden)]
    assert len(reads) > 60
    for name in {facts.name: None for facts in reads} | dict.fromkeys(PARAMETERS):
        for headers in PARAMETERS.get(name, [()]):
            yield name, tuple((key, value.format_map(fill)) for key, value in headers)


def shape(answers: list[list[Lines]]) -> list[list[int]]:
    return [[len(lines) for lines in messages] for messages in answers]


def steady(first: list[Lines], second: list[Lines]) -> list[list[tuple[str, str | None]]]:
    """Give an answer without the values that change by themselves: those that two bare sockets saw differ."""
    return [
        [
            (name, None if name in VOLATILE or value != other else value)
            for (name, value), (_, other) in zip(lines, again, strict=True)
        ]
        for lines, again in zip(first, second, strict=True)
    ]


def masked(ours: list[Lines], like: list[list[tuple[str, str | None]]]) -> list[list[tuple[str, str | None]]]:
    """Leave out the same values of what the pool gave; headers that have no value to compare stay."""
    return [
        [
            (name, None if place < len(row) and row[place][1] is None else value.strip())
            for place, (name, value) in enumerate(lines)
        ]
        for lines, row in zip(ours, [*like, *[[]] * len(ours)], strict=False)
    ]


@pytest.mark.parametrize("version", [22, 16])
def test_the_pool_gives_all_that_a_bare_socket_gives(
    start_asterisk: Callable[..., Asterisk], version: int
) -> None:
    pbx = start_asterisk(version)
    with pbx.manager() as ami, pbx.manager(events="off") as session:
        first, _ = bridged_call(ami)
        for exten, event in (("200", "QueueCallerJoin"), ("300", "ConfbridgeJoin"), ("400", "ParkedCall")):
            call(ami, exten)
            ami.expect(event)
        ami.action("DBPut", Family="shop", Key="one", Val="a: b, c")
        fill = {"channel": first["Channel"], "bridge": first["BridgeUniqueid"], "key": "one"}
        asked = [*questions(fill)]

        async def run() -> list[list[Lines]]:
            async with pool_at(pbx) as one:
                answers = []
                for name, headers in asked:
                    answers.append([message.headers for message in await one.ask(name, *headers)])
                assert one.sessions == ["off"]
                return answers

        def ask() -> list[list[Lines]]:
            session.forget()
            return [bare(session, name, *headers) for name, headers in asked]

        # The calls have settled once nothing comes or goes between two looks.
        wait_until(lambda: shape(ask()) == shape(ask()), "calls that have settled", within=30)
        before, ours, after = ask(), asyncio.run(run()), ask()
    lists, values = 0, list[str | None]()
    for question, one, two, mine in zip(asked, before, after, ours, strict=True):
        wanted = steady(one, two)
        assert masked(mine, wanted) == wanted, question
        lists += len(mine) > 1
        values += [value for row in wanted for _, value in row]
    assert lists > 20
    assert values.count(None) < len(values) / 6
