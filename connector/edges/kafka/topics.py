"""Topics made before their first record, where the settings say so."""

from collections.abc import Iterable

from connector.edges.kafka.admin import KafkaAdmin
from connector.facts import Report, TopicMade
from connector.settings.topics import Topic


class TopicMaker:
    """Makes topics before their first record.

    Args:
        admin: makes them; None where the settings leave it to others.
        planned: what is known of topics; one that is not planned is left to the cluster.
        report: told of each that is made.
    """

    def __init__(self, admin: KafkaAdmin | None, planned: Iterable[Topic], report: Report) -> None:
        self._admin = admin
        self._planned = {topic.name: topic for topic in planned}
        self._report = report

    async def ensure(self, topic: str) -> None:
        """Return when the topic is there, or is none of our business.

        Raises:
            BrokerError: it could not be made; the text says why and what to do.
        """
        planned = self._planned.get(topic)
        if planned is None or self._admin is None:
            return
        for made in await self._admin.create([planned]):
            self._report(TopicMade(made.name, made.partitions))
