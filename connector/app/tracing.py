"""Traces beside the roads, where the settings ask for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connector.edges.telemetry import Telemetry
from connector.errors import SettingsError
from connector.settings.sections import Settings


@asynccontextmanager
async def tracing(settings: Settings, telemetry: Telemetry) -> AsyncIterator[None]:
    """Export spans of what telemetry is told from here on, if the settings say so.

    Raises:
        SettingsError: the packages for it are not installed.
    """
    if not settings.tracing.enabled:
        yield
        return
    try:
        from connector.edges.telemetry.tracing import exporting  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"tracing.enabled: {error.name} is not installed: pip install 'ami-kafka[otel]'"
        ) from None
    async with exporting(settings.tracing, settings.connector.name, telemetry) as spans:
        telemetry.hear(spans)
        yield
