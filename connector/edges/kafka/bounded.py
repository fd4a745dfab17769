"""Calls of librdkafka that may never return, each given its time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

_Call = tuple["Future[None]", Callable[..., None], tuple[Any, ...]]


class Bounded:
    """Makes calls in a thread of its own, one at a time; a call that takes too long is left to itself.

    Args:
        limit_s: how long a call may take, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s: Final = limit_s
        self._calls: SimpleQueue[_Call | None] | None = None

    def call(self, function: Callable[..., None], *args: Any) -> None:
        """Make a call.

        Raises:
            KafkaException: the call's own, or `_TIMED_OUT`: it has not returned, and may go on.
        """
        calls = self._calls = self._calls or self._start()
        done: Future[None] = Future()
        calls.put((done, function, args))
        try:
            done.result(self._limit_s)
        except TimeoutError:
            self.close()
            text = f"no end of {function.__name__} within {self._limit_s:g} s"
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, text)) from None  # noqa: SLF001 (its public name)

    def close(self) -> None:
        """End the thread, once its call has returned."""
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None

    def _start(self) -> "SimpleQueue[_Call | None]":
        calls: SimpleQueue[_Call | None] = SimpleQueue()
        # A daemon: a call that never returns must not keep the process.
        threading.Thread(target=_serve, args=(calls,), name="bounded", daemon=True).start()
        return calls


def _serve(calls: "SimpleQueue[_Call | None]") -> None:
    while (call := calls.get()) is not None:
        done, function, args = call
        try:
            function(*args)
        except BaseException as error:  # noqa: BLE001 (whoever waits must hear of it)
            done.set_exception(error)
        else:
            done.set_result(None)
