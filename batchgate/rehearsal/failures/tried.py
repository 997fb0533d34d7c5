"""A file whose failures are tried out, and the ground that it is tried on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from batchgate.batches import FileRun
from batchgate.header import BATCH_KEYS, read_header
from batchgate.heights import Heights
from batchgate.rehearsal.failures.faults import Scene
from batchgate.rehearsal.failures.undisturbed import Undisturbed, differences
from batchgate.rehearsal.stage import apply, below, run, shown, watched
from batchgate.script import Script
from batchgate.sqltext import read_sql
from batchgate.states import State, take_state
from batchgate.suite import Batch


@dataclass(frozen=True)
class Tried:
    """A file whose failures are tried out."""

    heights: Heights
    batch: Batch
    path: Path

    @property
    def undoes(self) -> bool:
        """Tell a rollback, which starts where the batch stands."""
        return self.path == self.batch.rollback

    @cached_property
    def shown(self) -> str:
        """Return the file as messages print it."""
        return shown(self.heights, self.path)

    @cached_property
    def script(self) -> Script:
        """Return the file, read."""
        return Script(self.path, self.heights.settings.root)

    @cached_property
    def declared(self) -> bool:
        """Tell whether the file may commit in between: it says so, or is the online route."""
        header = read_header(read_sql(self.path), path=self.shown, keys=BATCH_KEYS, required=False)
        return self.path == self.batch.online or header.get("transaction") == "none"

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        """Give a clone that stands as it does before the file is run."""
        with watched(self.heights, below(self.heights, self.batch)) as (database, observer):
            if self.undoes:
                apply(self.heights, database, self.batch)
            yield Scene(self.heights, database, observer)

    @cached_property
    def undisturbed(self) -> Undisturbed:
        """Return how the file ends that nothing befalls."""
        return Undisturbed(self.scene, self.script)


class Ground:
    """A scene that stands as at the start, kept for as long as it does."""

    def __init__(self, tried: Tried) -> None:
        self._tried = tried
        self._stack = ExitStack()
        self._current: tuple[Scene, State] | None = None
        self._start: State | None = None

    def fresh(self) -> tuple[Scene, State]:
        """Give the scene and the state that it stands in."""
        if self._current is None:
            scene = self._stack.enter_context(self._tried.scene())
            # What applying a batch makes may differ from clone to clone; a template does not.
            if self._start is None or self._tried.undoes:
                self._start = take_state(scene.observer)
            self._current = scene, self._start
        return self._current

    def leave(self) -> None:
        """Give up a scene that no longer stands as it did."""
        self._current = None
        self._stack.close()

    close = leave


# What tells the places in a file apart where faults leave different states.
Place = tuple[object, ...]


class Returned(NamedTuple):
    """A rollback that was run, and the state that it led to."""

    ran: FileRun
    state: State


class WayBack:
    """Brings the ground back to its start: by the rollback, else by giving it up.

    Where the rollback has been seen to lead from a state to the start exactly, it is taken at
    its word from then on: that is cheaper than another clone.
    """

    def __init__(self, tried: Tried, ground: Ground) -> None:
        self._tried = tried
        self._ground = ground
        self._exact: list[tuple[object, bool]] = []

    def is_known(self, place: Place, state: State) -> bool:
        """Tell whether the way from such a state has been taken before."""
        return self._exactly(self._steady(place, state)) is not None

    def take(self, place: Place, state: State) -> Returned | None:
        """Go back from a state; return where the rollback led when it was taken from there first.

        A rollback that is tried itself, or that there is none of, leads nowhere. Data that
        differs from run to run is not compared, so the place in the file tells states apart, too.
        """
        tried, steady = self._tried, self._steady(place, state)
        exactly = self._exactly(steady)
        if exactly is False or tried.undoes or not tried.batch.rollback:
            self._exact.append((steady, False))
            self._ground.leave()
            return None
        scene, start = self._ground.fresh()
        ran = run(tried.heights, scene.database, tried.batch, tried.batch.rollback)
        if exactly and ran.succeeded:
            return None
        returned = Returned(ran, take_state(scene.observer))
        exact = not differences(start, returned.state)
        self._exact.append((steady, exact))
        if not exact:
            self._ground.leave()
        return returned

    def _steady(self, place: Place, state: State) -> object:
        return place, self._tried.undisturbed.steady(state)

    def _exactly(self, steady: object) -> bool | None:
        """Tell whether the rollback led back from such a state; None where it was not tried."""
        return next((exact for known, exact in self._exact if known == steady), None)
