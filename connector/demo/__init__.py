"""What lets the connector run on nothing but Python: a simulated PBX and an embedded broker."""
