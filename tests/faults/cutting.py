"""Says behind which byte a link is cut: pure, so that every cut can be tried without a socket."""


class Cutting:
    """The cuts that are to come; it is shown what passes, in order, and says how much of it still may."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._mark = b""
        self._tail = b""

    @property
    def due(self) -> bool:
        """Whether a cut is still to come."""
        return bool(self._sizes or self._mark)

    def after(self, *sizes: int) -> None:
        """Cut behind so many bytes, one at least; then again, behind as many more as the next says."""
        self._sizes = [*sizes]

    def behind(self, mark: bytes) -> None:
        """Cut behind the next occurrence of these bytes, however they are read."""
        self._mark, self._tail = mark, b""

    def take(self, chunk: bytes) -> tuple[bytes, bool]:
        """Return what of a chunk still passes, and whether the cut is behind it."""
        at = min(self._by_size(chunk), self._by_mark(chunk))
        if at > len(chunk):
            if self._sizes:
                self._sizes[0] -= len(chunk)
            self._tail = (self._tail + chunk)[-len(self._mark) :] if self._mark else b""
            return chunk, False
        if self._sizes and self._sizes[0] <= at:
            del self._sizes[0]
        else:
            self._mark = b""
        return chunk[:at], True

    def _by_size(self, chunk: bytes) -> int:
        return self._sizes[0] if self._sizes else len(chunk) + 1

    def _by_mark(self, chunk: bytes) -> int:
        """Return where the mark ends in a chunk; its beginning may lie in the one before."""
        known = self._tail[-(len(self._mark) - 1) :] if len(self._mark) > 1 else b""
        at = (known + chunk).find(self._mark) if self._mark else -1
        return at + len(self._mark) - len(known) if at >= 0 else len(chunk) + 1
