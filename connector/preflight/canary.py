"""Check of the account that sends canaries to a PBX."""

from typing import Final

from connector.ami.action import AmiAction
from connector.edges.pbx import AsteriskPbx
from connector.errors import LinkLost, LoginRefused
from connector.preflight import Finding, State
from connector.preflight.pbx import leave, listed

_ANSWER_S: Final = 5.0


async def check(target: AsteriskPbx) -> list[Finding]:
    """Log in with the account for actions, and see whether it may run UserEvent."""
    what = f"{target.name} canary"
    try:
        connection = await target.hearing("off").login(lambda *_: None, lambda *_: None)
    except (LinkLost, LoginRefused) as error:
        return [Finding(what, State.FAILED, line) for line in str(error).splitlines()]
    try:
        answer = await connection.ask(AmiAction("ListCommands"), _ANSWER_S)
    except LinkLost as error:
        return [Finding(what, State.FAILED, str(error))]
    finally:
        await leave(connection)
    if "userevent" in listed(answer.response).names:
        return [Finding(what, State.OK, "the account for actions may run UserEvent")]
    remedy = "add user to `write` of that account in manager.conf; see `ami-kafka manager-conf`"
    return [Finding(what, State.FAILED, "the account for actions may not run UserEvent", remedy)]
