"""Looks at what all processes of a run do, and asks servers how far their statements are."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from batchgate.activity import Doing
from batchgate.progress.sights import Sight, look_at_all, received
from batchgate.progress.state import Moment, Place

_LOOKED_EVERY = 0.125  # seconds
_ASKED_EVERY = 1.0
# A statement that is over sooner is not asked after.
_SLOW = 1.0

# How far the statements of a server's processes are, asked by the server's host and port.
Ask = Callable[[str, int], Mapping[int, object]]


class Watch:
    """Two threads: one that looks and shows, and one that asks, which may take its time.

    `others` are what went on in this process before the run began; `show` is called with every
    moment that is looked at; `ask` tells how far a server is, and nothing where it does not know.
    """

    def __init__(self, others: Collection[Doing], show: Callable[[Moment], None], ask: Ask) -> None:
        self._others = others
        self._show = show
        self._ask = ask
        self._over = Event()
        self._moment = Moment(now=0.0)
        self._phases: dict[Place, str] = {}
        # Where other processes of the run tell what they do.
        self.folder: Path | None = None
        self._looks = Thread(target=self._look_on, name="batchgate-progress", daemon=True)
        self._asks = Thread(target=self._ask_on, name="batchgate-phases", daemon=True)
        self._looks.start()
        self._asks.start()

    def close(self) -> None:
        """Show nothing more; a server that is being asked is not waited for."""
        self._over.set()
        self._looks.join()

    def again(self) -> Moment:
        """Return the last moment that was looked at, by the clock of now."""
        last = self._moment
        return Moment(now=monotonic(), sights=last.sights, phases=last.phases)

    def _look_on(self) -> None:
        while not self._over.wait(_LOOKED_EVERY):
            self._moment = Moment(now=monotonic(), sights=self._seen(), phases=self._phases)
            self._show(self._moment)

    def _seen(self) -> list[Sight]:
        theirs = received(self.folder) if self.folder else ()
        return [*look_at_all(self._others), *theirs]

    def _ask_on(self) -> None:
        while not self._over.wait(_ASKED_EVERY):
            slow = [one for one in self._moment.sights if monotonic() - one.sent > _SLOW]
            servers = {(one.host, one.port) for one in slow if one.pid}
            self._phases = {
                (*server, pid): str(phase)
                for server in sorted(servers)
                for pid, phase in self._ask(*server).items()
            }
