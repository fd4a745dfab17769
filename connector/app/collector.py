"""Python's garbage collector, set for a process that holds many small values and makes no cycles."""

import gc
from typing import Final

_YOUNG: Final = 50_000
_MIDDLE: Final = 20
_OLD: Final = 100


def settle() -> None:
    """Leave what the start made alone, and look at the rest seldom.

    A backlog is tens of thousands of tuples, and the collector's usual rhythm would walk all of them
    again and again: measured at a fifth of the road's time. Call it when everything is set up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
