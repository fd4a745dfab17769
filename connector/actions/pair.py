"""Request topics with what belongs to them: where answers go, where claims are kept, and in which form."""

from typing import Literal, NamedTuple

Form = Literal["avro", "json"]


class Pair(NamedTuple):
    """A request topic, the topic of its answers, and that of its claims; all records have one form.

    `responses` is where an answer goes that no requester sends elsewhere.
    """

    requests: str
    responses: str
    claims: str
    form: Form = "avro"
