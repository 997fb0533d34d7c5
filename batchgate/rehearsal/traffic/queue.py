"""What a migration must prove of the lock queue: it gives up its wait, and can be run again."""

from concurrent.futures import wait
from contextlib import suppress
from time import monotonic

import psycopg
from psycopg import sql

from batchgate.catalog import take_snapshot
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.psqlfile import Script
from batchgate.psqloutput import ScriptError, Step
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import apply, below, watched
from batchgate.rehearsal.traffic import crossing as crossings
from batchgate.rehearsal.traffic.actors import Actor
from batchgate.rehearsal.traffic.callers import Caller
from batchgate.rehearsal.traffic.crossing import Crossing, crossing_at
from batchgate.rehearsal.traffic.holding import Who, awaited_by, hold_everything, lock
from batchgate.rehearsal.traffic.limit import Limit
from batchgate.rehearsal.traffic.passage import Passage
from batchgate.rehearsal.traffic.words import never_ended, said_of
from batchgate.serverwords import masked, shown_sql
from batchgate.states import GAVE_UP, LEFT_OUT, expect_schema, expect_unchanged, take_state
from batchgate.suite import Batch

# Milliseconds of an operator's lock_timeout: the next where the queue was over in the last.
LIMITS = (300, 1500, 6000)
_LOOK_AGAIN = 0.02
_REFUSED = "55P03"


def yields_in_lock_queue(heights: Heights, batch: Batch) -> Evidence:
    """Prove that behind a long transaction a batch gives up by lock_timeout, and leaves no trace.

    Until it does, everyone waits who comes after it.
    """
    assert batch.migration is not None, "a check is only made of a file that is there"
    start = below(heights, batch)
    if start is None:
        return Evidence(("nothing stands before it that a session could hold",))
    script = Script(batch.migration, heights.settings.root)
    for who in Who:
        for limit in LIMITS:
            with crossing_at(heights, start) as crossing:
                queue = _Queue(heights, batch, script, crossing, who, limit)
                notes = queue.notes()
            if notes is not None:
                return Evidence(tuple(notes))
            if not queue.overlooked:
                break
        else:
            told = f"the batch gave up before a {who} was seen to wait behind it"
            return Evidence(unexercised=(told,))
    return Evidence(("takes no table lock that a reader or a writer could hold up",))


