"""Inputs made of others by small and large damage; the same seed makes the same inputs."""

import random
from collections.abc import Sequence
from typing import Final

_BLOCK: Final = 64
_LARGE: Final = 40_000


class Mutator:
    """Makes inputs.

    Args:
        corpus: what is damaged.
        words: what is put in, beside random bytes.
        seed: chooses the damage.
    """

    def __init__(self, corpus: Sequence[bytes], words: Sequence[bytes], seed: int) -> None:
        self._corpus = corpus
        self._words = words
        self.chance: Final = random.Random(seed)

    def make(self) -> bytes:
        """Return the next input."""
        data = bytearray(self.chance.choice(self._corpus))
        for _ in range(self.chance.choice((0, 1, 1, 2, 3, 8, 30))):
            self.chance.choice((self._flip, self._cut, self._word, self._noise, self._again, self._splice))(
                data
            )
        return bytes(data)

    def _place(self, data: bytearray) -> int:
        return self.chance.randint(0, len(data))

    def _span(self, data: bytearray) -> slice:
        begin = self._place(data)
        return slice(begin, begin + self.chance.randint(1, _BLOCK))

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)

    def _cut(self, data: bytearray) -> None:
        del data[self._span(data)]

    def _word(self, data: bytearray) -> None:
        place = self._place(data)
        if self.chance.random() < 0.5:
            place = data.find(b"\n", place) + 1
        data[place:place] = self.chance.choice(self._words)

    def _noise(self, data: bytearray) -> None:
        data[self._span(data)] = self.chance.randbytes(self.chance.randint(0, 9))

    def _again(self, data: bytearray) -> None:
        span = self._span(data)
        data[span] = bytes(data[span]) * self.chance.choice((2, 3, 500 if len(data) < _LARGE else 2))

    def _splice(self, data: bytearray) -> None:
        other = self.chance.choice(self._corpus)
        data[self._place(data) :] = other[self.chance.randint(0, len(other)) :]
