"""What a route would do to large tables while others wait: seen elsewhere, told in rows of here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from batchgate.config import Settings
from batchgate.errors import BatchFailed, BatchgateError, Refused
from batchgate.heights import Heights
from batchgate.locks import Held
from batchgate.operate.likeness import likeness
from batchgate.operate.standing import standing
from batchgate.reading import read_query
from batchgate.rehearsal.locks.growth import Comparison, Growth, Pace, Statement
from batchgate.rehearsal.locks.proof import multiply
from batchgate.rehearsal.locks.trace import Limit, Trace, trace
from batchgate.rehearsal.stage import apply
from batchgate.script import Script
from batchgate.serverwords import masked, shown_sql
from batchgate.suite import Batch, Suite

_ROWS = "row locks"
# What may end its transactions by itself.
_COMMITTING = frozenset({"do", "call"})


@dataclass(frozen=True)
class Burden:
    """Work of a statement on one table of the database while others wait for a lock.

    `lock` is the mode in the words of LOCK TABLE, `locked` the relation that it is on, `stops` who
    waits meanwhile; `does` is scans, rewrites, writes, or locks rows of. `rows` and `size_bytes`
    are the table's on the database; None is not known.
    """

    table: str
    lock: str
    does: str
    rows: int | None
    size_bytes: int | None
    statement: str
    at: str
    locked: str
    stops: str

    @property
    def of_rows(self) -> bool:
        """Tell whether only writers to the same rows wait, and no one else."""
        return self.lock == _ROWS


class NotWeighed(Refused):
    """What a route would do was not measured, which is not to say that it does nothing."""


@dataclass(frozen=True)
class _Start:
    """Where a route begins: a height, and what is applied there first without a sample."""

    height: Batch | None
    first: tuple[Batch, ...] = ()
    sample: bool = True


def weigh(
    connection: psycopg.Connection[Any], settings: Settings, suite: Suite, batch: Batch, path: Path
) -> list[Burden]:
    """Return what a route of a batch would do on a database while others wait for its locks.

    It runs on a throw-away server with the sample data, on top of the batches that stand on the
    database; one that stands already and is run once more, as if it did not. Of the database only
    sizes are read. Raises NotWeighed where it could not be measured.
    A rollback works on what its batch has on record, hence also on top of rows that were more
    before the batch was applied: what either way finds counts.
    """
    stands = standing(connection, suite)
    batches = _without(batch, stands.built_on(batch.name))
    starts = [_Start(batches[-1] if batches else None)]
    recorded = None
    if path == batch.rollback:
        recorded = _before(batches, batch)
        batches = sorted([*batches, batch], key=lambda each: each.number)
        # On top of its own rows or, where its rollback would not take those, of none.
        starts = [_Start(batches[-1]), recorded]
    # Rows may be in the way that are none of this database's.
    starts.append(replace(starts[0], sample=False))
    major = connection.info.server_version // 10000
    with _measurable(batch, path), likeness(settings, suite, batches, major) as there:
        script = Script(path, settings.root)
        statements = _run(there.heights, script, starts).statements()
        if recorded:
            with suppress(BatchFailed):
                statements += _run(there.heights, script, [recorded]).statements()
        for each in statements:
            _expect_seen(each)
    found = {one: None for each in statements for one in _burdens(each)}
    return list(_with_sizes(connection, list(found)))


def _without(batch: Batch, batches: Sequence[Batch]) -> list[Batch]:
    """Return the batches that can stand without one: neither it nor what requires it."""
    gone = {batch.name}
    for each in batches:
        if gone.intersection(each.requires):
            gone.add(each.name)
    return [each for each in batches if each.name not in gone]


def _before(batches: Sequence[Batch], batch: Batch) -> _Start:
    """Return where a batch is applied with those above it, so that it has all rows on record."""
    below = [each for each in batches if each.number < batch.number]
    return _Start(below[-1] if below else None, (batch, *batches[len(below) :]))


@contextmanager
def _measurable(batch: Batch, path: Path) -> Iterator[None]:
    """Say of whatever goes wrong that it kept the route from being measured."""
    try:
        yield
    except BatchgateError as error:
        said = error.message
        raise NotWeighed(
            f"batch {batch.name}: expected to measure what {path.name} does to tables,"
            " it could not be measured",
            at=said.at,
            cause="\n".join(filter(None, (said.headline, said.cause))),
            fix=said.fix,
        ) from error


def _run(heights: Heights, script: Script, starts: Sequence[_Start]) -> Comparison:
    """Run a route from the first start that it goes through from, with few rows and with many."""
    failures = []
    for start in starts:
        try:
            few = _trace(heights, script, start)
            _expect_through(few)
        except BatchFailed as failure:
            failures.append(failure)
            continue
        if not any(few.ground.rows.values()) or not any(work.done for work in few.works):
            return Comparison(few, None, {})
        refused: dict[str, str] = {}
        try:
            return Comparison(few, _trace(heights, script, start, few.limit, refused), refused)
        except BatchFailed as failure:
            return Comparison(few, None, dict.fromkeys(few.ground.rows, failure.message.headline))
    raise failures[0]


def _expect_through(trace: Trace) -> None:
    if error := trace.run.error:
        raise BatchFailed(
            f"on a throw-away server statement {error.number} of {error.of} failed",
            at=error.at,
            sql=shown_sql(error.sql),
            cause=masked(error.cause, error.sqlstate),
            fix="Look whether the batch applies here at all: its README lists the known causes.",
        )


def _trace(
    heights: Heights,
    script: Script,
    start: _Start,
    limit: Limit | None = None,
    refused: dict[str, str] | None = None,
) -> Trace:
    """Run a route and keep what each statement held and did; with `refused`, with more rows."""
    with (
        heights.clone(start.height, sample=start.sample) as database,
        heights.connect(database) as observer,
    ):
        if refused is not None:
            refused.update(multiply(observer))
        for batch in start.first:
            apply(heights, database, batch)
        return trace(observer, partial(heights.connect, database), script, limit)


def _expect_seen(statement: Statement) -> None:
    """Expect that no lock was missed of what ends its transactions by itself."""
    if statement.work.lost and statement.verb in _COMMITTING:
        raise BatchFailed(
            f"{statement.verb} commits in between, and not all of its locks were seen",
            at=statement.work.at,
            fix="Let each transaction be a statement of its own, such as \\gexec makes them.",
        )


def _burdens(statement: Statement) -> Iterator[Burden]:
    """Return what a statement does to tables while others wait; what cannot be told counts."""
    if held := statement.stopping:
        for growth in (*statement.working, *statement.unknown):
            yield _burden(statement, growth, held.mode.statement.upper(), held)
    elif not statement.work.beside:
        for growth in statement.growths:
            if _locks_more(growth):
                yield _burden(statement, growth, _ROWS, None)


def _locks_more(growth: Growth) -> bool:
    """Tell whether more rows stay locked where there are more, or may do so."""
    few, many = growth.few.locked, growth.many.locked if growth.many else None
    if many is None:
        return few > 0 and growth.pace is not Pace.STEADY
    return many > 0 and many >= 2 * few


def _burden(statement: Statement, growth: Growth, lock: str, held: Held | None) -> Burden:
    done = growth.many or growth.few
    if held is None:
        does, locked, stops = "locks rows of", growth.table, "writes to the same rows"
    else:
        does = "rewrites" if done.rewritten else "writes" if done.written else "scans"
        locked, stops = held.relation, held.mode.stops
    return Burden(
        table=growth.table,
        lock=lock,
        does=does,
        rows=None,
        size_bytes=None,
        statement=statement.verb,
        at=statement.work.at,
        locked=locked,
        stops=stops,
    )


def _with_sizes(connection: psycopg.Connection[Any], burdens: Sequence[Burden]) -> Iterator[Burden]:
    sizes = _sizes(connection, sorted({burden.table for burden in burdens}))
    for burden in burdens:
        rows, size = sizes.get(burden.table, (None, None))
        yield replace(burden, rows=rows, size_bytes=size)


def _sizes(
    connection: psycopg.Connection[Any], tables: Sequence[str]
) -> Mapping[str, tuple[int | None, int]]:
    """Read how large tables are; where somebody keeps one locked, how large it was last seen."""
    try:
        return _read_sizes(connection, tables, exactly=True)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
        return _read_sizes(connection, tables, exactly=False)


def _read_sizes(
    connection: psycopg.Connection[Any], tables: Sequence[str], *, exactly: bool
) -> Mapping[str, tuple[int | None, int]]:
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute("set local lock_timeout = '2s'")
        asked = {"names": list(tables), "exactly": exactly}
        cursor.execute(read_query("sizes.sql"), asked, prepare=False)
        return {name: (rows, size) for name, rows, size in cursor}
