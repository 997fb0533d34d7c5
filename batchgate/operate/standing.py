"""Which batches stand on a database, as each tells by its `present` expression."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from batchgate.errors import BatchFailed
from batchgate.gates.presence import is_present
from batchgate.serverwords import gate_words
from batchgate.suite import Batch, Suite
from batchgate.targets.grants import missing_grants

LOCK_TIMEOUT = "5s"


@dataclass(frozen=True)
class Answer:
    """Whether a batch stands; None where it has no `present`, or where asking it failed."""

    batch: Batch
    stands: bool | None
    failure: BatchFailed | None = None

    @property
    def word(self) -> str:
        """Return the answer in a word or two."""
        if self.failure:
            return "no answer"
        if self.stands is None:
            return "cannot be asked" if self.batch.migration else "validation only"
        return "stands" if self.stands else "absent"


@dataclass(frozen=True)
class Standing:
    """The answers of all batches of a suite at one moment, in the order of the suite."""

    answers: tuple[Answer, ...]

    def stands(self, batch: Batch | str) -> bool | None:
        """Tell whether a batch stands; None where it has no `present`.

        Raises BatchFailed where its `present` gave no answer.
        """
        answer = self.answer(batch)
        if answer.failure:
            raise answer.failure
        return answer.stands

    def answer(self, batch: Batch | str) -> Answer:
        """Return what is known of a batch, by itself or by its name."""
        name = batch if isinstance(batch, str) else batch.name
        return next(answer for answer in self.answers if answer.batch.name == name)

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Return the batches that stand."""
        return tuple(answer.batch for answer in self.answers if answer.stands)

    def built_on(self, *names: str) -> tuple[Batch, ...]:
        """Return the batches that stand, and of those that cannot be asked what these require.

        `names` are batches that are to be thought of as standing, too, for what they require.
        """
        known = {answer.batch.name: answer for answer in self.answers}
        needed = {answer.batch.name for answer in self.answers if answer.stands}
        open_names = [*needed, *names]
        while open_names:
            for name in known[open_names.pop()].batch.requires:
                asked = known[name]
                if asked.stands is None and asked.batch.migration and name not in needed:
                    needed.add(name)
                    open_names.append(name)
        return tuple(answer.batch for answer in self.answers if answer.batch.name in needed)

    @property
    def failures(self) -> tuple[BatchFailed, ...]:
        """Return why batches gave no answer."""
        return tuple(answer.failure for answer in self.answers if answer.failure)

    def lacking(self, batch: Batch) -> tuple[str, ...]:
        """Return the names of the batches that this one requires and that are absent."""
        return tuple(name for name in batch.requires if self.answer(name).stands is False)


def standing(connection: psycopg.Connection, suite: Suite) -> Standing:
    """Ask a database which batches stand, all at one moment and without writing.

    A session in a transaction is asked in that, through savepoints.
    """
    idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with connection.transaction(force_rollback=True):
        if idle:
            connection.execute("set transaction isolation level repeatable read, read only")
        # A batch may ask for rows of a table that somebody has locked.
        connection.execute("select pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        return Standing(tuple(_ask(connection, batch) for batch in suite.batches))


def _ask(connection: psycopg.Connection, batch: Batch) -> Answer:
    if not batch.present:
        return Answer(batch, None)
    try:
        with connection.transaction(force_rollback=True):
            return Answer(batch, is_present(connection, batch))
    except BatchFailed as failure:
        return Answer(batch, None, failure)
    except psycopg.Error as error:
        if connection.broken:
            raise
        return Answer(batch, None, _unanswered(connection, batch, error))


def _unanswered(connection: psycopg.Connection, batch: Batch, error: psycopg.Error) -> BatchFailed:
    """Say what kept a batch from an answer, and the grants that it takes."""
    return BatchFailed(
        f"batch {batch.name}: expected `present` to be answered, it was not",
        at=f"{batch.folder.parent.name}/{batch.name}/migration.sql:{batch.header.line('present')}",
        cause=gate_words(error, "", "", 0),
        fix="\n".join(_grants(connection, batch)) or "Ask again.",
    )


def _grants(connection: psycopg.Connection, batch: Batch) -> Sequence[str]:
    """Return the statements that let the role ask; none where that is not what it lacks."""
    try:
        with connection.transaction(force_rollback=True):
            lacking = missing_grants(connection, [batch.present])
    except psycopg.Error:
        return ()
    return [grant for grant in lacking if "pg_read_all_stats" not in grant]
