"""What the connector names the channels that it has Asterisk make."""

from typing import Final

OWN: Final = "ak-"
"""How the id begins that an Originate gives its channel, where its requester gave none."""
