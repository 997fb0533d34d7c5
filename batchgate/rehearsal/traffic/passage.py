"""A batch's file on its way through a crossing, statement by statement."""

from batchgate.psqlfile import Script
from batchgate.psqloutput import ScriptError, ScriptRun, Step
from batchgate.rehearsal.traffic.crossing import Crossing
from batchgate.script import steps
from batchgate.suite import Batch


class Passage:
    """One run of a file in a session of its own, as psql would run it."""

    def __init__(self, crossing: Crossing, batch: Batch, script: Script) -> None:
        self.actor = crossing.actor(batch.name, bounded=False)
        self.run: ScriptRun | None = None
        self._crossing = crossing
        self._walk = steps(self.actor.connection, script)
        self._step = self._next()

    @property
    def error(self) -> ScriptError | None:
        """Return what stopped the file, once it has ended."""
        return self.run.error if self.run else None

    @property
    def over(self) -> bool:
        """Tell whether there is no further statement; then the session has ended, too."""
        return self._step is None

    def go_on(self) -> None:
        """Begin the next statement."""
        assert self._step is not None, "a file that is over has no next statement"
        self._crossing.step = self._step
        if not self._step.ran:
            self.actor.start(self._send)

    def look_on(self) -> None:
        """Look for the next statement, now that the last has ended."""
        self._step = self._next()

    def _send(self) -> None:
        next(self._walk)

    def _next(self) -> Step | None:
        try:
            return next(self._walk)
        except StopIteration as end:
            self.run = end.value
            self.actor.connection.close()
            return None
