"""`${env:NAME}` and `${file:/path}` in any text: what stands outside the file."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.errors import SettingsError
from connector.settings.fields import join
from connector.settings.kinds import Outside

ReadFile = Callable[[str], str]

_REFERENCE: Final = re.compile(r"\$\{([a-z]+):([^}]*)\}")


class References:
    """Puts in what is referred to, and keeps what is wrong with it in `problems`, each in a line with its key.

    What is put in is not looked at again: a secret may hold `${`.

    Args:
        environ: the process's environment.
        read_file: returns the text of a file; OSError where it cannot.
    """

    def __init__(self, environ: Mapping[str, str], read_file: ReadFile) -> None:
        self._environ = environ
        self._read_file = read_file
        self.problems: list[str] = []

    def resolve(self, value: Any, where: str) -> Any:
        """Return a document with what its texts refer to.

        Raises:
            SettingsError: a whole number has more than 64 bits.
        """
        if isinstance(value, dict):
            return {key: self.resolve(each, join(where, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve(each, f"{where}[{place}]") for place, each in enumerate(value)]
        if isinstance(value, str) and _REFERENCE.search(value):
            return self.in_text(value, where)
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise SettingsError(f"{where}: a whole number has 64 bits")
        return value

    def in_text(self, text: str, where: str) -> Outside:
        """Return a text with what it refers to."""
        return Outside(_REFERENCE.sub(lambda found: self._one(found[1], found[2], where), text))

    def _one(self, form: str, name: str, where: str) -> str:
        if form == "env":
            if name in self._environ:
                return self._environ[name]
            self.problems.append(f"{where}: the environment has no {name!r}")
        elif form == "file":
            return self._content(name, where)
        else:
            self.problems.append(
                f"{where}: ${{{form}:...}} is unknown; ${{env:NAME}} and ${{file:/path}} are"
            )
        return ""

    def _content(self, path: str, where: str) -> str:
        try:
            content = self._read_file(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            self.problems.append(f"{where}: cannot read {path!r}: {reason}")
            return ""
        return content.removesuffix("\n").removesuffix("\r")
