"""A PBX's own documentation of its events, core-en_US.xml: names of headers, and no more of it.

Its types and value sets are wrong in places, and its sentences are under another licence than ours.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from xml.etree import ElementTree as ET

from connector.avro.catalogue import BlockUse
from connector.avro.heard import Heard, merge
from connector.errors import SchemaError

_INCLUDED = re.compile(r"managerEvent\[@name='([^']+)'\]")
_INCLUDED_PARAMETER = re.compile(r"parameter\[@name='([^']+)'\]")
_DEEPEST = 2


def documented(text: str) -> Iterator[Heard]:
    """Give each documented event with its headers in the order of the document; a SchemaError says it cannot be read."""
    if "<!ENTITY" in text:
        raise SchemaError("the PBX's documentation declares entities, which Asterisk's does not: not read")
    try:
        root = ET.fromstring(text)  # noqa: S314  # without entities there is nothing in it that could blow up
    except ET.ParseError as error:
        raise SchemaError(f"the PBX's documentation is no XML: {error}") from error
    events: dict[str, ET.Element] = {}
    for event in root.iter("managerEvent"):
        events.setdefault(event.get("name", ""), event)
    return (_documented(name, event, events) for name, event in events.items())


def _documented(name: str, event: ET.Element, events: Mapping[str, ET.Element]) -> Heard:
    seen = Heard(name)
    for instance in event.iter("managerEventInstance"):
        flags = re.split(r"[|,\s]+", instance.get("class", ""))
        seen.classes |= {flag.removeprefix("EVENT_FLAG_").lower() for flag in flags if flag}
        syntaxes = instance.iter("syntax")
        merge(seen.order, chain.from_iterable(_syntax(syntax, events, depth=0) for syntax in syntaxes))
    return seen


def _syntax(syntax: ET.Element, events: Mapping[str, ET.Element], depth: int) -> Iterator[str | BlockUse]:
    for item in syntax:
        tag = item.tag.rpartition("}")[2]
        if tag == "parameter" and item.get("name"):
            yield item.get("name", "")
        elif tag in ("channel_snapshot", "bridge_snapshot"):
            prefix = item.get("prefix", "")
            kind = tag.removesuffix("_snapshot")
            yield BlockUse(kind, prefix, f"the {kind} {prefix}" if prefix else None)
        elif tag == "include" and depth < _DEEPEST:
            yield from _included(item.get("xpointer", ""), events, depth + 1)


def _included(pointer: str, events: Mapping[str, ET.Element], depth: int) -> Iterator[str | BlockUse]:
    event = _INCLUDED.search(pointer)
    if event is None or event[1] not in events:
        return
    wanted = _INCLUDED_PARAMETER.search(pointer)
    for syntax in events[event[1]].iter("syntax"):
        for part in _syntax(syntax, events, depth):
            if wanted is None or part == wanted[1]:
                yield part
