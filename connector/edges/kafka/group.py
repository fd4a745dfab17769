"""Membership in the consumer group, in a thread of its own: requests come from it, and partitions come and go.

A partition's requests wait until its claims are read. Partitions that are revoked stay ours until what is
in flight of them is final, or the grace is over; meanwhile nothing new is taken, of others neither, but
transactions go on, in their own thread.
"""

import json
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from connector.actions.record import Incoming, Lost, Place, Revoking
from connector.edges.kafka.client import Config, Troubles, make, translated, why
from connector.edges.kafka.history import History
from connector.edges.kafka.messages import incoming
from connector.edges.kafka.notices import Happened, Notices
from connector.edges.kafka.ownership import Ownership
from connector.errors import BrokerError
from connector.facts import Report

_POLL_S: Final = 0.1
_BESIDE_HISTORY_S: Final = 0.01
_WAKE_S: Final = 0.5
_AT_ONCE: Final = 500
_MUCH: Final = 2_000
"""Notices that nobody has taken: beyond them no requests are fetched until there are half as many."""

_LOGICAL: Final = "GroupCoordinator"


class Shared(NamedTuple):
    """What the consumer's thread shares with others."""

    ownership: Ownership
    notices: Notices


class Group:
    """One member.

    Args:
        config: the consumer's options.
        history: reads claims.
        shared: where it tells what happens.
        grace_s: how long what is in flight may take when partitions are revoked, in seconds.
        report: takes facts, from any thread.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(
        self, config: Config, history: History, shared: Shared, grace_s: float, report: Report
    ) -> None:
        self._history = history
        self._ownership, self._notices = shared
        self._grace_s = grace_s
        self._troubles = Troubles(report)
        self._paused: frozenset[Place] = frozenset()
        self._full = False
        self._skew_s = float("inf")
        self._polled_at = time.monotonic()
        self._closing = threading.Event()
        self._consumer: Consumer = make(
            Consumer, {**config, "error_cb": self._troubles, "stats_cb": self._counted}, report
        )
        self.unwanted: frozenset[Place] = frozenset()
        """Partitions of which nothing more is to be handed over for now; set by the event loop."""
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    def close(self) -> None:
        """Leave the group, and wait until that is done."""
        self._closing.set()
        self._ownership.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._subscribe()
            while not self._closing.is_set():
                self._turn()
        except KafkaException as error:
            self._notices.fail(translated(error, "the consumer group"))
        except Exception as error:  # noqa: BLE001 (whoever waits must hear of it)
            self._notices.fail(error)
        finally:
            self._ownership.end(self._ownership.held())
            self._history.close()
            self._consumer.close()

    def _subscribe(self) -> None:
        self._consumer.subscribe(
            [*self._history.topics],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def _turn(self) -> None:
        if self._ownership.doubted:
            self._renew()
        self._flow()
        self._polled_at = time.monotonic()
        if self._history.idle:
            self._poll(_POLL_S)
            return
        for assigned in self._history.read(_BESIDE_HISTORY_S):
            self._notices.put([Happened(assigned, self._ownership.begin(assigned.place))])
            self._resume([assigned.place])
        self._poll(0)

    def _poll(self, wait_s: float) -> None:
        first = self._consumer.poll(wait_s)
        if first is None:
            return
        messages = [first, *self._consumer.consume(_AT_ONCE, 0)]
        # A rebalance may have come between them.
        held = self._ownership.held()
        records = [record for each in messages if (record := self._record(each)) and record.place in held]
        self._notices.put(map(Happened, records))

    def _record(self, message: Message) -> Incoming | None:
        error = message.error()
        if error is None:
            return incoming(message)
        if error.fatal():
            raise BrokerError(why(error, "the consumer group"))
        self._troubles(error)
        return None

    def _flow(self) -> None:
        """Pause and resume what differs from what is wanted."""
        waiting, held = len(self._notices), self._ownership.held()
        self._full = waiting > _MUCH if not self._full else waiting > _MUCH // 2
        wanted = held if self._full else held & self.unwanted
        if pause := wanted - self._paused:
            self._consumer.pause(_partitions(pause))
        if resume := (self._paused & held) - wanted:
            self._resume(resume)
        self._paused = wanted

    def _resume(self, places: Collection[Place]) -> None:
        self._consumer.resume(_partitions(places))
        # librdkafka's connections look for what is to be fetched once a second: a question wakes them.
        with suppress(KafkaException):
            for partition in _partitions(places):
                self._consumer.get_watermark_offsets(partition, _WAKE_S, cached=False)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._join()
        consumer.incremental_assign(partitions)
        if partitions:
            consumer.pause(partitions)
            self._history.begin(_places(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._join()
        places = _places(partitions)
        self._history.drop(places)
        told = self._ownership.held() & places
        if told and not self._closing.is_set():
            self._notices.put([Happened(Revoking(told))])
            self._end(told - self._ownership.drained(told, self._grace_s), lost=False)
        self._end(places)
        consumer.incremental_unassign(partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._ownership.joined(None)
        places = _places(partitions)
        self._history.drop(places)
        self._end(places)

    def _end(self, places: Collection[Place], *, lost: bool = True) -> None:
        """End terms; those that end too early are told."""
        ended = self._ownership.end(places)
        self._paused -= ended
        if ended and lost:
            self._notices.put([Happened(Lost(ended))])

    def _join(self) -> None:
        """Take the proof of membership as it is now, and never look again until the next rebalance.

        Once a member is thrown out, librdkafka's own idea of it goes on; with that, a transaction
        about partitions that are another's would not be refused.
        """
        metadata = self._consumer.consumer_group_metadata()
        # Without a member's id Kafka takes offsets from anybody.
        self._ownership.joined(metadata if self._consumer.memberid() else None)
        # The coordinator's answer came since then, unless the process was stopped in between.
        self._ownership.heard(self._polled_at)

    def _renew(self) -> None:
        """Join anew."""
        self._end(self._ownership.held())
        self._consumer.unsubscribe()
        self._subscribe()

    def _counted(self, text: str) -> None:
        """Take librdkafka's statistics: the coordinator has answered what was sent to it last."""
        counts = json.loads(text)
        now, then = time.monotonic(), counts["ts"] / 1e6
        # Its clock may begin elsewhere than ours; what waited to be told is told late, never early.
        self._skew_s = min(self._skew_s, now - then)
        for broker in counts["brokers"].values():
            if broker["name"] == _LOGICAL and not broker["waitresp_cnt"] and _answered(broker):
                self._ownership.heard(then + self._skew_s - broker["txidle"] / 1e6)


def _answered(broker: Mapping[str, int]) -> bool:
    """Say whether something was received after what was sent last."""
    return 0 <= broker["rxidle"] <= broker["txidle"]


def _places(partitions: Sequence[TopicPartition]) -> frozenset[Place]:
    return frozenset(Place(each.topic, each.partition) for each in partitions)


def _partitions(places: Collection[Place]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]
