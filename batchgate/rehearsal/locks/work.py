"""What one statement does to the tables that stood before: rows read, rows written, rewrites.

The server counts for itself; here are the ground it is counted on and the differences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.locks import Mode
from batchgate.reading import read_query

# Bits of pg_event_trigger_table_rewrite_reason(), as event_trigger.h has them.
_REASONS = {
    1: "logged or unlogged",
    2: "values worked out row by row",
    4: "column type",
    8: "access method",
}
# What gives a table new files by itself and without telling event triggers.
_REWRITING = {"vacuum": "vacuum full", "cluster": "cluster", "refresh": "refresh"}
_REWRITING |= {"reindex": "reindex"}
_SHARED_SINCE = 150000  # before, a collector writes the shared counters down in its own time


class Relation(NamedTuple):
    """A relation that stood before, and the table that it belongs to or is."""

    identifier: sql.Identifier
    name: str
    kind: str
    home: str


@dataclass(frozen=True)
class Ground:
    """What stood before a file ran: relations by oid, and the rows of every table."""

    relations: Mapping[int, Relation]
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Done:
    """What was done to one table; `locked` rows stay so to other writers until the end."""

    scans: int = 0
    read: int = 0
    written: int = 0
    locked: int = 0
    rewritten: str = ""
    rebuilt: int = 0

    @property
    def rows(self) -> int:
        """Return how many rows that was."""
        return max(self.read, self.written, self.rebuilt)

    def __add__(self, other: "Done") -> "Done":
        """Return what was done here and there."""
        return Done(
            scans=self.scans + other.scans,
            read=self.read + other.read,
            written=self.written + other.written,
            locked=self.locked + other.locked,
            rewritten=self.rewritten or other.rewritten,
            rebuilt=self.rebuilt + other.rebuilt,
        )


class Counts(NamedTuple):
    """The counters of one relation, and the file and tablespace that it lies in."""

    scans: int = 0
    read: int = 0
    written: int = 0
    locked: int = 0
    file: int = 0
    space: int = 0


class Counters(NamedTuple):
    """All counters at one moment, the server's log position, and what the event triggers told.

    `unlocked` are the counters at the last command that came before the transaction held a lock
    that others wait for.
    """

    counts: Mapping[int, Counts]
    wal: int = 0
    rewrites: str = ""
    unlocked: str = ""


def survey(observer: psycopg.Connection[Any]) -> Ground:
    """Read what stands now."""
    with observer.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(read_query("standing.sql")).fetchall()
        relations = {
            oid: Relation(sql.Identifier(schema, name), shown, kind, home)
            for oid, schema, name, shown, kind, home, _ in found
        }
        counts = [
            sql.SQL("select {}, count(*) from {}").format(relation.name, relation.identifier)
            for relation, (*_, populated) in zip(relations.values(), found, strict=True)
            if relation.kind in "rm" and populated
        ]
        rows = cursor.execute(sql.SQL(" union all ").join(counts)).fetchall() if counts else []
        if observer.info.server_version >= _SHARED_SINCE:
            # Or our own reading would be counted in the middle of what we look at.
            cursor.execute("select pg_catalog.pg_stat_force_next_flush()")
    return Ground(relations, dict(rows))


def tell_sessions(observer: psycopg.Connection[Any], ground: Ground) -> None:
    """Have the server tell sessions what event triggers hear, while this observer is connected."""
    with observer.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute("select from pg_catalog.pg_language where lanname = 'plpgsql'")
        if found.fetchone() is not None:
            query = sql.SQL(read_query("tell_session.sql").decode())
            strong = [str(mode) for mode in Mode if mode.blocks_writes]
            among = [oid for oid, relation in ground.relations.items() if relation.kind != "S"]
            cursor.execute(query.format(ground=_array(among), strong=_array(strong)))


def read_counters(
    connection: psycopg.Connection[Any], ground: Ground, *, between: bool = False
) -> Counters:
    """Read the counters of a session, over that session itself.

    Two readings are only to be compared within one transaction, or both `between` transactions.
    """
    shared = between and connection.info.server_version >= _SHARED_SINCE
    among = [oid for oid, relation in ground.relations.items() if relation.kind in "rmi"]
    # Not connection.cursor(): the caller may have put its own in place of it.
    with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute(
            read_query("counters.sql"), {"shared": shared, "among": among}, prepare=False
        )
        rows = cursor.fetchall()
    if not rows:
        return Counters({})
    wal, rewrites, unlocked = rows[0][-3:]
    counts = {oid: Counts(*counts) for oid, *counts, _, _, _ in rows}
    return Counters(counts, wal, rewrites or "", unlocked or "")


def when_locked(before: Counters, after: Counters) -> Counters:
    """Return the counters from which on a lock was held that others wait for.

    They are those before the statement, unless a command within it came without such a lock.
    """
    counts = dict(before.counts)
    for told in after.unlocked.split():
        oid, *seen = map(int, told.split(":"))
        was = counts.get(oid)
        if was is not None:
            scans, read, written = map(max, seen, was)
            counts[oid] = was._replace(scans=scans, read=read, written=written)
    return before._replace(counts=counts)


def done_between(
    before: Counters, after: Counters, ground: Ground, word: str
) -> Mapping[str, Done]:
    """Return by table what was done between two readings; `word` is how the statement begins."""
    told = _reasons(before.rewrites, after.rewrites)
    done: dict[str, Done] = {}
    for oid, now in after.counts.items():
        was = before.counts.get(oid, now)
        if now != was:
            relation = ground.relations[oid]
            why = told.get(oid, "") or _unsaid(was, now, word)
            so_far = done.get(relation.home, Done())
            done[relation.home] = _with(so_far, was, now, relation, why, ground)
    return {table: each for table, each in done.items() if each != Done()}


def _with(
    done: Done, was: Counts, now: Counts, relation: Relation, why: str, ground: Ground
) -> Done:
    """Add what one relation shows to what was done to its table.

    That an index was scanned says nothing: to look up one row is a scan, too.
    """
    of_index = relation.kind == "i"
    return Done(
        scans=done.scans + (0 if of_index else now.scans - was.scans),
        read=done.read + now.read - was.read,
        written=done.written + now.written - was.written,
        locked=done.locked + now.locked - was.locked,
        rewritten=done.rewritten if of_index else why,
        rebuilt=ground.rows.get(relation.home, 0) if why else done.rebuilt,
    )


def _unsaid(was: Counts, now: Counts, word: str) -> str:
    """Return why a relation has other files where no event trigger was told.

    Such as TRUNCATE alone leaves behind are no work, and there is no reason to give.
    """
    if now.space != was.space:
        return "tablespace"
    if now.file == was.file:
        return ""
    return _REWRITING.get(word) or ("anew" if now.read > was.read else "")


def _array(values: Sequence[int | str]) -> sql.Literal:
    return sql.Literal("{" + ",".join(map(str, values)) + "}")


def _reasons(before: str, after: str) -> dict[int, str]:
    """Return in words why which relation was rewritten since an earlier reading."""
    new = after.removeprefix(before).split()
    pairs = (pair.partition(":") for pair in new)
    return {int(oid): _in_words(int(bits)) for oid, _, bits in pairs}


def _in_words(bits: int) -> str:
    return " and ".join(words for bit, words in _REASONS.items() if bits & bit)
