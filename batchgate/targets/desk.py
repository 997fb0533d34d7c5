"""Where gates of all processes ask for a target's snapshot: in this process, or over a socket."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from batchgate.errors import Message, ServerUnavailable
from batchgate.findings import Cause
from batchgate.folders import PrivateFolder, bases, make_folder
from batchgate.run import TargetReport
from batchgate.targets.keeper import Keeper, Visit
from batchgate.targets.refusals import Fault

if TYPE_CHECKING:
    # Of use to workers alone, and it takes a moment to be loaded.
    from multiprocessing.connection import Connection, Listener

_LIFELINE = "lifeline"
_INTERRUPTED_WITHIN = 3.0


class Desk(Protocol):
    """What a gate asks of the one who keeps its target's snapshot."""

    def visit(self, target: str, *, again: bool, newer_than: int = 0) -> Visit:
        """Return what to see, or why there is nothing to be seen."""

    def began(self, target: str, pid: int) -> None:
        """Tell that a gate runs in a server process."""

    def ending(self, target: str, pid: int) -> bool:
        """Tell that it is over, and learn whether it was cancelled to give way to replay."""

    def give_up(self, target: str, cause: Cause, why: str, fix: str) -> Visit:
        """Tell that no gate gets an answer there."""

    def unreachable(self, target: str, fault: Fault, message: Message) -> Visit:
        """Tell that no connection came, and learn what that is to be called."""


class FrontDesk:
    """The keepers themselves, in the process that runs the gates or that leads the workers."""

    def __init__(self, keepers: Sequence[Keeper]) -> None:
        self._keepers = {keeper.target.name: keeper for keeper in keepers}
        self._service: _Service | None = None

    def visit(self, target: str, *, again: bool, newer_than: int = 0) -> Visit:
        """Return what to see, or why there is nothing to be seen."""
        return self._keepers[target].visit(again=again, newer_than=newer_than)

    def began(self, target: str, pid: int) -> None:
        """Tell that a gate runs in a server process."""
        self._keepers[target].began(pid)

    def ending(self, target: str, pid: int) -> bool:
        """Tell that it is over, and learn whether it was cancelled to give way to replay."""
        return self._keepers[target].ending(pid)

    def give_up(self, target: str, cause: Cause, why: str, fix: str) -> Visit:
        """Tell that no gate gets an answer there."""
        return self._keepers[target].give_up(cause, why, fix)

    def unreachable(self, target: str, fault: Fault, message: Message) -> Visit:
        """Tell that no connection came, and learn what that is to be called."""
        return self._keepers[target].unreachable(fault, message)

    def interrupt(self) -> None:
        """Cancel on every target whatever gates run there now, and let none begin."""
        # All at once: one that does not answer must not keep the others from it.
        ways = [Thread(target=keeper.interrupt, daemon=True) for keeper in self._keepers.values()]
        for way in ways:
            way.start()
        for way in ways:
            way.join(_INTERRUPTED_WITHIN)

    def release(self) -> None:
        """Let go of every snapshot: no gate is left to run."""
        for keeper in self._keepers.values():
            keeper.close()

    def reports(self) -> tuple[TargetReport, ...]:
        """Return what is known of each target."""
        return tuple(keeper.report() for keeper in self._keepers.values())

    def open_service(self) -> dict[str, Any]:
        """Serve workers from now on; return what a worker needs to find us, as plain values."""
        if self._service is None:
            self._service = _Service(self)
        return self._service.found_at

    def close(self) -> None:
        """Let go of everything."""
        self.release()
        if self._service:
            self._service.close()
            self._service = None


