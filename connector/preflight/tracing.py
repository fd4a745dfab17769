"""Checks of tracing: whether its packages are there, and where spans go."""

from importlib.util import find_spec

from connector.preflight import Finding, State
from connector.settings.tracing import Tracing


def check(tracing: Tracing) -> list[Finding]:
    """Say where spans go; whether they are taken there shows when they are sent."""
    if not tracing.enabled:
        return []
    if find_spec("opentelemetry") is None:
        seen = "opentelemetry is not installed"
        return [Finding("tracing", State.FAILED, seen, "pip install 'ami-kafka[otel]'", fatal=True)]
    where = tracing.endpoint or "where OTEL_EXPORTER_OTLP_ENDPOINT says, else to port 4318 here"
    return [Finding("tracing", State.UNPROVEN, f"spans go to {where}")]