class _Queue:
    """A long transaction, the batch behind it, and whoever comes after the batch."""

    def __init__(
        self,
        heights: Heights,
        batch: Batch,
        script: Script,
        crossing: Crossing,
        who: Who,
        limit: int,
    ) -> None:
        self.heights = heights
        self.batch = batch
        self.script = script
        self.crossing = crossing
        self.who = who
        self.limit = limit
        self.holder = crossing.actor(f"a long {who}")
        self.held_up: Step | None = None
        self.overlooked = self.insisted = False

    def notes(self) -> list[str] | None:
        """Return the queue as it was seen; None where there was none, or it was over too soon."""
        hold_everything(self.holder.connection, self.who)
        error = self._run()
        ended = not self.insisted and _is_lost(self.holder.connection)
        if self.overlooked or (error is None and not self.held_up and not ended):
            return None
        notes = [said_of(waiting) for waiting in self.crossing.waits]
        if ended and error is None:
            return [*notes, "ended the session that was in its way"]
        if self.insisted and error is None:
            return [*notes, "let others go on in between, and went on when the way was free"]
        if error is None:
            self._expect_applied()
            return [*notes, "found a way around who was in its way"]
        if error.sqlstate != _REFUSED:
            self._expect_alone()
        self._expect_unchanged(error)
        self.holder.connection.close()
        if failed := self._run():
            self._expect_alone()
            raise self._not_repeated(failed)
        return [*notes, f"gave up at {error.at} [{error.sqlstate or 'no SQLSTATE'}], passed later"]

    def _run(self) -> ScriptError | None:
        """Run the file under an operator's limit; return what stopped it."""
        passage = Passage(self.crossing, self.batch, self.script)
        limit = Limit(passage.actor.connection, self.limit)
        while not passage.over:
            limit.keep(self.crossing.step)
            passage.go_on()
            self._settle()
            if passage.actor.moving:
                behind = [] if self.held_up else self._queue_up(passage.actor)
                self._outlast(passage.actor, behind, limit)
            passage.look_on()
        self._settle()
        return passage.error

    def _settle(self) -> None:
        if late := self.crossing.settle():
            raise never_ended(self.crossing, self.batch, late[0])

    def _queue_up(self, batch: Actor) -> list[Actor]:
        """Let others come; return those who wait behind the batch."""
        self.held_up = self.crossing.step
        table = awaited_by(self.crossing.observer, batch.pid)
        if table is None:
            # No one waits behind it where it waits for transactions to end; or its wait is over.
            self.overlooked = not batch.moving
            return []
        comer = self.crossing.actor(f"a later {self.who}")
        comer.start(lambda: _come(comer, table, self.who))
        self.crossing.settle(comer)
        for reader in self._readers() if self.who is Who.READER else ():
            reader.go_on()
            self.crossing.settle(reader.actor)
        behind = [each.who for each in self.crossing.waits if batch in each.on]
        self.overlooked = comer not in behind
        return behind

    def _readers(self) -> list[Caller]:
        """Open those sessions of the traffic that only read, and hold them to it."""
        suite, settings = self.heights.suite, self.heights.settings
        running = suite.traffic_at(below(self.heights, self.batch))
        callers = [Caller(self.crossing, each, settings) for each in running]
        readers = [caller for caller in callers if caller.only_reads]
        for reader in readers:
            reader.actor.connection.execute("set default_transaction_read_only = on")
        return readers

    def _outlast(self, batch: Actor, behind: list[Actor], limit: Limit) -> None:
        """Wait until the batch gives up, or lets those behind it go on and asks again."""
        patience = crossings.PATIENCE / 3 if limit.lifted else crossings.PATIENCE
        deadline = monotonic() + patience
        while batch.moving and monotonic() < deadline:
            wait([batch.move] if batch.move else [], timeout=_LOOK_AGAIN)
            passed = behind and not any(one.moving for one in behind)
            if passed and self.crossing.is_stuck(batch):
                self.insisted = True
                self.holder.connection.close()
                self._settle()
        if batch.moving:
            raise self._endless(limit, patience)

    def _expect_unchanged(self, error: ScriptError) -> None:
        if self.batch.header.get("transaction") == "none":
            return
        with watched(self.heights, below(self.heights, self.batch)) as (_, observer):
            before = take_state(observer)
        expect_unchanged(self.batch, error.at, before, take_state(self.crossing.observer), GAVE_UP)

    def _expect_applied(self) -> None:
        """Expect of a run that was held up and ended without an error what any other makes."""
        assert self.held_up is not None, "a run that was not held up has nothing to prove"
        with watched(self.heights, below(self.heights, self.batch)) as (database, observer):
            apply(self.heights, database, self.batch)
            applied = take_snapshot(observer)
        found = take_snapshot(self.crossing.observer)
        expect_schema(self.batch, self.held_up.at, applied, found, LEFT_OUT)

    def _expect_alone(self) -> None:
        """Raise what stops the file where no one is in its way."""
        with self.heights.clone(below(self.heights, self.batch)) as database:
            apply(self.heights, database, self.batch)

    def _not_repeated(self, error: ScriptError) -> BatchFailed:
        return BatchFailed(
            f"batch {self.batch.name}: expected the next run to succeed when the way is free, "
            f"{error.headline}",
            at=error.at,
            sql=shown_sql(error.sql),
            cause=masked(error.cause, error.sqlstate),
            fix="Let a run that gives up take back all it did, so that the next finds a start.",
        )

    def _endless(self, limit: Limit, patience: float) -> BatchFailed:
        step = limit.lifted or self.held_up
        assert step is not None, "only what was held up has no end"
        return BatchFailed(
            f"batch {self.batch.name}: expected lock_timeout to end its wait behind "
            f"{self.holder.name}, found no end in {patience:g} s",
            at=step.at,
            sql=shown_sql(step.statement.text),
            rows=[said_of(waiting) for waiting in self.crossing.waits],
            fix="Leave lock_timeout as its operator set it, or set a limit of the file's own:"
            " set local lock_timeout = '2s';",
        )


def _come(actor: Actor, table: sql.Identifier, who: Who) -> None:
    """Lock a table as a reader or a writer does, and give it back."""
    # What becomes of the table is for other checks to say.
    with suppress(psycopg.Error), actor.connection.transaction(force_rollback=True):
        lock(actor.connection, table, who)


def _is_lost(session: psycopg.Connection) -> bool:
    """Tell whether the server ended a session; only by asking does it learn of that."""
    with suppress(psycopg.OperationalError):
        session.execute("select 1")
    return session.closed
