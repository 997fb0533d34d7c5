"""Whether there is anything for a gate to look at: the batches it needs, and rows."""

import psycopg
from psycopg import sql

from batchgate.errors import BatchFailed
from batchgate.faults import cause_of
from batchgate.serverwords import gate_words
from batchgate.suite import Batch

_NO_TABLE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidName)


def is_present(connection: psycopg.Connection, batch: Batch) -> bool:
    """Ask the database whether a batch stands, by the batch's own expression.

    Raises BatchFailed where the answer is neither true nor false.
    """
    query = f"select (\n{batch.present}\n)::boolean".encode()
    try:
        # The extended protocol takes one statement, whatever the expression holds.
        row = connection.execute(query, binary=True).fetchone()
    except psycopg.Error as error:
        # What keeps anyone from an answer says nothing of the expression.
        if cause_of(error, broken=connection.broken):
            raise
        found = gate_words(error, "", "", 0)
    else:
        if row and row[0] is not None:
            return bool(row[0])
        found = "null"
    raise BatchFailed(
        f"batch {batch.name}: expected `present` to be true or false, found {found}",
        at=f"{batch.folder.parent.name}/{batch.name}/migration.sql:{batch.header.line('present')}",
        fix="Ask what can be asked with and without the batch, such as"
        " `to_regclass('orders') is not null`.",
    )


class NoSuchTable(Exception):
    """There is no table of that name; the transaction is aborted."""


def is_empty(connection: psycopg.Connection, table: str) -> bool:
    """Tell whether a table holds no row; the one named is looked up as a statement would.

    Raises NoSuchTable.
    """
    # Asked of the server as it is, not as the snapshot is: what is newer has a name, too.
    try:
        row = connection.execute(
            "select a.object_names from pg_catalog.pg_identify_object_as_address("
            "'pg_catalog.pg_class'::pg_catalog.regclass, %s::pg_catalog.regclass, 0) as a",
            [table],
        ).fetchone()
    except _NO_TABLE:
        raise NoSuchTable(table) from None
    assert row is not None, "the cast to regclass fails where there is no such table"
    query = sql.SQL("select exists (select from {})").format(sql.Identifier(*row[0]))
    exists = connection.execute(query).fetchone()
    return not (exists and exists[0])
