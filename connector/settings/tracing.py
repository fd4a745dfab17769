"""`[tracing]`: spans for OpenTelemetry."""

from dataclasses import dataclass
from typing import Annotated

from connector.settings.kinds import Bounds, Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """Requests and batches of events as spans, exported by OTLP over HTTP where `enabled`.

    `endpoint` is a collector's, to which `/v1/traces` is added; without one the exporter's own environment
    says it (`OTEL_EXPORTER_OTLP_ENDPOINT`, else this machine's port 4318). Of traces that begin here
    `sample_ratio` are exported; of others whoever began them decides.
    """

    enabled: bool = False
    endpoint: Url | None = None
    sample_ratio: Annotated[float, Bounds(0, 1)] = 1.0
