"""librdkafka's mock cluster as a Kafka broker inside this process: no Java, no files, gone at the end.

It lives in the library that confluent_kafka brings, and is reached by ctypes. It keeps about 5 MB a
partition, knows no transactions' isolation, no TLS and no CreateTopics request: topics are created
here, or by the first request that names one.
"""

import ctypes
import os
import re
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import confluent_kafka

from connector.errors import BrokerError

_PRODUCER: Final = 0
_PRODUCE: Final = 0
_TEXT_SIZE: Final = 512
_CRITICAL: Final = b"2"
_NUDGE_S: Final = 0.02


def _library() -> ctypes.CDLL:
    """Open the very librdkafka that confluent_kafka uses; a second copy would not know its handles."""
    home = Path(confluent_kafka.__file__).parent
    maps = Path("/proc/self/maps")
    loaded = re.findall(r"\S*librdkafka\S*", maps.read_text()) if maps.exists() else []
    beside = [
        str(path)
        for pattern in ("../confluent_kafka.libs/*rdkafka*", ".dylibs/*rdkafka*", "../*.libs/*rdkafka*")
        for path in sorted(home.glob(pattern))
    ]
    for path in dict.fromkeys([*loaded, *beside]):
        if sys.platform == "win32":
            os.add_dll_directory(str(Path(path).parent))
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        if hasattr(library, "rd_kafka_mock_cluster_new"):
            return _declare(library)
    raise BrokerError(f"no librdkafka with a mock cluster beside {home}: reinstall confluent-kafka")


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    forms = {
        "conf_new": (pointer, []),
        "conf_set": (integer, [pointer, text, text, text, ctypes.c_size_t]),
        "new": (pointer, [integer, pointer, text, ctypes.c_size_t]),
        "destroy": (None, [pointer]),
        "mock_cluster_new": (pointer, [pointer, integer]),
        "mock_cluster_destroy": (None, [pointer]),
        "mock_cluster_bootstraps": (text, [pointer]),
        "mock_topic_create": (integer, [pointer, text, integer, integer]),
        "mock_broker_set_down": (integer, [pointer, ctypes.c_int32]),
        "mock_broker_set_up": (integer, [pointer, ctypes.c_int32]),
        "mock_broker_set_rtt": (integer, [pointer, ctypes.c_int32, integer]),
        "mock_push_request_errors_array": (
            None,
            [pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(integer)],
        ),
        "mock_set_controller_id": (integer, [pointer, ctypes.c_int32]),
        "mock_clear_request_errors": (None, [pointer, ctypes.c_int16]),
        "mock_topic_set_error": (None, [pointer, text, integer]),
        "mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "err2str": (text, [integer]),
    }
    for name, (result, arguments) in forms.items():
        function = getattr(library, f"rd_kafka_{name}")
        function.restype, function.argtypes = result, arguments
    return library


class EmbeddedBroker:
    """A running mock cluster; it ends with `close` or its `with` block.

    Args:
        brokers: how many.
        rebalance_delay_ms: how long a consumer group waits for members that may come.

    Raises:
        BrokerError: librdkafka cannot start it, or is not to be found.
    """

    def __init__(self, brokers: int = 1, rebalance_delay_ms: int = 0) -> None:
        self._library = _library()
        self._brokers = brokers
        why = ctypes.create_string_buffer(_TEXT_SIZE)
        conf = self._library.rd_kafka_conf_new()
        # The handle only carries the cluster: what it says of itself would disturb the terminal.
        self._library.rd_kafka_conf_set(conf, b"log_level", _CRITICAL, why, _TEXT_SIZE)
        self._handle = self._library.rd_kafka_new(_PRODUCER, conf, why, _TEXT_SIZE)
        if not self._handle:
            raise BrokerError(f"librdkafka does not start: {why.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, brokers)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._handle)
            raise BrokerError("librdkafka's mock cluster does not start: are loopback ports to be had?")
        # Without a controller, what it cannot do would time out instead of being refused.
        self._library.rd_kafka_mock_set_controller_id(self._cluster, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, rebalance_delay_ms)

    @property
    def bootstrap_servers(self) -> str:
        """Its addresses on loopback, as clients want them."""
        addresses: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return addresses.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; one that is there already, by a client's asking for it, stays as it is."""
        self._ask("topic_create", name.encode(), partitions, min(3, self._brokers))

    def fail_requests(self, errors: Sequence[int], api: int = _PRODUCE) -> None:
        """Answer the next requests of an API (its Kafka number) with these error codes, one each."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, api, len(errors), codes)

    def heal_requests(self, api: int = _PRODUCE) -> None:
        """Forget the errors that were not used up."""
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, api)

    def fail_topic(self, name: str, error: int) -> None:
        """Answer metadata requests for a topic with an error code; 0 heals it."""
        self._ask("topic_set_error", name.encode(), error)

    def delay(self, milliseconds: int) -> None:
        """Take this long for each answer."""
        for broker in self._ids():
            self._check(self._ask("broker_set_rtt", broker, milliseconds))

    def down(self, *brokers: int) -> None:
        """Take brokers (from 1; none: all) off the net, their connections cut."""
        for broker in brokers or self._ids():
            self._check(self._ask("broker_set_down", broker))

    def up(self, *brokers: int) -> None:
        """Bring brokers back."""
        for broker in brokers or self._ids():
            self._check(self._ask("broker_set_up", broker))

    def _ids(self) -> range:
        return range(1, self._brokers + 1)

    def _ask(self, what: str, *arguments: Any) -> Any:
        """Ask the cluster's thread, which at times sleeps on what it is asked for a second: a connection wakes it."""
        answered = threading.Event()
        nudging = threading.Thread(target=self._nudge, args=(answered,))
        nudging.start()
        try:
            return getattr(self._library, f"rd_kafka_mock_{what}")(self._cluster, *arguments)
        finally:
            answered.set()
            nudging.join()

    def _nudge(self, answered: threading.Event) -> None:
        host, _, port = self.bootstrap_servers.partition(",")[0].rpartition(":")
        while not answered.wait(_NUDGE_S):
            with suppress(OSError):
                socket.create_connection((host, int(port)), 1).close()

    def _check(self, error: int) -> None:
        if error:
            raise BrokerError(self._library.rd_kafka_err2str(error).decode())

    def close(self) -> None:
        """End it; a second call does nothing."""
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
