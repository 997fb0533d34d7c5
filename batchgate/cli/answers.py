"""A yes or a no of whoever sits at the terminal."""

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


def confirmed(question: str) -> bool:
    """Ask on standard error until there is an answer; raises click.Abort where none will come."""
    _forget_typed()
    while True:
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        said = _line()
        if not said:
            raise click.Abort
        answer = _ANSWERS.get(said.strip().lower())
        if answer is not None:
            return answer
        click.echo("Error: expected y or n", err=True)


def _line() -> str:
    """Read a line, or nothing at the end of what there is to read.

    A signal that comes right before a read that blocks is heard only after it: it wakes us here.
    """
    with _woken() as waking:
        select.select([sys.stdin, waking], [], [])
    return sys.stdin.readline()


@contextmanager
def _woken() -> Iterator[int]:
    """Give what can be read once a signal has come."""
    waking, signalled = os.pipe()
    os.set_blocking(signalled, False)
    before = signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    try:
        yield waking
    finally:
        signal.set_wakeup_fd(before)
        os.close(waking)
        os.close(signalled)


def _forget_typed() -> None:
    """Drop what was typed before there was a question: it cannot be an answer to it."""
    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
