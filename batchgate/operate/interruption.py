"""Being told to stop: the statement under way is cancelled, and whoever runs it hears of it."""

import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread
from types import FrameType
from typing import Any, Self

import psycopg

# A cancellation that comes before the statement has reached the server is lost: told again.
_AGAIN = 0.25  # seconds
_PATIENCE = 3.0
_GIVE_UP = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_QUIT = b"\0"


class Interruption:
    """Takes Ctrl-C, SIGTERM and SIGHUP from the beginning of its `with` to the end.

    No exception is raised by them, whatever is at work: a thread cancels the statement, which then
    fails. A further signal changes nothing; the third gives the connection up. `say` is told.
    """

    def __init__(self, say: Callable[[str], None] = lambda text: None) -> None:
        self._say = say
        self._heard = Event()
        self._given_up = Event()
        self._signalled = False
        self._aim: tuple[psycopg.Connection[Any], bool] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._reading, self._writing = os.pipe()
        self._thread = Thread(target=self._listen, name="interruption", daemon=True)
        self._thread.start()
        if current_thread() is main_thread():
            for number in _SIGNALS:
                # What is ignored, as by nohup, stays so.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        os.write(self._writing, _QUIT)
        self._thread.join()
        os.close(self._reading)
        os.close(self._writing)

    @property
    def requested(self) -> bool:
        """Tell whether the run is to stop."""
        return self._signalled

    @property
    def given_up(self) -> bool:
        """Tell whether the server is not waited for any more."""
        return self._given_up.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait so long, or until the run is to stop; tell whether it is."""
        return self._heard.wait(seconds)

    @contextmanager
    def aimed_at(
        self, connection: psycopg.Connection[Any], *, to_cancel: bool = True
    ) -> Iterator[None]:
        """Cancel what runs on a connection meanwhile, or only give it up in the end."""
        before, self._aim = self._aim, (connection, to_cancel)
        try:
            yield
        finally:
            self._aim = before

    def _hear(self, number: int, _: FrameType | None) -> None:
        # At once, for whoever is about to begin something; and nothing that takes a lock: the
        # signal may have come while that was held.
        self._signalled = True
        os.write(self._writing, bytes([number]))

    def _listen(self) -> None:
        count = 0
        while True:
            patience = _AGAIN if count else None
            if select.select([self._reading], [], [], patience)[0]:
                if (word := os.read(self._reading, 1)) == _QUIT:
                    return
                count += 1
                self._heard.set()
                self._tell(signal.Signals(word[0]).name, count)
            if aim := self._aim:
                self._stop(*aim, count)

    def _tell(self, name: str, count: int) -> None:
        with suppress(OSError):
            if count == 1:
                self._say(f"{name}: stopping; what is under way is cancelled and rolled back …")
            elif count < _GIVE_UP:
                self._say("stopping still, until the server answers; once more gives it up")
            elif count == _GIVE_UP:
                self._say("the connection is given up")

    def _stop(self, connection: psycopg.Connection[Any], to_cancel: bool, count: int) -> None:
        with suppress(psycopg.Error, OSError):
            if count < _GIVE_UP:
                if to_cancel:
                    connection.cancel_safe(timeout=_PATIENCE)
            else:
                self._given_up.set()
                # Whoever waits for an answer hears that there will be none.
                with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)
