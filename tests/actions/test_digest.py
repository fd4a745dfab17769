"""The digest of what is asked."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.actions.reading.reader import RequestReader, RequestRules
from connector.actions.request import Request
from tests.actions.records import (
    JSON,
    PING,
    SCHEMAS,
    as_json,
    bodies,
    request_of,
)


@given(bodies(), st.data())
def test_the_digest_knows_what_is_asked_and_not_how_it_is_written(
    value: dict[str, Any], data: st.DataObject
) -> None:
    digest = request_of(as_json(value)).digest
    by_name: dict[str, list[str]] = {}
    for pair in (
        data.draw(st.permutations(value["headers"])) if _all_differ(value["headers"]) else value["headers"]
    ):
        by_name.setdefault(pair["name"], []).append(pair["value"])
    reordered = dict(data.draw(st.permutations(list({**value, "headers": by_name}.items()))))
    assert request_of(as_json(reordered)).digest == digest
    others = {**value, "request_id": "another", "reply_to": "crm.b", "expires_at": 5}
    assert request_of(as_json(others)).digest == digest
    assert request_of(as_json(value, [("ce_expirytime", b"2030-01-01T00:00:00Z")])).digest == digest


@given(bodies(), st.sampled_from(["action", "pbx", "headers", "variables", "timeout_ms", "accept_parts"]))
def test_the_digest_tells_other_content(value: dict[str, Any], name: str) -> None:
    old = value[name]
    changed = {
        "action": f"{old}x",
        "pbx": f"{old or ''}x",
        "headers": [*(old or []), {"name": "n", "value": ""}] if isinstance(old, list) else old,
        "variables": [*(old or []), {"name": "n", "value": ""}] if isinstance(old, list) else old,
        "timeout_ms": (old or 0) + 1 if not isinstance(old, list) and name == "timeout_ms" else old,
        "accept_parts": not old,
    }[name]
    assert request_of(as_json({**value, name: changed})).digest != request_of(as_json(value)).digest


def test_the_order_of_equal_names_is_content() -> None:
    one = {**PING, "headers": {"Variable": ["a=1", "a=2"]}}
    other = {**PING, "headers": {"Variable": ["a=2", "a=1"]}}
    assert request_of(as_json(one)).digest != request_of(as_json(other)).digest


def test_the_digest_does_not_depend_on_the_settings() -> None:
    strict = RequestRules(pairs=(JSON,), ttl_ms=1, timeout_ms=1, max_timeout_ms=1)
    other = RequestReader(strict, SCHEMAS.request).read(as_json({**PING, "timeout_ms": 7}), {})
    assert isinstance(other, Request)
    assert other.digest == request_of(as_json({**PING, "timeout_ms": 7})).digest


def _all_differ(pairs: list[dict[str, str]]) -> bool:
    return len({pair["name"] for pair in pairs}) == len(pairs)
