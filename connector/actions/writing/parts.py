"""An answer in as many records as it needs.

Parts repeat what is said once and share out what are lists: response, events, output. Lists of all
parts, one after another, are the whole.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from connector.actions.writing.encoding import compact

LISTS: Final = ("response", "events", "output")
_MARGIN: Final = 64
"""Bytes for numbers of parts and lengths of lists, which are not known before."""

Record = Mapping[str, Any]


def split(record: Record, encode: Callable[[Record], bytes], limit: int) -> list[Record] | None:
    """Return a response as parts of `limit` bytes at most; None where one item alone is larger.

    An item is measured as JSON, which is never shorter than its Avro.
    """
    bare = {**record, **{name: [] for name in LISTS}}
    room = limit - len(encode(bare)) - _MARGIN
    parts: list[dict[str, list[Any]]] = []
    left = -1
    for name, item in _items(record):
        size = len(compact(item)) + 1
        if size > room:
            return None
        if size > left:
            parts.append({each: [] for each in LISTS})
            left = room
        parts[-1][name].append(item)
        left -= size
    return [
        {**record, **part, "part": number, "parts": len(parts)} for number, part in enumerate(parts, start=1)
    ]


def _items(record: Record) -> Iterator[tuple[str, Any]]:
    return ((name, item) for name in LISTS for item in record[name])
