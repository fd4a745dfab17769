"""Facts to log lines and counts."""

from connector.edges.telemetry.log import LOGGER, open_log
from connector.edges.telemetry.report import Telemetry
from connector.edges.telemetry.tally import Tally

__all__ = ["LOGGER", "Tally", "Telemetry", "open_log"]
