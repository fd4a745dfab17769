"""The dialogue of a login, from the greeting to readiness, as it is read from top to bottom."""

import hashlib
from collections.abc import Generator
from typing import Final, NamedTuple

from connector.ami.action import AmiAction
from connector.ami.completion import Answer
from connector.ami.steps import Account, Welcome
from connector.errors import LinkLost, LoginRefused

_FOR_NOW: Final = {
    "already in use": "the PBX still holds an earlier session; see allowmultiplelogin in manager.conf",
    "shutting down": "the PBX is about to stop",
}
"""Refusals that pass by themselves, by words of their text: nothing else tells them from a wrong secret."""


class Ask(NamedTuple):
    """What to send next; `optional` where the login can do without an answer."""

    action: AmiAction
    optional: bool = False


Dialogue = Generator[Ask, Answer | None, Answer | None]
"""Yields what to ask, is sent the answer (None: not in time), and returns what CoreSettings said."""


def log_in(account: Account) -> Dialogue:
    """Log in, restrict the session's events, and ask who the PBX is.

    Raises:
        LoginRefused: the PBX said no to the login or to a filter.
        LinkLost: it did not answer in time, or refuses for now only.
        ActionError: the account's name, secret, mask or filter must not go on the wire.
    """
    who = ("Username", account.username), ("Events", account.events)
    if account.md5:
        challenge = yield from _demand(AmiAction("Challenge", (("AuthType", "MD5"),)))
        text = challenge.response.get("Challenge") + account.secret
        key = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        yield from _demand(AmiAction("Login", (("AuthType", "MD5"), ("Key", key), *who)))
    else:
        yield from _demand(AmiAction("Login", (("Secret", account.secret), *who)))
    for criteria in account.filters:
        yield from _demand(AmiAction("Filter", (("Operation", "Add"), ("Filter", criteria))))
    return (yield Ask(AmiAction("CoreSettings"), optional=True))


def welcome(greeting: str, settings: Answer | None) -> Welcome:
    """Read the greeting line and the answer to CoreSettings, which the account may not be allowed to ask."""
    ami_version = greeting.partition("/")[2].strip()
    if settings is None or not settings.success:
        return Welcome(ami_version)
    told = settings.response
    return Welcome(ami_version, told.get("AsteriskVersion") or None, told.get("SystemName") or None)


def _demand(action: AmiAction) -> Generator[Ask, Answer | None, Answer]:
    answer = yield Ask(action)
    if answer is None:
        raise LinkLost(f"no answer to {action.name} in time")
    if not answer.success:
        said = answer.response.get("Message")
        for words, hint in _FOR_NOW.items():
            if words in said.lower():
                raise LinkLost(f"login refused for now ({said}): {hint}")
        raise LoginRefused(_refusal(action.name, said))
    return answer


def _refusal(action: str, said: str) -> str:
    if action == "Filter":
        return f"Filter refused ({said}): it needs write=system; or set eventfilter in manager.conf instead"
    return f"login refused ({said}): see the account's secret, permit and deny in manager.conf"
