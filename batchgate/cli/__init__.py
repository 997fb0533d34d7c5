"""The command line beside pytest's: a module a command, and what they have in common."""

import sys

try:
    from batchgate.cli.commands import main
except KeyboardInterrupt:
    # Ctrl-C while modules are loaded: nothing has begun, and a traceback would be of no use.
    print("Error: interrupted", file=sys.stderr)
    raise SystemExit(130) from None

__all__ = ["main"]