class _Service:
    """Answers workers, each by a thread of its own, on a socket that only we may enter."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._closed = False
        key = secrets.token_bytes(32)
        self._folder, self._listener = _listener(key)
        self.found_at = {"address": str(self._listener.address), "key": key.hex()}
        Thread(target=self._listen, name="batchgate-desk", daemon=True).start()

    def _listen(self) -> None:
        from multiprocessing import AuthenticationError

        while not self._closed:
            # A worker that ends while it connects is none of the others' business.
            with suppress(EOFError, OSError, AuthenticationError):
                connection = self._listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._listener.close()
        self._folder.remove()

    def _serve(self, connection: "Connection[Any, Any]") -> None:
        with suppress(EOFError, OSError), connection:
            while True:
                name, arguments, named = connection.recv()
                if name == _LIFELINE:
                    # Nothing is ever said on it; that it ends is the message.
                    connection.recv()
                    return
                answer: Any
                try:
                    answer = getattr(self._desk, name)(*arguments, **named)
                except Exception as error:
                    answer = error
                connection.send(answer)

    def close(self) -> None:
        from multiprocessing import AuthenticationError

        self._closed = True
        # Who waits for a caller is woken by one.
        with suppress(EOFError, OSError, AuthenticationError):
            DistantDesk(self.found_at).close()


def _listener(key: bytes) -> "tuple[PrivateFolder, Listener]":
    """Listen in a folder of our own, in the first place where a socket can be."""
    from multiprocessing.connection import Listener

    refused = []
    for base in bases():
        folder = make_folder(base)
        try:
            return folder, Listener(str(folder.path / "desk"), "AF_UNIX", authkey=key)
        except OSError as error:
            folder.remove()
            refused.append(f"{base}: {error}")
    raise ServerUnavailable(
        "gates: expected a folder for the socket that workers ask at, found none",
        cause="\n".join(refused),
        fix="Set TMPDIR to a folder of short path, or run without -n.",
    )


class DistantDesk:
    """A worker's way to the desk of the process that leads it."""

    def __init__(self, found_at: Mapping[str, str]) -> None:
        self._address = found_at["address"]
        self._key = bytes.fromhex(found_at["key"])
        self._connection: Connection[Any, Any] | None = None

    def visit(self, target: str, *, again: bool, newer_than: int = 0) -> Visit:
        """Return what to see, or why there is nothing to be seen."""
        answer: Visit = self._call("visit", target, again=again, newer_than=newer_than)
        return answer

    def began(self, target: str, pid: int) -> None:
        """Tell that a gate runs in a server process."""
        self._call("began", target, pid)

    def ending(self, target: str, pid: int) -> bool:
        """Tell that it is over, and learn whether it was cancelled to give way to replay."""
        return bool(self._call("ending", target, pid))

    def give_up(self, target: str, cause: Cause, why: str, fix: str) -> Visit:
        """Tell that no gate gets an answer there."""
        answer: Visit = self._call("give_up", target, cause, why, fix)
        return answer

    def unreachable(self, target: str, fault: Fault, message: Message) -> Visit:
        """Tell that no connection came, and learn what that is to be called."""
        answer: Visit = self._call("unreachable", target, fault, message)
        return answer

    def close(self) -> None:
        """Hang up, having called if nobody had."""
        if self._connection is None:
            self._connection = self._connect()
        self._connection.close()

    def on_end(self, act: Any) -> None:
        """Call `act` when the process that leads us ends, however it ends."""
        lifeline = self._connect()
        lifeline.send((_LIFELINE, (), {}))
        Thread(target=_await_end, args=(lifeline, act), daemon=True).start()

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        try:
            self._connection.send((name, arguments, named))
            answer = self._connection.recv()
        except (EOFError, OSError):
            answer = _gone()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _connect(self) -> "Connection[Any, Any]":
        from multiprocessing.connection import Client

        try:
            return Client(self._address, "AF_UNIX", authkey=self._key)
        except OSError:
            raise _gone() from None


def _gone() -> ServerUnavailable:
    return ServerUnavailable(
        "gates: expected the run's first process to keep the snapshot, found it gone",
        fix="Run the gates again.",
    )


def _await_end(lifeline: "Connection[Any, Any]", act: Any) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv()
    act()
