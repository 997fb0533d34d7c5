"""The command line beside pytest's: a module a command, and what they have in common."""

import atexit
import gc
import sys

# What modules make while they are loaded stays, and a command is over soon: to search it for what
# is left unused, again and again and at the end, takes longer than to load a third of it.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

try:
    from batchgate.cli.commands import main
except KeyboardInterrupt:
    # Ctrl-C while modules are loaded: nothing has begun, and a traceback would be of no use.
    print("Error: interrupted", file=sys.stderr)
    raise SystemExit(130) from None

__all__ = ["main"]
