"""Whose the answers on a session are: those without an ActionID, those that come later, and several at once."""

from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.ami.steps import (
    Accepted,
    Account,
    Answered,
    Items,
    Lost,
    Messages,
)
from tests.ami.dialogue import BOOTED, HANGUP, Dialogue, response, wire

CALL = AmiAction("Originate", (("Async", "true"),))
DEAF = Account("kafka", "s3cret", events="off", md5=False)
NAMELESS = b"Response: Error\r\nMessage: Too many lines in message\r\n\r\n"


class TestNameless:
    """Answers without an ActionID."""

    def test_belongs_to_what_alone_is_asked_on_a_session_without_events(self) -> None:
        one = Dialogue(DEAF).up_to_ready()
        action_id, _ = one.session.ask(AmiAction("Getvar"), 0.0, 5.0)
        (answered,) = one.hear(NAMELESS)
        assert isinstance(answered, Answered)
        assert answered.action_id == action_id
        assert answered.result.answer is not None
        assert answered.result.answer.response.get("Message") == "Too many lines in message"

    def test_belongs_to_it_beside_a_ping(self) -> None:
        one = Dialogue(DEAF).up_to_ready()
        one.tick(10.0)
        action_id, _ = one.session.ask(AmiAction("Getvar"), 10.0, 5.0)
        (answered,) = one.hear(NAMELESS, now=10.0)
        assert isinstance(answered, Answered)
        assert answered.action_id == action_id

    @pytest.mark.parametrize("asked", [0, 2])
    def test_is_nobodys_where_it_is_not_certain_whose(self, asked: int) -> None:
        one = Dialogue(DEAF).up_to_ready()
        for _ in range(asked):
            one.session.ask(AmiAction("Getvar"), 0.0, 5.0)
        assert one.hear(NAMELESS) == [Messages([NAMELESS[:-4]])]

    def test_is_nobodys_once_an_answer_has_begun(self) -> None:
        one = Dialogue(DEAF).up_to_ready()
        action_id, _ = one.session.ask(AmiAction("CoreShowChannels"), 0.0, 5.0)
        one.hear(response(action_id, lines="EventList: start"))
        assert one.hear(NAMELESS) == [Messages([NAMELESS[:-4]])]

    def test_is_nobodys_among_events(self) -> None:
        one = Dialogue().up_to_ready()
        one.session.ask(AmiAction("Getvar"), 0.0, 5.0)
        assert one.hear(NAMELESS) == [Messages([NAMELESS[:-4]])]


class TestLater:
    def test_what_a_call_has_come_to_by_the_end_is_told(self) -> None:
        one = Dialogue().up_to_ready()
        action_id, _ = one.session.ask(CALL, 0.0, 30.0)
        assert one.hear(response(action_id)) == [Accepted(action_id)]
        (answered, lost) = one.session.closed()
        assert isinstance(answered, Answered)
        assert answered.result.reach is Reach.SENT
        assert answered.result.answer is not None
        assert isinstance(lost, Lost)

    def test_events_pass_as_before_while_calls_ring(self) -> None:
        one = Dialogue().up_to_ready()
        action_id, _ = one.session.ask(CALL, 0.0, 30.0)
        one.hear(response(action_id))
        foreign = b"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: other"
        exec_of_another = b"Event: AsyncAGIExec\r\nPrivilege: agi,all\r\nChannel: a\r\nCommandId: 1"
        user = f"Event: UserEvent\r\nPrivilege: user,all\r\nActionID: {action_id}".encode()
        frames = [HANGUP, foreign, HANGUP, exec_of_another, user]
        assert one.hear(wire(*frames)) == [Messages(frames)]

    def test_its_own_deadline_lasts_until_its_event(self) -> None:
        one = Dialogue().up_to_ready()
        action_id, _ = one.session.ask(CALL, 0.0, 5.0)
        one.hear(response(action_id))
        (answered,) = one.tick(5.0)
        assert isinstance(answered, Answered)
        assert answered.result.late
        event = f"Event: OriginateResponse\r\nActionID: {action_id}".encode()
        assert one.hear(wire(event)) == [Messages([event])]


