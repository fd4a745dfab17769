"""Whether a stream is alive and in time."""
