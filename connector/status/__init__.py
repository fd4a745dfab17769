"""What is known of the connector at this moment, as values: put together from facts and samples, and judged."""
