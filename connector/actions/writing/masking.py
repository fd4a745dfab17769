"""Secrets in answers: what the catalogue marks, and what stands in configuration files.

A configuration file's line is judged by its name, since nothing in it says what it means. Rather a
harmless value is masked than a password told.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from connector.actions.response import Lines, Outcome
from connector.ami.catalogue import ActionCatalogue, ActionFacts, AnswerKind

MASK: Final = "***"

_SECRET_NAME: Final = re.compile(
    r"secret|passw|pass$|pwd|pin$|^pin|digest|md5|cred|token|api_?key|private_?key", re.IGNORECASE
)
_URI_NAMES: Final = frozenset({"auth", "register"})
"""`register => user:secret@host` and the like."""
_PIN_AFTER_COMMA: Final = frozenset({"agent", "conf"})
"""`conf => 600,pin,pin`, `agent => 1001,pin,name`."""
_URI_SECRET: Final = re.compile(r":[^@]*@")
# A mailbox of voicemail.conf: `100 => 4242,John Doe,...`; its name may be letters.
_MAILBOX: Final = re.compile(r"[\d*#]+")
_PIN: Final = re.compile(r"-?\d+(?=,|$)")
_ALPHABETIC_MAILBOX: Final = re.compile(r"\d{3,},[^,]*,")
_JSON_PAIR: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:\s*)"((?:[^"\\]|\\.)*)"')


class Masking:
    """Masks the secrets of answers.

    Args:
        catalogue: which headers of which action's answer are secrets.
        reveal: actions, in any case, whose secrets are told all the same; `*` is all of them.
    """

    def __init__(self, catalogue: ActionCatalogue, reveal: Collection[str] = ()) -> None:
        self._catalogue = catalogue
        self._reveal = frozenset(name.lower() for name in reveal)

    def mask(self, action: str, outcome: Outcome) -> Outcome:
        """Return an action's outcome with `***` for each secret; masking twice changes nothing."""
        facts = self._catalogue.get(action)
        if facts is None or "*" in self._reveal or action.lower() in self._reveal:
            return outcome
        rule = _rule(facts)
        if rule is None:
            return outcome
        return replace(
            outcome,
            response=_masked(outcome.response, rule),
            events=tuple(_masked(event, rule) for event in outcome.events),
        )


Rule = Callable[[str, str], str]
"""Name and value of a header to the value that may be told."""


def _rule(facts: ActionFacts) -> Rule | None:
    if facts.answer is AnswerKind.CONFIG:
        return _config_line
    if facts.answer is AnswerKind.CONFIG_JSON:
        return _config_json
    secrets = {name.lower() for name in facts.secrets}
    return (lambda name, value: MASK if value and name.lower() in secrets else value) if secrets else None


def _masked(lines: Lines, rule: Rule) -> Lines:
    return tuple((name, rule(name, value)) for name, value in lines)


def _config_line(name: str, value: str) -> str:
    """Mask `Line-000000-000003: secret=...`."""
    if not name.lower().startswith("line-"):
        return value
    setting, equals, text = value.partition("=")
    return f"{setting}{equals}{_setting(setting.strip(), text)}"


def _config_json(name: str, value: str) -> str:
    """Mask `JSON: {"category": {"secret": "..."}}`, which Asterisk does not always write as valid JSON."""
    if name.lower() != "json":
        return value
    return _JSON_PAIR.sub(lambda pair: f'"{pair[1]}"{pair[2]}"{_setting(pair[1], pair[3])}"', value)


def _setting(name: str, text: str) -> str:
    if _SECRET_NAME.search(name):
        return MASK if text else text
    if name.lower() in _URI_NAMES:
        return _URI_SECRET.sub(f":{MASK}@", text)
    if name.lower() in _PIN_AFTER_COMMA:
        first, comma, rest = text.partition(",")
        return f"{first},{MASK}" if comma and rest else text
    is_mailbox = _MAILBOX.fullmatch(name) or (name.lower() != "exten" and _ALPHABETIC_MAILBOX.match(text))
    return _PIN.sub(MASK, text, count=1) if is_mailbox and _PIN.match(text) else text
