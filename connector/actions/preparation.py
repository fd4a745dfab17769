"""What a request's action is on the wire, but for its ActionID."""

from connector.actions import originate
from connector.actions.request import Request
from connector.ami.action import AmiAction
from connector.ami.catalogue import ActionCatalogue
from connector.errors import ActionError
from connector.percent import key_part


def prepare(request: Request, catalogue: ActionCatalogue, *, channel_id: bool = True) -> AmiAction:
    """Return a request's action with its variables, and an Originate as `originate.prepare` makes it.

    Args:
        request: its `pbx` is the one that will be asked.
        catalogue: tells which actions take variables; so do all that it does not know.
        channel_id: whether an Originate is given a ChannelId.

    Raises:
        ActionError: the action takes no variables, or the name of one would split its header.
    """
    action = AmiAction(request.action, request.headers)
    if request.action.lower() == "originate":
        own = _own(request.pbx, request.request_id)
        return originate.prepare(own, action, request.variables, request.timeout_ms, channel_id=channel_id)
    facts = catalogue.get(request.action)
    if request.variables and facts is not None and not facts.takes_variables:
        raise ActionError(f"{request.action} takes no channel variables")
    return action._replace(headers=(*action.headers, *originate.variable_headers(request.variables)))


def own_channel(pbx: str, request_id: str) -> str:
    """Return the ChannelId that an Originate is given, where its requester gives none."""
    return originate.channel_id_of(_own(pbx, request_id))


def _own(pbx: str, request_id: str) -> str:
    """Return what no other request has."""
    return f"{key_part(pbx)}|{key_part(request_id)}"
