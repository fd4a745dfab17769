"""Whether a transactional id may be used: Kafka tells nobody, so it is used, for nothing."""

import asyncio
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from connector.edges.kafka.client import Config, make, translated

_DENIED: Final = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


class TransactionProbe:
    """One transactional id that nobody else has.

    Args:
        config: a transactional producer's options.
        deadline_s: how long Kafka may take, in seconds.
    """

    def __init__(self, config: Config, deadline_s: float) -> None:
        self._config = config
        self._deadline_s = deadline_s

    async def allowed(self) -> bool:
        """Say whether the connector's user may use the id.

        Raises:
            SettingsError: librdkafka does not take an option.
            BrokerError: Kafka did not tell in time.
        """
        producer = make(Producer, self._config, _say_nothing)
        try:
            await asyncio.to_thread(producer.init_transactions, self._deadline_s)
        except KafkaException as error:
            if error.args[0].code() == _DENIED:
                return False
            raise translated(error, "transactional id") from error
        finally:
            # A producer that was refused says so once more.
            with suppress(KafkaException):
                await asyncio.to_thread(producer.close)
        return True


def _say_nothing(_: object) -> None:
    """Leave out what librdkafka logs: the answer says it."""
