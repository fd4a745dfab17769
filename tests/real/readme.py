"""The README's code, as it stands there but for addresses and the topics' prefix."""

import re
from collections.abc import Mapping
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(section: str, language: str, places: Mapping[str, str]) -> list[str]:
    """Give a section's blocks of code in a language, each of its `places` put in place of another."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [_moved(code, places) for code in found]


def _moved(code: str, places: Mapping[str, str]) -> str:
    for old, new in places.items():
        code = code.replace(old, new)
    return code
