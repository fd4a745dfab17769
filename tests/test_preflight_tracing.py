"""`check` of tracing: nothing where it is off, where spans go, and what is missing for it."""

import pytest

from connector.preflight import Finding, State
from connector.preflight.tracing import check
from connector.settings.tracing import Tracing


def test_where_it_is_off_nothing_is_said() -> None:
    assert check(Tracing()) == []


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [("http://collector:4318", "http://collector:4318"), (None, "OTEL_EXPORTER_OTLP_ENDPOINT")],
)
def test_where_spans_go_is_told_and_not_called_proven(endpoint: str | None, told: str) -> None:
    (finding,) = check(Tracing(enabled=True, endpoint=endpoint))
    assert (finding.state, finding.fatal) == (State.UNPROVEN, False)
    assert told in finding.seen


def test_without_its_packages_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.preflight.tracing.find_spec", lambda _: None)
    assert check(Tracing(enabled=True)) == [
        Finding(
            "tracing",
            State.FAILED,
            "opentelemetry is not installed",
            "pip install 'ami-kafka[otel]'",
            fatal=True,
        )
    ]
