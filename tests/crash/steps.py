"""The steps of a request at which a connector may be hit, in the order in which it takes them."""

TRANSACTION = ("due", "produced", "flushed", "offsets", "committed")
"""Not begun yet; records handed over; acknowledged; offsets added; committed, and nobody knows yet."""

CLAIM = tuple(f"claim.{step}" for step in TRANSACTION)
SEND = ("send.due", "send.looked", "send.sent", "send.answered")
"""Not looked yet whether it may be sent; looked, not written; written; answered."""

RESPONSE = tuple(f"response.{step}" for step in TRANSACTION)
ALL = (*CLAIM, *SEND, *RESPONSE)
