"""The parts put together: what is opened, in which order, and what each lives with."""
