"""What a fact is, and who takes one."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts."""


Report = Callable[[Fact], None]
