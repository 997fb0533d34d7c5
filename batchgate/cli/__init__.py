"""The command line beside pytest's: a module a command, and what they have in common."""

from batchgate.cli.commands import main

__all__ = ["main"]
