"""What a file must prove of its locks: none that others wait for while it works on many rows."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from batchgate.batches import FileRun
from batchgate.copies import copy_rows
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.locks import Mode
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.locks.advice import Definitions, read_definitions, safe_ways
from batchgate.rehearsal.locks.growth import (
    Comparison,
    Pace,
    Statement,
    described,
    in_words,
    strongest,
)
from batchgate.rehearsal.locks.spans import locks_held
from batchgate.rehearsal.locks.trace import Trace, trace
from batchgate.rehearsal.stage import apply, below, run, shown, watched
from batchgate.script import Script
from batchgate.serverwords import masked
from batchgate.suite import Batch

TIMES = 3  # copies of each row: with the rows that stand, four times as many
_SHOWN = 20
_LOCKS_SHOWN = 3
_EXPECTED = "no lock that others wait for during work that grows with the rows"
# What may commit in between: that it worked while it held its locks was not seen.
_COMMITTING = frozenset({"do", "call"})


class _Start(NamedTuple):
    """Where a file begins: a height, and whether the batch is applied there first."""

    height: Batch | None
    applying: bool = False


class _Runs(NamedTuple):
    """A file's runs side by side, and what it made, for the advice."""

    file: str
    compared: Comparison
    made: Definitions


def migration_holds_no_lock(heights: Heights, batch: Batch) -> Evidence:
    """Prove it of the migration; where an online route does without, say it only."""
    runs = _run(heights, batch, batch.migration, [_Start(below(heights, batch))])
    mild = "for small tables only, see migration.online.sql" if batch.online else ""
    return _judge(heights, batch, runs, mild)


def online_holds_no_lock(heights: Heights, batch: Batch) -> Evidence:
    """Prove it of the online route, which is there for tables that stay in use."""
    runs = _run(heights, batch, batch.online, [_Start(below(heights, batch))])
    return _judge(heights, batch, runs, "")


def rollback_holds_no_lock(heights: Heights, batch: Batch) -> Evidence:
    """Prove it of the rollback; of a batch that has an online route, say it only.

    It begins where the batch's own sample data stands, too, if it goes through from there.
    """
    starts = [_Start(batch), _Start(below(heights, batch), applying=True)]
    runs = _run(heights, batch, batch.rollback, starts)
    return _judge(heights, batch, runs, "plan a quiet hour" if batch.online else "")


def _run(heights: Heights, batch: Batch, path: Path | None, starts: Sequence[_Start]) -> _Runs:
    """Run a file from the first start that it goes through from, else from the last."""
    assert path is not None, "a check is only made of a file that is there"
    script = Script(path, heights.settings.root)
    last = starts[-1]
    for start in starts:
        with watched(heights, start.height) as (database, observer):
            if start.applying:
                apply(heights, database, batch)
            before = read_definitions(observer)
            few = trace(observer, partial(heights.connect, database), script)
            if few.run.error and start is last:
                ran = FileRun(batch, shown(heights, path), few.run, 0.0)
                raise ran.failure(f"{path.name} to go through")
            if few.run.error:
                continue
            compared = Comparison(few, *_run_larger(heights, batch, script, start, few))
            if not compared.stopped or start is last:
                return _Runs(path.name, compared, read_definitions(observer) - before)
    raise AssertionError("the last start either returns or raises")


def _run_larger(
    heights: Heights, batch: Batch, script: Script, start: _Start, few: Trace
) -> tuple[Trace | None, Mapping[str, str]]:
    """Run a file with four times the rows, where there are rows and it works on any."""
    if not any(few.ground.rows.values()) or not any(work.done for work in few.works):
        return None, {}
    with watched(heights, start.height) as (database, observer):
        refused = multiply(observer)
        if start.applying and not run(heights, database, batch, batch.migration).succeeded:
            reason = "the migration does not go through with four times the rows"
            return None, dict.fromkeys(few.ground.rows, reason)
        return trace(observer, partial(heights.connect, database), script, few.limit), refused


def multiply(observer: psycopg.Connection[Any]) -> dict[str, str]:
    """Make four times the rows; return why a table could not be given more."""
    refused = copy_rows(observer, TIMES).refused
    if refused:
        # What was tried and taken back lies there still, and would be read along with the rows.
        observer.execute("vacuum")
    return {**refused, **_refresh(observer)}


