"""A batch there and back, statement by statement: the rows of its tables after each of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import psycopg

from batchgate.contents import Contents, Stored, take_contents
from batchgate.heights import Heights
from batchgate.psqlfile import Script
from batchgate.rehearsal.course import stepwise
from batchgate.rehearsal.data.sights import (
    Rows,
    Sight,
    by_name,
    by_number,
    figures,
    tables_of,
    take_rows,
)
from batchgate.rehearsal.stage import apply, below, watched
from batchgate.suite import Batch

MIGRATION, ROLLBACK = "migration.sql", "rollback.sql"

# What an application writes to a database in between; the observer looks on.
Write = Callable[[str, psycopg.Connection], None]


class Frame(NamedTuple):
    """What stood after a statement: rows by the names of tables, and by the tables themselves."""

    file: str
    at: str
    named: Mapping[str, Rows]
    numbered: Mapping[str, Rows]


def shoot(
    heights: Heights,
    batch: Batch,
    tables: Collection[str],
    *,
    write: Write | None = None,
    zone: str = "",
) -> list[Frame]:
    """Apply a batch and roll it back with a look at some tables after every statement.

    `zone` is the time zone of the session that rolls back, where it is to be another one.
    """
    frames: list[Frame] = []
    with watched(heights, below(heights, batch)) as (database, observer):
        look = _Lens([one for one in tables_of(observer) if one.identity in tables])
        frames.append(Frame("", "", *look(observer)))
        frames += _run(heights, database, batch, MIGRATION, look)
        if write:
            write(database, observer)
            frames.append(Frame("", "", *look(observer)))
        frames += _run(heights, database, batch, ROLLBACK, look, zone)
    return frames


def _run(
    heights: Heights, database: str, batch: Batch, file: str, look: "_Lens", zone: str = ""
) -> list[Frame]:
    script = Script(batch.folder / file, heights.settings.root)
    with heights.connect(database) as session:
        # What is prepared for the looks would not outlive the file's DISCARD ALL.
        session.prepare_threshold = None
        if zone:
            session.execute("select set_config('TimeZone', %s, false)", (zone,))
        return [Frame(file, at, *seen) for at, _, seen in stepwise(session, script, look)]


def last_changes(
    heights: Heights, batch: Batch, names: Collection[str], write: Write
) -> dict[str, str]:
    """Name the statement of a rollback that changed each table or sequence last."""
    with watched(heights, below(heights, batch)) as (database, observer):
        apply(heights, database, batch)
        write(database, observer)
        script = Script(batch.folder / ROLLBACK, heights.settings.root)
        with heights.connect(database) as session:
            session.prepare_threshold = None
            return {
                name: at
                for at, before, after in stepwise(session, script, take_contents)
                for name in names
                if _holdings(before, name) != _holdings(after, name)
            }


def _holdings(contents: Contents, name: str) -> object:
    """Return what a table or a sequence holds, or None where there is none of that name."""
    return contents.tables.get(name) or contents.sequences.get(name)


class _Lens:
    """Looks at the tables that stood first; what did not change is not read again."""

    def __init__(self, first: list[Stored]) -> None:
        self._first = first
        self._seen: dict[tuple[str, str], tuple[object, Rows]] = {}

    def __call__(self, session: psycopg.Connection[Any]) -> tuple[dict[str, Rows], dict[str, Rows]]:
        now = tables_of(session)
        names, numbers = by_name(self._first, now), by_number(self._first, now)
        named = self._read(session, "name", names)
        apart = {name: sight for name, sight in numbers.items() if sight != names.get(name)}
        same = {name: named[name] for name in numbers.keys() - apart.keys()}
        return named, same | self._read(session, "number", apart)

    def _read(
        self, session: psycopg.Connection[Any], by: str, sights: Mapping[str, Sight]
    ) -> dict[str, Rows]:
        sums = figures(session, sights.values())
        fresh = {
            name: sight
            for name, sight in sights.items()
            if (by, name) not in self._seen or self._seen[by, name][0] != (sums[name], sight)
        }
        for name, rows in take_rows(session, fresh.values()).items() if fresh else ():
            self._seen[by, name] = (sums[name], sights[name]), rows
        return {name: self._seen[by, name][1] for name in sights}
