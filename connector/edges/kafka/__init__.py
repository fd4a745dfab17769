"""The only users of confluent_kafka's clients."""