def _refresh(observer: psycopg.Connection[Any]) -> dict[str, str]:
    """Bring materialized views up to the rows that were added; return why one could not."""
    refused = {}
    with observer.cursor() as cursor:
        for schema, name, shown_name in cursor.execute(_VIEWS).fetchall():
            try:
                cursor.execute(_REFRESH.format(sql.Identifier(schema, name)))
            except psycopg.Error as error:
                words = error.diag.message_primary or str(error)
                refused[shown_name] = masked(words, error.sqlstate or "")
    return refused


def _judge(heights: Heights, batch: Batch, runs: _Runs, mild: str) -> Evidence:
    """Raise BatchFailed for statements that hold up others; `mild` says why that may be."""
    statements = runs.compared.statements()
    limit = heights.settings.locked_rows
    guilty = [one for one in statements if _holds_up(one, limit)]
    seen = locks_held(runs.file, statements, guilty, mild)
    if guilty and not mild:
        found = f"{len(guilty)} statement{'s' if len(guilty) > 1 else ''} that hold"
        raise BatchFailed(
            f"batch {batch.name}: expected {_EXPECTED}, found {found}{'' if guilty[1:] else 's'} "
            "one",
            at=guilty[0].work.at,
            rows=_capped([str(one) for one in guilty]),
            fix=safe_ways(guilty, runs.made),
            particulars=seen,
        )
    unexercised = dict.fromkeys(line for one in statements for line in _not_told(one))
    return Evidence(_notes(statements, guilty, mild), _capped(list(unexercised)), seen)


def _notes(
    statements: Sequence[Statement], guilty: Sequence[Statement], mild: str
) -> tuple[str, ...]:
    """Return a line for each statement of interest; of very many, those that do the most."""
    notes = [
        (one not in guilty, not one.growths, f"{mild}: {one}" if one in guilty else note)
        for one in statements
        if (note := _note(one)) or one in guilty
    ]
    chosen = sorted(range(len(notes)), key=lambda place: notes[place][:2])[:_SHOWN]
    more = len(notes) - len(chosen)
    lines = [notes[place][-1] for place in sorted(chosen)]
    return (*lines, f"… and {more} more") if more else tuple(lines)


def _holds_up(statement: Statement, limit: int) -> bool:
    rows = sum(growth.rows for growth in statement.working)
    return bool(statement.stopping) and rows > limit and not _commits(statement)


def _commits(statement: Statement) -> bool:
    return statement.work.beside and statement.verb in _COMMITTING


def _not_told(statement: Statement) -> Sequence[str]:
    """Return what could not be judged of a statement that others wait for."""
    place = f"{statement.work.at}: {statement.verb}"
    if statement.work.lost and statement.verb in _COMMITTING:
        return (f"{place} commits in between, and not all of its locks were seen",)
    if not statement.stopping:
        return ()
    place += f" holds {statement.wait}"
    if _commits(statement) and statement.working:
        return (f"{place} at some time, and commits in between: not seen whether it works then",)
    return tuple(
        f"{place} and goes through {growth.table}: {growth.reason}" for growth in statement.unknown
    )


def _note(statement: Statement) -> str:
    """Return in a line what a statement holds and does, or nothing where that is of no interest."""
    locks = strongest(statement.work, Mode.SHARE_UPDATE_EXCLUSIVE)
    done = [growth for growth in statement.growths if growth.rows]
    if not locks and not any(
        growth.pace is not Pace.STEADY or growth.few.written for growth in done
    ):
        return ""
    said = [described(held) for held in locks[:_LOCKS_SHOWN]]
    said += [f"and {len(locks) - _LOCKS_SHOWN} more"] if locks[_LOCKS_SHOWN:] else []
    parts = [", ".join(said), in_words(done), *dict.fromkeys(statement.work.phases)]
    locking = any(growth.few.locked and growth.pace is Pace.GROWS for growth in done)
    if locking and not statement.work.beside:
        parts.append("these rows stay locked until the commit: writers to the same rows wait")
    if done and statement.wal:
        parts.append(f"WAL up to {_size(statement.wal)}")
    return f"{statement.work.at}: {statement.verb}: " + "; ".join(part for part in parts if part)


def _size(count: int) -> str:
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:.0f} MB"


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - _SHOWN
    return (*lines[:_SHOWN], f"… and {more} more") if more > 0 else tuple(lines)


_VIEWS = """
    select n.nspname, c.relname, format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'm' and c.relispopulated
    order by c.oid
"""
_REFRESH = sql.SQL("refresh materialized view {}")
