"""Being told to end: by the way that leaves nothing behind."""

import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType

import pytest


def end_in_order() -> Callable[[], None]:
    """Let SIGTERM end the run as Ctrl-C does; return what undoes that.

    Where someone else handles the signal, or outside the main thread, nothing is changed.
    """
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return lambda: None
    signal.signal(signal.SIGTERM, _end)
    return _restore


def _end(number: int, _: FrameType | None) -> None:
    # A second one would cut short what the first has begun.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # SystemExit would be taken for the failure of the test that runs, and the next one begun.
    pytest.exit("told to end by SIGTERM", returncode=128 + number)


def _restore() -> None:
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
