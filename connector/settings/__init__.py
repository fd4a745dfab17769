"""What the operator says and what follows from it."""
