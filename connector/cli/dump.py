"""Bytes from outside, shown to a person: as text where they are text, else as hex; never obeyed by a terminal."""

from typing import Final

_WIDTH: Final = 16


def shown(value: bytes) -> list[str]:
    """Return lines; what is no printable character of a text is written as its escape."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return [_hex(value[start : start + _WIDTH], start) for start in range(0, len(value), _WIDTH)]
    return [_escaped(line) for line in text.replace("\r\n", "\n").split("\n")]


def _escaped(line: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def _hex(row: bytes, start: int) -> str:
    words = " ".join(f"{byte:02x}" for byte in row)
    text = "".join(char if char.isascii() and char.isprintable() else "." for char in row.decode("latin-1"))
    return f"{start:08x}  {words:<{_WIDTH * 3 - 1}}  |{text}|"
