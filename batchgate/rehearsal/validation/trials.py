"""Try a validation where one thing is damaged: inside of its own transaction, or on a clone.

A clone costs four times what a validation does. Where a file is one transaction, or none, the
damage is done inside of it and rolled back with it. A file without a transaction of its own
might end otherwise there, so its first survivors are tried on clones as well.
"""

from contextlib import ExitStack
from enum import StrEnum
from time import perf_counter
from typing import NamedTuple

from batchgate.catalog import take_snapshot
from batchgate.heights import Heights
from batchgate.mutation.damage import Mutant
from batchgate.printed import failures_in, turned_failures
from batchgate.rehearsal.validation.checklines import spoken_in
from batchgate.rehearsal.validation.inplace import InPlace, NotMade, do_damage, limit, seen
from batchgate.script import Script, ScriptRun, run_script
from batchgate.suite import Batch

_CONFIRMATIONS = 5
# Another session would wait for the damage of ours, and ours for its answer.
_OTHER_SESSIONS = (("extension", "dblink"), ("extension", "postgres_fdw"))
_INTEGRITY = "23"
_CANCELED = "57014"
# Some wait for what never comes where something is damaged: seconds, and times a clean run's.
_PATIENCE = 10
_TIMES = 20


class End(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TOLD = "killed in words only"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    NOT_MADE = "not made"


class Trial(NamedTuple):
    """A mutant's end: the line of the validation that noticed it, or why it was not made."""

    mutant: Mutant
    end: End
    at: str = ""
    reason: str = ""
    sqlstate: str = ""

    @property
    def hindered_by_rows(self) -> bool:
        """Tell whether it was rows that kept the mutant from being made."""
        return self.end is End.NOT_MADE and self.sqlstate.startswith(_INTEGRITY)


class Bench:
    """A batch's validation on a clone at its height, to be tried against mutants.

    The clone and the session belong to `stack`, and end with it.
    """

    def __init__(
        self, heights: Heights, batch: Batch, stack: ExitStack, *, sample: bool = True
    ) -> None:
        assert batch.validation is not None, "a check is only made of a file that is there"
        self._heights, self._batch, self._sample = heights, batch, sample
        self._script = Script(batch.validation, heights.settings.root)
        self._spoken = spoken_in(self._script)
        database = stack.enter_context(heights.clone(batch, sample=sample))
        with heights.connect(database) as session:
            self._schema = take_snapshot(session)
            started = perf_counter()
            self.clean = run_script(session, self._script)
        self._patience = max(_PATIENCE, int(_TIMES * (perf_counter() - started)))
        self._in_place = self._way_on(database, stack)
        self._to_confirm = _CONFIRMATIONS

    @property
    def passes(self) -> bool:
        """Tell whether the validation passes where nothing is damaged."""
        return self.clean.error is None and not failures_in(self.clean)

    def try_out(self, mutant: Mutant) -> Trial:
        """Run the validation where a mutant stands, and say what became of that one."""
        try:
            if self._in_place is None:
                return self._on_clone(mutant)
            trial = self._by(self._in_place, mutant)
            if trial.end is End.SURVIVED and not self._in_place.exact and self._to_confirm:
                confirmed = self._on_clone(mutant)
                self._to_confirm -= confirmed.end is End.SURVIVED
                return confirmed
            return trial
        except NotMade as refused:
            return Trial(mutant, End.NOT_MADE, "", refused.reason, refused.sqlstate)

    def _way_on(self, database: str, stack: ExitStack) -> InPlace | None:
        """Return the way of doing damage in place, where the file lets us."""
        if not self.passes or any(key in self._schema.facts for key in _OTHER_SESSIONS):
            return None
        way = InPlace.of(lambda: self._heights.connect(database), self._script, self._patience)
        if way is None:
            return None
        stack.callback(way.close)
        return way if way.succeeds_after_harmless_damage() else None

    def _by(self, way: InPlace, mutant: Mutant) -> Trial:
        trial = self._judged(mutant, way.run(mutant.statements))
        unseen = trial.end is End.SURVIVED and mutant.may_be_equivalent
        if unseen and way.schema(mutant.statements) == self._schema:
            return Trial(mutant, End.EQUIVALENT)
        return trial

    def _on_clone(self, mutant: Mutant) -> Trial:
        with self._heights.clone(self._batch, sample=self._sample) as database:
            with self._heights.connect(database) as session, session.transaction():
                do_damage(session, mutant.statements)
            with self._heights.connect(database) as session:
                limit(session, self._patience)
                trial = self._judged(mutant, run_script(session, self._script))
            if trial.end is End.SURVIVED and mutant.may_be_equivalent:
                with self._heights.connect(database) as session:
                    if seen(session) == self._schema:
                        return Trial(mutant, End.EQUIVALENT)
        return trial

    def _judged(self, mutant: Mutant, run: ScriptRun) -> Trial:
        """Read from a run whether the validation noticed the mutant."""
        error = run.error
        if error is not None and error.sqlstate == _CANCELED:
            reason = f"the validation did not end within {self._patience} seconds"
            return Trial(mutant, End.NOT_MADE, error.at, reason, _CANCELED)
        if error is not None:
            return Trial(mutant, End.KILLED, error.at)
        if turned := turned_failures(run, self.clean, self._spoken):
            return Trial(mutant, End.TOLD, turned[0].at, turned[0].text)
        return Trial(mutant, End.SURVIVED)
