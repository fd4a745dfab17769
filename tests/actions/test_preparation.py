"""What a request's action is on the wire."""

import pytest

from connector.actions.preparation import prepare
from connector.ami.action import AmiAction
from connector.errors import ActionError
from tests.actions.records import CATALOGUE, asked


def test_an_originate_is_made_ready_with_a_channel_of_its_own_at_each_pbx() -> None:
    ids = [
        prepare(asked(pbx=pbx, request_id=request_id, action="originate"), CATALOGUE).get("ChannelId")
        for pbx, request_id in (("a", "r1"), ("b", "r1"), ("a", "r2"), ("a|r", "1"), ("a", "r|1"))
    ]
    assert len(set(ids)) == 5
    one = asked(pbx="a", action="Originate", variables=(("V", "1,2"),), timeout_ms=10_000)
    action = prepare(one, CATALOGUE, channel_id=False)
    assert action.headers == (("Timeout", "9000"), ("Async", "true"), ("Variable", "V=1\\,2"))


@pytest.mark.parametrize("name", ["MessageSend", "Nonesuch"])
def test_variables_go_to_what_takes_them_or_may(name: str) -> None:
    one = asked(action=name, headers=(("To", "pjsip:1"),), variables=(("A", '"'),))
    assert prepare(one, CATALOGUE) == AmiAction(name, (("To", "pjsip:1"), ("Variable", 'A=\\"')))


def test_what_takes_no_variables_gets_none() -> None:
    one = asked(action="QueueAdd", variables=(("A", "1"),))
    with pytest.raises(ActionError, match="QueueAdd takes no channel variables"):
        prepare(one, CATALOGUE)
    assert prepare(asked(action="QueueAdd", headers=(("Queue", "q"),)), CATALOGUE).headers == (
        ("Queue", "q"),
    )