@given(st.data())
def test_any_cut_of_the_stream_gives_the_same_answers(data: st.DataObject) -> None:
    """Items of a list, events between them, and calls whose results come in any order."""
    one = Dialogue().up_to_ready()
    listed, _ = one.session.ask(AmiAction("CoreShowChannels"), 0.0, 5.0)
    calls = [one.session.ask(CALL, 0.0, 5.0)[0] for _ in range(3)]
    items = [f"Event: CoreShowChannel\r\nActionID: {listed}\r\nChannel: {row}".encode() for row in range(3)]
    complete = f"Event: CoreShowChannelsComplete\r\nActionID: {listed}\r\nEventList: Complete".encode()
    results = [f"Event: OriginateResponse\r\nActionID: {each}\r\nReason: 4".encode() for each in calls]
    parts = data.draw(st.permutations([*results, HANGUP, HANGUP, BOOTED]))
    places = data.draw(st.lists(st.integers(0, len(parts)), min_size=4, max_size=4).map(sorted))
    for place, item in zip(reversed(places), [complete, *reversed(items)], strict=True):
        parts.insert(place, item)
    stream = b"".join([*map(response, calls), response(listed, lines="EventList: start"), wire(*parts)])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    steps = [
        step
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for step in one.hear(stream[begin:end])
    ]
    assert [step for step in steps if isinstance(step, Accepted)] == [*map(Accepted, calls)]
    answers = {step.action_id: step.result.answer for step in steps if isinstance(step, Answered)}
    assert set(answers) == {listed, *calls}
    told = answers[listed]
    assert told is not None
    assert [event.get("Channel") for event in told.events] == ["0", "1", "2", ""]
    frames = [frame for step in steps if isinstance(step, Messages) for frame in step.frames]
    assert frames == [part for part in parts if part not in (*items, complete)]


class TestStreamed:
    """A list whose items are handed on as they come."""

    def begin(self, within: float = 60.0) -> tuple[Dialogue, str]:
        one = Dialogue().up_to_ready()
        action_id, steps = one.session.ask(AmiAction("CoreShowChannels"), 1.0, within, streamed=True)
        assert len(steps) == 1
        return one, action_id

    def item(self, action_id: str, number: int) -> bytes:
        return f"Event: CoreShowChannel\r\nActionID: {action_id}\r\nUniqueid: 1.{number}".encode()

    def complete(self, action_id: str) -> bytes:
        return (
            f"Event: CoreShowChannelsComplete\r\nActionID: {action_id}\r\nEventList: Complete\r\nListItems: 2"
        ).encode()

    def test_items_keep_their_place_among_the_events(self) -> None:
        one, mine = self.begin()
        first, second = self.item(mine, 1), self.item(mine, 2)
        foreign = self.item("t-99", 3)
        end = self.complete(mine)
        steps = one.hear(
            wire(HANGUP),
            response(mine, lines="EventList: start"),
            wire(first, HANGUP, foreign, second, second, end, HANGUP),
        )
        *_, answered, last = steps
        assert steps[:5] == [
            Messages([HANGUP]),
            Items(mine, [first]),
            Messages([HANGUP, foreign]),
            Items(mine, [second, second]),
            answered,
        ]
        assert last == Messages([HANGUP])
        assert isinstance(answered, Answered)
        assert answered.result.reach is Reach.ANSWERED
        assert answered.result.answer is not None
        assert [event.headers[0][1] for event in answered.result.answer.events] == [
            "CoreShowChannelsComplete"
        ]

    def test_a_late_list_is_not_taken_for_events(self) -> None:
        one, mine = self.begin(within=60.0)
        one.hear(response(mine, lines="EventList: start"), wire(self.item(mine, 1)))
        (late,) = (step for step in one.tick(61.0) if isinstance(step, Answered))
        assert late.result.late
        assert one.hear(wire(self.item(mine, 2), HANGUP), now=62.0) == [Messages([HANGUP])]
        assert one.hear(wire(self.complete(mine), self.item(mine, 3)), now=63.0) == [
            Messages([self.item(mine, 3)])
        ]

    def test_a_list_that_is_late_from_its_beginning_is_not_taken_for_events_either(self) -> None:
        one, mine = self.begin(within=60.0)
        one.tick(61.0)
        assert one.hear(response(mine, lines="EventList: start"), wire(self.item(mine, 1)), now=62.0) == []

    def test_a_late_list_does_not_keep_the_pings_back(self) -> None:
        one, _ = self.begin(within=60.0)
        assert one.tick(61.0) == [Answered("t-3", ANY)]
        assert one.session.due <= 70.0
        one.tick(one.session.due)
        assert one.asked[-1]["Action"] == "Ping"

    def test_a_refused_list_has_no_items(self) -> None:
        one, mine = self.begin()
        (answered,) = one.hear(response(mine, "Error", "Message: Permission denied"))
        assert isinstance(answered, Answered)
        assert answered.result.answer is not None
        assert not answered.result.answer.success
