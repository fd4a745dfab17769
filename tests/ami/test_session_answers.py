"""Whose the answers on a session are: those without an ActionID, those that come later, and several at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.ami.action import AmiAction
from connector.ami.reach import Reach
from connector.ami.steps import (
    Accepted,
    Account,
    Answered,
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
