"""Lets `python -m connector` stand for the command `ami-kafka`."""

from connector.cli import app

app(prog_name="ami-kafka")
