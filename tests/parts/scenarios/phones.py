"""Calls by real SIP phones (sipp)."""

from tests.parts.scenarios.steps import Scenario

ALL: tuple[Scenario, ...] = ()
