"""Responses, claims and dead letters as the records of their topics, and claims back."""
