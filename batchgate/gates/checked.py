"""How many rows a gate's tables hold: counted where they are small, else as last analyzed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg import sql

from batchgate.gates.transaction import hold
from batchgate.limits import Limits, seconds_of
from batchgate.reading import read_query

PAGES = 1000
# Nobody waits for a figure, and nothing is to wait for who counts.
BRIEF = {"statement_timeout": "1s", "lock_timeout": "100ms"}


@dataclass(frozen=True)
class Checked:
    """How many rows there are in all tables together; None where it is not known of one."""

    rows: int | None = None
    exact: bool = False


class _Table(NamedTuple):
    """A table with all its parts; without a schema where its rows cannot be told."""

    schema: str | None
    name: str
    analyzed: int | None
    small: bool

    @property
    def known(self) -> bool:
        return self.schema is not None and (self.small or self.analyzed is not None)


def count_checked(connection: psycopg.Connection, tables: Sequence[str], limits: Limits) -> Checked:
    """Tell how many rows some tables hold, at the snapshot of the open transaction.

    Nothing but tables is read, so that no code of a user's is run. It is for who has a result
    already: an error is no more than not knowing, though the transaction is aborted after it. No
    savepoint: on a standby a conflict within one ends the session. Raises psycopg.Error where the
    connection is lost.
    """
    try:
        hold(connection, limits, **_brief(limits))
        asked = {"tables": list(tables), "pages": PAGES}
        rows = connection.execute(read_query("checked.sql"), asked)
        found = [_Table(*row) for row in rows]
        if not found or not all(table.known for table in found):
            return Checked()
        small = [table for table in found if table.small]
        analyzed = sum(int(table.analyzed or 0) for table in found if not table.small)
        return Checked(_count(connection, small) + analyzed, exact=len(small) == len(found))
    except psycopg.Error:
        if connection.broken:
            raise
        return Checked()


def _count(connection: psycopg.Connection, tables: Sequence[_Table]) -> int:
    if not tables:
        return 0
    counts = [
        sql.SQL("(select pg_catalog.count(*) from {})").format(
            sql.Identifier(str(table.schema), table.name)
        )
        for table in tables
    ]
    row = connection.execute(sql.SQL("select {}").format(sql.SQL(" + ").join(counts))).fetchone()
    assert row is not None, "a query without from returns one row"
    return int(row[0])


def _brief(limits: Limits) -> dict[str, str]:
    """Return limits for what is not worth waiting for; those of the gate where they are lower."""
    given = {name: str(getattr(limits, name)) for name in BRIEF}
    return {
        name: given[name] if 0 < seconds_of(given[name]) < seconds_of(brief) else brief
        for name, brief in BRIEF.items()
    }
