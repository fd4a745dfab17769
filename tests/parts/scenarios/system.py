"""What the PBX says about itself."""

from contextlib import suppress

from tests.parts.ami import Manager, Refused
from tests.parts.asterisk import Asterisk
from tests.parts.scenarios.steps import Scenario


def modules(_: Asterisk, ami: Manager) -> None:
    """A module goes and comes; another reads its configuration again."""
    ami.action("ModuleLoad", Module="app_morsecode.so", LoadType="unload")
    ami.expect("Unload", Module="app_morsecode.so")
    ami.action("ModuleLoad", Module="app_morsecode.so", LoadType="load")
    ami.expect("Load", Module="app_morsecode.so")
    ami.action("Reload", Module="app_queue.so")
    ami.expect("Reload", Module="app_queue.so")


def wrong_password(pbx: Asterisk, ami: Manager) -> None:
    """Somebody tries a password, and a name that nobody has."""
    for username, event in (("full", "InvalidPassword"), ("nobody", "InvalidAccountID")):
        secret, pbx.secret = pbx.secret, "wrong"
        try:
            pbx.manager(username).close()
        except Refused:
            ami.expect(event, AccountID=username)
        finally:
            pbx.secret = secret


def not_allowed(pbx: Asterisk, ami: Manager) -> None:
    """An account asks for more than it may, another comes from a forbidden address."""
    with pbx.manager("events") as least:
        least.ask("Originate", Channel="Local/answer@parties", Application="Wait", Data="1")
    ami.expect("RequestNotAllowed", AccountID="events")
    with suppress(Refused):
        pbx.manager("elsewhere").close()
    ami.expect("FailedACL", AccountID="elsewhere")


ALL: tuple[Scenario, ...] = (modules, wrong_password, not_allowed)
