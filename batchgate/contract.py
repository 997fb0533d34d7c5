"""What a snapshot sees of every column of the server's catalogs, and what it passes over and why.

``queries/contract.tsv`` has a line for each column and the majors that have it: the class and
attribute it is seen as, with the server's function where it is one that reads it, or `ignored`
and the reason.
"""

from collections.abc import Set
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import psycopg

from batchgate.errors import BatchgateError
from batchgate.reading import read_query

_IGNORED = "ignored"


class Column(NamedTuple):
    """One column of a catalog: what it is seen as, and by what, or why it is ignored."""

    catalog: str
    name: str
    first: int
    last: int
    seen_as: str
    by: str

    @property
    def ignored(self) -> bool:
        """Tell whether a snapshot passes this column over."""
        return self.seen_as == _IGNORED

    def __str__(self) -> str:
        return f"{self.catalog}.{self.name}"


@cache
def contract() -> tuple[Column, ...]:
    """Return every column that has been thought about."""
    text = (files("batchgate") / "queries" / "contract.tsv").read_text(encoding="utf-8")
    columns = []
    for line in text.splitlines()[1:]:
        catalog, name, majors, seen_as, *by = line.split("\t")
        first, _, last = majors.partition("-")
        columns.append(Column(catalog, name, int(first), int(last), seen_as, "".join(by)))
    return tuple(columns)


def columns_of(major: int) -> dict[str, Column]:
    """Return the columns that a server of this major has; a later one should have the last's."""
    major = min(major, max(column.last for column in contract()))
    return {str(column): column for column in contract() if column.first <= major <= column.last}


def found_columns(connection: psycopg.Connection) -> Set[str]:
    """Return the columns that the server's own catalogs have."""
    query = read_query("catalog_columns.sql")
    return {name for (name,) in connection.execute(query)}


def expect_known_catalogs(connection: psycopg.Connection) -> None:
    """Raise BatchgateError where a catalog has other columns than have been thought about.

    What a new one holds could differ and no snapshot would see it.
    """
    major = connection.info.server_version // 10000
    found, known = found_columns(connection), columns_of(major)
    new = [f"{name} is not known" for name in sorted(found - known.keys())]
    gone = [
        f"{name} is not there" for name in sorted(known.keys() - found) if not known[name].ignored
    ]
    if new or gone:
        majors = {column.first for column in contract()} | {column.last for column in contract()}
        raise BatchgateError(
            f"server: expected the catalogs of PostgreSQL {min(majors)} to {max(majors)}, found "
            f"in PostgreSQL {major} that {(new + gone)[0]}",
            rows=new + gone,
            fix="Run a major that is known, or take a batchgate that knows this one.",
        )
