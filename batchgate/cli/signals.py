"""Being told to end: SIGTERM and SIGHUP end a command as Ctrl-C does."""

import atexit
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt where one arrives: psycopg cancels what runs on the server then.

    For the main thread. What is ignored, as SIGHUP is by nohup, stays so.
    """
    heard = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, signal.default_int_handler) for each in heard}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def deaf() -> Iterator[None]:
    """Let no signal disturb what takes a moment: all is done, and is being told."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, *_SIGNALS)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def deaf_at_the_end() -> None:
    """Let no signal disturb the exit, once all is said: plugins of pytest's tidy up there."""
    atexit.unregister(_be_deaf)
    atexit.register(_be_deaf)


def _be_deaf() -> None:
    for each in (signal.SIGINT, *_SIGNALS):
        signal.signal(each, signal.SIG_IGN)
