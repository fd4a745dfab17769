"""A transactional producer that is made anew where it has failed, and then has Kafka end what the old one left."""

from typing import Final

from confluent_kafka import KafkaException, Producer

from connector.edges.kafka.client import Config, Troubles, make
from connector.facts import Report

STEP_S: Final = 5.0
"""How long each step of a transaction may take before it is looked at again, in seconds."""


class Writer:
    """One transactional id.

    Args:
        config: the producer's options.
        troubles: told what its connections meet.
        report: takes facts, from any thread.

    Raises:
        SettingsError: librdkafka does not take an option.
    """

    def __init__(self, config: Config, troubles: Troubles, report: Report) -> None:
        self._config = {**config, "error_cb": troubles}
        self._report = report
        self._producer: Producer | None = self._make()
        self._is_ready = False
        self.expire_s = float(config["message.timeout.ms"]) / 1000
        """After how long librdkafka gives a record up, in seconds."""

    def ready(self) -> Producer:
        """Return the producer, with no transaction open.

        Raises:
            KafkaException: Kafka did not end what was open, or does not let us write.
        """
        producer = self._producer = self._producer or self._make()
        if not self._is_ready:
            try:
                producer.init_transactions(STEP_S)
            except KafkaException:
                self.drop()
                raise
            self._is_ready = True
        return producer

    def abort(self) -> None:
        """Abort what is open; where that does not work, `ready` sees to it."""
        try:
            if self._producer is not None:
                self._producer.abort_transaction(STEP_S)
        except KafkaException:
            self.drop()

    def drop(self) -> None:
        """Let the producer go, whatever it was about."""
        if self._producer is not None:
            self._producer.purge()
        self._producer, self._is_ready = None, False

    def _make(self) -> Producer:
        return make(Producer, self._config, self._report)
