"""Laws of the policy: no spelling, order or repetition of headers lets through what was refused."""

from hypothesis import given
from hypothesis import strategies as some

from connector.actions.policy.policy import Policy
from connector.actions.policy.profiles import READS
from connector.ami.action import AmiAction
from tests.actions.test_policy import CONTROL, DIALLED, KNOWN, LED_ASTRAY, action

READ_ONLY, CONTROLLED = Policy(KNOWN), Policy(KNOWN, "call-control", DIALLED)
TEXT = some.text(some.sampled_from("aZ_,;=:${}[]\"'\\ ") | some.characters(codec="utf-8"), max_size=12)
FUNCTION = some.text(some.sampled_from("ABCZ_az09"), min_size=1, max_size=8)
NAMES = sorted({each.name for facts in KNOWN for each in facts.parameters})


@given(
    name=some.sampled_from(READS),
    header=some.sampled_from(NAMES) | TEXT,
    function=FUNCTION,
    around=some.tuples(TEXT, TEXT, TEXT),
    braces=some.booleans(),
)
def test_no_argument_with_a_function_in_it_passes_read_only(
    name: str, header: str, function: str, around: tuple[str, str, str], braces: bool
) -> None:
    before, within, behind = around
    call = f"{function}({within})"
    value = f"{before}{'${' + call + '}' if braces else call}{behind}"
    assert not READ_ONLY.judge("main", "t", AmiAction(name, ((header, value),))).allowed


@given(data=some.data(), line=some.sampled_from([line for line, _ in LED_ASTRAY]))
def test_what_is_refused_stays_refused_in_any_case_and_with_any_header_repeated(
    data: some.DataObject, line: str
) -> None:
    name, headers, _ = action(line)
    spelt = [
        (data.draw(some.sampled_from([each, each.upper(), each.lower()])), value) for each, value in headers
    ]
    blanks = data.draw(some.text("\t ", max_size=3))
    again = data.draw(some.lists(some.sampled_from(spelt), max_size=3))
    request = AmiAction(name.swapcase(), tuple((each, blanks + value) for each, value in (*spelt, *again)))
    assert not CONTROLLED.judge("main", "t", request).allowed


@given(
    data=some.data(),
    line=some.sampled_from(CONTROL),
    evil=some.sampled_from(["${SHELL(id)}", "$[1]", "${${X}}", "${EVIL}"]),
)
def test_what_passes_passes_no_more_with_an_expression_put_into_it(
    data: some.DataObject, line: str, evil: str
) -> None:
    request = action(line)
    assert CONTROLLED.judge("main", "t", request).allowed
    headers = list(request.headers)
    place = data.draw(some.integers(0, len(headers)))
    headers.insert(place, (data.draw(some.sampled_from(NAMES)), f"{data.draw(TEXT)}{evil}"))
    assert not CONTROLLED.judge("main", "t", AmiAction(request.name, tuple(headers))).allowed


@given(
    name=TEXT,
    headers=some.lists(some.tuples(TEXT, TEXT), max_size=4),
    variables=some.lists(some.tuples(TEXT, TEXT)),
)
def test_any_request_gets_a_verdict(
    name: str, headers: list[tuple[str, str]], variables: list[tuple[str, str]]
) -> None:
    for policy in (READ_ONLY, CONTROLLED):
        verdict = policy.judge("main", "t", AmiAction(name, tuple(headers)), variables)
        # A text may be the name of an action that reads.
        assert verdict.allowed == (not verdict.why)
