"""A connection that is cut when the server does not answer: no gate waits for ever."""

import os
import socket
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

import psycopg

from batchgate.limits import Limits
from batchgate.targets.address import Target, connect


class Line(psycopg.Connection[Any]):
    """A connection whose every wait for the server ends: by an answer, or by being cut.

    The server's own limits end what takes too long; a server that is frozen, or a network that
    swallows packets, keeps none of them. `patience` is in seconds, None for no end.
    """

    patience: float | None = None
    silent: bool = False
    _deadline: float | None = None
    _left: Event | None = None

    def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        """Wait for the server's answer as psycopg does, but no longer than `patience`."""
        if self.patience is None:
            return super().wait(gen, *arguments, **named)
        if self._left is None:
            self._left = Event()
            Thread(target=self._guard, args=(self._left,), name="line", daemon=True).start()
        self._deadline = monotonic() + self.patience
        try:
            return super().wait(gen, *arguments, **named)
        finally:
            self._deadline = None

    def close(self) -> None:
        """Close the connection, and end its guard."""
        if self._left:
            self._left.set()
        super().close()

    def _guard(self, left: Event) -> None:
        """Cut the line once a wait has gone past its deadline.

        One thread for all waits: to start one for each takes longer than most answers do. Nobody
        wakes it: a deadline that is set while it sleeps is never earlier than when it wakes.
        """
        pause = self.patience
        while not left.wait(pause):
            deadline = self._deadline
            if deadline is None:
                pause = self.patience
            elif (pause := deadline - monotonic()) <= 0:
                self._give_up()
                return

    def _give_up(self) -> None:
        self.silent = True
        self.cut()

    def abandon(self) -> None:
        """Cancel what runs on the server, and cut the connection, from any thread."""
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=1.0)
        self.cut()

    def cut(self) -> None:
        """End the connection from any thread; whoever waits on it is told that it is lost."""
        # A descriptor of our own: the connection may be closed, and its number given away, by now.
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)


def open_line(target: Target, limits: Limits) -> Line:
    """Connect to a target; raises TargetUnavailable where no connection comes."""
    line = connect(target, application_name="batchgate", kind=Line)
    line.patience = limits.patience
    return line
