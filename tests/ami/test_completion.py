"""When an answer is whole: one row for each way in which Asterisk ends one."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.ami.action import AmiAction
from connector.ami.completion import Answer, Completion, later_event, traceable
from connector.ami.framing import Framer
from connector.ami.message import AmiMessage, Kind, parse


def message(text: str) -> AmiMessage:
    return parse(text.replace("\n", "\r\n").encode())


def answer_to(action: AmiAction, *messages: str) -> tuple[Answer | None, int]:
    """Give the answer, and how many of the messages it took."""
    completion = Completion(action)
    for number, text in enumerate(messages, 1):
        answer = completion.take(message(text))
        if answer is not None:
            return answer, number
    return None, len(messages)


SUCCESS = "Response: Success\nActionID: 1\nMessage: whatever"
ERROR = "Response: Error\nActionID: 1\nMessage: No endpoints found"
START = "Response: Success\nActionID: 1\nEventList: start\nMessage: will follow"
ITEM = "Event: EndpointList\nActionID: 1\nObjectName: a"
COMPLETE = "Event: EndpointListComplete\nActionID: 1\nEventList: Complete\nListItems: 1"


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("Ping", [SUCCESS]),
        ("Logoff", ["Response: Goodbye\nActionID: 1"]),
        ("Nonesuch", [ERROR]),
        ("PJSIPShowEndpoints", [START, ITEM, COMPLETE]),
        ("PJSIPShowEndpoints", [START, COMPLETE]),
        ("PJSIPShowEndpoints", [ERROR]),
        ("VoicemailUsersList", [SUCCESS]),
        ("ShowDialPlan", [START, ITEM, ERROR]),
        ("PJSIPShowEndpoint", [START, ERROR]),
        ("QueueStatus", [START, *[ITEM] * 50, COMPLETE.replace("ListItems: 1", "ListItems: 7")]),
        (
            "Command",
            ["Response: Success\nActionID: 1\nMessage: Command output follows\nOutput: a\nOutput: b"],
        ),
        ("Command", ["Response: Follows\nPrivilege: Command\nActionID: 1\na\nb\n--END COMMAND--"]),
        ("FAXStats", [SUCCESS, "Event: FAXStats\nActionID: 1\nCompletedFAXes: 0"]),
        ("FAXStats", [ERROR]),
        ("FAXSession", [SUCCESS, "Event: FAXSession\nActionID: 1"]),
        ("WaitEvent", [SUCCESS, "Event: Newchannel\nActionID: 1", "Event: WaitEventComplete\nActionID: 1"]),
        ("PlayDTMF", ["Response: Success\nActionID: 1\nMessage: DTMF successfully queued"]),
        ("Atxfer", ["Response: Success\nActionID: 1\nMessage: Atxfer successfully queued"]),
        ("QueueAdd", ["Response: Success\nActionID: 1\nMessage: Added interface to queue"]),
        ("DBGet", ["Response: Success\nActionID: 1\nMessage: Result will follow", ITEM]),
    ],
)
def test_whole_with_the_last_message_and_not_before(name: str, messages: Sequence[str]) -> None:
    answer, taken = answer_to(AmiAction(name), *messages)
    expected = 1 if name == "DBGet" else len(messages)
    assert taken == expected
    assert answer is not None
    assert len(answer.events) == sum(text.startswith("Event") for text in messages[:expected])


def test_the_last_response_counts() -> None:
    answer, _ = answer_to(AmiAction("ShowDialPlan"), START, ITEM, ERROR)
    assert answer is not None
    assert not answer.success
    assert [event.get("ObjectName") for event in answer.events] == ["a"]


@pytest.mark.parametrize("flag", ["true", "1", "yes", "On", "T", "y"])
def test_an_asynchronous_originate_ends_with_its_event(flag: str) -> None:
    originate = AmiAction("Originate", (("Async", flag),))
    event = "Event: OriginateResponse\nActionID: 1\nResponse: Failure\nReason: 5"
    answer, taken = answer_to(originate, SUCCESS, event)
    assert taken == 2
    assert answer is not None
    assert answer.events[0].get("Reason") == "5"
    assert answer_to(originate, ERROR)[1] == 1


@pytest.mark.parametrize("headers", [(), (("Async", "no"),), (("Async", "false"),)])
def test_a_synchronous_originate_ends_with_its_response(headers: tuple[tuple[str, str], ...]) -> None:
    answer, _ = answer_to(AmiAction("Originate", headers), SUCCESS)
    assert answer is not None


@pytest.mark.parametrize(
    ("headers", "later"),
    [
        ((("ASYNC", " true"),), True),
        ((("Async", "true"), ("Async", "no")), True),
        ((("Async", "no"), ("Async", "true")), False),
        ((("Async", "true "),), False),
    ],
)
def test_async_is_read_as_asterisk_reads_it(headers: tuple[tuple[str, str], ...], *, later: bool) -> None:
    assert (later_event(AmiAction("originate", headers)) is not None) is later


def test_a_call_that_is_taken_frees_its_session_and_a_list_does_not() -> None:
    call, listing = Completion(AmiAction("Originate", (("Async", "1"),))), Completion(AmiAction("Status"))
    for completion in (call, listing):
        assert not completion.accepted
        assert not completion.listing
        assert completion.take(message(START)) is None
    assert (call.accepted, call.listing) == (True, False)
    assert (listing.accepted, listing.listing) == (False, True)


def test_only_its_own_event_ends_a_call() -> None:
    call = Completion(AmiAction("Originate", (("Async", "1"),)))
    call.take(message(SUCCESS))
    assert call.take(message("Event: UserEvent\nActionID: 1")) is None
    assert call.take(message("Event: OriginateResponse\nActionID: 1")) == Answer(
        message(SUCCESS), (message("Event: OriginateResponse\nActionID: 1"),)
    )


class TestAgi:
    ACTION = AmiAction("AGI", (("Channel", "PJSIP/1-0001"), ("Command", "ANSWER"), ("CommandID", "7")))
    EVENT = "Event: AsyncAGIExec\nChannel: PJSIP/1-0001\nUniqueid: 1.1\nCommandId: 7\nResult: 200"

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (("", ""), True),
            (("CommandId: 7", "CommandId: 8"), False),
            (("Channel: PJSIP/1-0001", "Channel: PJSIP/2-0001"), False),
            (("AsyncAGIExec", "AsyncAGIEnd"), False),
        ],
    )
    def test_is_known_by_command_and_channel(self, change: tuple[str, str], *, expected: bool) -> None:
        assert Completion(self.ACTION).expects(message(self.EVENT.replace(*change))) is expected

    def test_the_channel_may_be_named_by_its_id_and_in_any_case(self) -> None:
        for name in ("1.1", "pjsip/1-0001"):
            headers = (("Channel", name), *self.ACTION.headers[1:])
            assert Completion(AmiAction("agi", headers)).expects(message(self.EVENT))

    def test_ends_with_its_event(self) -> None:
        answer, taken = answer_to(self.ACTION, SUCCESS, self.EVENT)
        assert taken == 2
        assert answer is not None
        assert answer.events[0].get("Result") == "200"
        assert answer_to(self.ACTION, ERROR)[1] == 1

    @pytest.mark.parametrize("headers", [(), (("CommandID", ""),), (("commandid", " "),)])
    def test_gets_a_command_id_where_it_has_none(self, headers: tuple[tuple[str, str], ...]) -> None:
        own = traceable(AmiAction("AGI", (("Channel", "a"), *headers), "c-1"))
        assert own.headers == (("Channel", "a"), ("CommandID", "c-1"))

    def test_keeps_what_it_has(self) -> None:
        assert traceable(self.ACTION) is self.ACTION
        assert traceable(AmiAction("Ping")) == AmiAction("Ping")


def test_what_has_come_so_far() -> None:
    completion = Completion(AmiAction("Status"))
    came = [completion.so_far]
    for text in (START, ITEM):
        completion.take(message(text))
        came.append(completion.so_far)
    assert came == [None, Answer(message(START)), Answer(message(START), (message(ITEM),))]


def test_an_event_before_the_response_does_not_end_it() -> None:
    assert answer_to(AmiAction("QueueStatus"), COMPLETE)[0] is None


@pytest.mark.parametrize(
    ("status", "success"),
    [("Success", True), ("Follows", True), ("Goodbye", True), ("Error", False), ("Fail", False)],
)
def test_success(status: str, *, success: bool) -> None:
    answer, _ = answer_to(AmiAction("Ping"), f"Response: {status}")
    assert answer is not None
    assert answer.success is success


CAPTURES = Path(__file__).parents[1] / "captures"


@pytest.mark.parametrize(
    "capture", sorted(CAPTURES.glob("*/lists*.ami")), ids=lambda path: f"{path.parent.name} {path.stem}"
)
def test_every_answer_of_a_real_asterisk_is_whole_with_its_last_message(capture: Path) -> None:
    answers: dict[str, list[AmiMessage]] = {}
    for message in map(parse, Framer().feed(capture.read_bytes())):
        if message.kind is Kind.RESPONSE or message.get("Privilege") in {"", "Call"}:
            answers.setdefault(message.get("ActionID"), []).append(message)
    del answers[""]
    assert len(answers) > 40
    for messages in answers.values():
        name = messages[-1].headers[0][1].removesuffix("Complete")
        completion = Completion(AmiAction(name))
        whole = next(place for place, message in enumerate(messages, 1) if completion.take(message))
        # ModuleLoad without a module answers twice: the first counts.
        twice = messages[0].get("Message") == "Need module name"
        assert whole == len(messages) - twice, messages
