"""Frames for a file as the rules of privacy have them: whole, or not at all."""

from connector.ami.framing import Oversize
from connector.ami.message import Kind, kind_of
from connector.avro.normalise import Normaliser
from connector.events.integrity import Integrity
from connector.privacy.privacy import Privacy

_RAW_OUTPUT = b"Response: Follows\r\n"


class Sanitiser:
    """What may be told of the frames of one session, in order.

    Args:
        privacy: the rules.
        normaliser: reads frames.
    """

    def __init__(self, privacy: Privacy, normaliser: Normaliser) -> None:
        self._privacy = privacy
        self._normaliser = normaliser
        self._integrity = Integrity()

    def told(self, frame: bytes) -> bytes | None:
        """Return a frame as it may be told; None where rules cannot read it: it is torn, forged or too large."""
        if isinstance(frame, Oversize):
            return None
        match kind_of(frame):
            case Kind.GREETING:
                return frame
            case Kind.RESPONSE:
                return self._answer(frame)
            case Kind.ORPHAN:
                self._integrity.fragment(frame)
                return self._fragment(frame)
            case Kind.EVENT:
                return self._event(frame)

    def _answer(self, frame: bytes) -> bytes | None:
        answers = self._privacy.answers
        if answers is None:
            return frame
        # What a command says stands in it without a header (Asterisk 13 and older).
        return None if frame.startswith(_RAW_OUTPUT) else answers.text(frame)

    def _event(self, frame: bytes) -> bytes | None:
        reading = self._normaliser.read(frame)
        if self._integrity.judge(reading) is not None:
            return self._fragment(frame)
        mask = self._privacy.of(reading.shape.schema)
        return frame if mask is None else mask.frame(reading)

    def _fragment(self, frame: bytes) -> bytes | None:
        return None if self._privacy.withholds else self._privacy.fragment(frame)
