"""Journals: in memory, and on disk."""
