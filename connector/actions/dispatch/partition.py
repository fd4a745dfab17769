"""What the dispatcher holds of one partition of a request topic while it is ours."""

from dataclasses import dataclass

from connector.actions.dispatch.claims import Claims
from connector.actions.dispatch.offsets import Offsets
from connector.actions.dispatch.turns import Turns


@dataclass(slots=True, eq=False)
class Partition:
    """One partition: what is remembered, how far it is, and who is in it.

    `leaving` where nothing new is begun any more; `paused` where nothing more is taken for now; `moved`
    where requests were met that had been final before, so that the offset may go on.
    """

    claims: Claims
    offsets: Offsets
    turns: Turns
    leaving: bool = False
    paused: bool = False
    moved: bool = False
