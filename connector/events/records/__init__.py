"""An entry becomes a record: its topic, key, headers and body."""
