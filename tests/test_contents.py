"""Every change of data is seen and located, and no value of a row is shown."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from batchgate.contents import (
    Contents,
    ContentsDifference,
    SequencePosition,
    TableContents,
    compare_contents,
    take_contents,
)

Connection = psycopg.Connection[Any]

BASE = """
create table "Bin" (id integer primary key, "Label" text, data jsonb, made_at timestamptz, t text);
create table line (bin_id integer, place integer, words text, primary key (bin_id, place));
create table loose (words text);
create table bare ();
create table empty (id integer);
create table log (at date, words text) partition by range (at);
create table log_rest partition of log default;
create table tool (power integer) inherits (line);
create materialized view tally as select count(*) as bins from "Bin";
create materialized view unmade as select 1 as one with no data;
create sequence ticket;
insert into "Bin" values (1, 'a', '{"x": 1}', '2025-11-10 08:00+00', 't');
insert into "Bin" values (2, 'b', 'null', null, null);
insert into line values (1, 1, 'one'), (1, 2, 'two');
insert into loose values ('same'), ('same'), ('other');
insert into log values ('2025-11-10', 'x');
insert into tool values (7, 1, 'tool', 3);
"""


@pytest.fixture(scope="module")
def database(batchgate_server: Any) -> Iterator[dict[str, Any]]:
    server, name = batchgate_server, f"contents_{uuid4().hex}"
    address = {"host": server.host, "port": server.port, "user": server.user}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(**address, dbname=name) as connection:
                connection.execute(BASE.encode())
            yield address | {"dbname": name}
        finally:
            maintenance.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


@pytest.fixture
def connection(database: dict[str, Any]) -> Iterator[Connection]:
    with psycopg.connect(**database) as connection:
        yield connection
        connection.rollback()


def changed(connection: Connection, statements: str) -> list[str]:
    before = take_contents(connection)
    connection.execute(statements.encode())
    return [str(difference) for difference in compare_contents(before, take_contents(connection))]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            """insert into "Bin" values (3)""",
            ['changed: table public."Bin": 2 rows → 3 rows'],
            id="a row more",
        ),
        pytest.param(
            "delete from log",
            ["changed: table public.log: 1 row → 0 rows"],
            id="a row of a partition less",
        ),
        pytest.param(
            """update "Bin" set "Label" = 'A' where id = 1""",
            ['changed: table public."Bin": 2 rows → 2 rows, with other contents'],
            id="a value changed",
        ),
        pytest.param(
            """update "Bin" set t = 'T' where id = 1""",
            ['changed: table public."Bin": 2 rows → 2 rows, with other contents'],
            id="a value changed beside a column named like an alias",
        ),
        pytest.param(
            'update "Bin" set data = null where id = 2',
            ['changed: table public."Bin": 2 rows → 2 rows, with other contents'],
            id="a json null made an SQL null",
        ),
        pytest.param(
            """update "Bin" set made_at = made_at + interval '1 microsecond'""",
            ['changed: table public."Bin": 2 rows → 2 rows, with other contents'],
            id="a microsecond later",
        ),
        pytest.param(
            "update line set words = case place when 1 then 'two' else 'one' end where bin_id = 1",
            ["changed: table public.line: 2 rows → 2 rows, with other contents"],
            id="values changed places",
        ),
        pytest.param(
            "delete from loose where ctid = (select max(ctid) from loose where words = 'same');"
            " insert into loose values ('other')",
            ["changed: table public.loose: 3 rows → 3 rows, with other contents"],
            id="another row twice",
        ),
        pytest.param(
            "update tool set words = 'tools'",
            ["changed: table public.tool: 1 row → 1 row, with other contents"],
            id="a row of a child",
        ),
        pytest.param(
            "insert into bare default values",
            ["changed: table public.bare: 0 rows → 1 row"],
            id="a row without columns",
        ),
        pytest.param(
            """insert into "Bin" values (3); refresh materialized view tally""",
            [
                'changed: table public."Bin": 2 rows → 3 rows',
                "changed: table public.tally: 1 row → 1 row, with other contents",
            ],
            id="a materialized view refreshed",
        ),
        pytest.param(
            "drop table empty",
            ["destroyed: table public.empty: 0 rows"],
            id="a table gone",
        ),
        pytest.param(
            "create table more (id integer)",
            ["left behind: table public.more: 0 rows"],
            id="a table more",
        ),
        pytest.param(
            "select lo_create(7)",
            ["left behind: large objects: 1 row"],
            id="an empty large object",
        ),
        pytest.param(
            "alter sequence ticket restart with 5; select nextval('ticket')",
            ["changed: sequence public.ticket: at 1 → after 5"],
            id="a sequence moved",
        ),
    ],
)
def test_a_change_is_seen(connection: Connection, statements: str, expected: list[str]) -> None:
    assert changed(connection, statements) == expected


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param('update "Bin" set id = id', id="rows rewritten"),
        pytest.param(
            "create table kept as select * from only line; truncate only line;"
            " insert into line select * from kept order by place desc; drop table kept",
            id="rows in another order",
        ),
        pytest.param(
            'alter table "Bin" add late text; update "Bin" set late = t;'
            ' alter table "Bin" drop t; alter table "Bin" rename late to t',
            id="columns in another order",
        ),
        pytest.param("set timezone = 'Asia/Tokyo'; set datestyle = 'German'", id="other settings"),
        pytest.param(
            "insert into loose values ('x'); delete from loose where words = 'x'", id="undone"
        ),
    ],
)
def test_what_is_no_change_is_not_reported(connection: Connection, statements: str) -> None:
    assert changed(connection, statements) == []


def test_tables_without_rows_are_told_apart_from_equal_ones(connection: Connection) -> None:
    contents = take_contents(connection)
    assert contents.not_exercised() == ["public.bare", "public.empty"]
    assert contents.tables["public.line"].key == ("bin_id", "place")
    assert contents.tables["public.loose"].key == ()
    assert set(contents.sequences) == {"public.ticket"}


def test_partitions_are_counted_once_and_what_is_not_populated_not_at_all(
    connection: Connection,
) -> None:
    names = set(take_contents(connection).tables)
    assert {"public.log", "public.tally"} <= names
    assert not names & {"public.log_rest", "public.unmade"}


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        pytest.param("json", '{"a":1, "b":2}', '{"b":2, "a":1}', id="order-of-a-document"),
        pytest.param("json", '{"a": 1}', '{"a":1}', id="blanks-in-a-document"),
        pytest.param("json[]", '{"{\\"a\\": 1}"}', '{"{\\"a\\":1}"}', id="documents-in-an-array"),
        pytest.param("jsonb", "null", None, id="null-of-a-document"),
        pytest.param("text", "", None, id="nothing-and-null"),
        pytest.param("text", "a ", "a", id="blank-at-the-end"),
        pytest.param("bpchar", "a ", "a", id="blank-of-a-character"),
        pytest.param("numeric", "1.50", "1.5", id="scale"),
        pytest.param("float8", "0", "-0", id="sign-of-nothing"),
        pytest.param("float8", "0.1", "0.10000000000000002", id="last-digit"),
        pytest.param("int[]", "{1,2}", "[0:1]={1,2}", id="bounds-of-an-array"),
        pytest.param("interval", "1 day", "24:00", id="a-day-and-its-hours"),
        pytest.param("timestamptz", "infinity", "-infinity", id="endless"),
        pytest.param("int4range", "[1,2)", "empty", id="range"),
        pytest.param("money", "1.00", "1.01", id="money"),
        pytest.param("bytea", r"\x00", r"\x", id="zero-byte"),
    ],
)
def test_a_value_is_told_from_one_that_is_nearly_the_same(
    connection: Connection, type_: str, before: str, after: str | None
) -> None:
    connection.execute(sql.SQL("create table near (v {})").format(sql.SQL(type_)))
    connection.execute("insert into near values (%s)", (before,))
    first = take_contents(connection)
    connection.execute(sql.SQL("update near set v = {}").format(sql.Literal(after)))
    assert [str(one) for one in compare_contents(first, take_contents(connection))] == [
        "changed: table public.near: 1 row → 1 row, with other contents"
    ]


def test_a_row_that_stands_in_another_partition_is_not_where_it_was(
    connection: Connection,
) -> None:
    found = changed(
        connection,
        "alter table log detach partition log_rest;"
        " create table log_now partition of log default;"
        " insert into log table log_rest",
    )
    assert "changed: table public.log: 1 row → 1 row, with other contents" in found


def test_the_key_is_the_primary_one_or_one_as_good(connection: Connection) -> None:
    connection.execute("create table good (a int, b int not null, c int)")
    connection.execute("create unique index on good (b) include (c)")
    connection.execute("create table poor (a int unique, b int not null)")
    connection.execute("create unique index on poor (b) where a is null")
    tables = take_contents(connection).tables
    assert tables["public.good"].key == ("b",)
    assert tables["public.poor"].key == ()


@pytest.mark.parametrize(
    ("direction", "before", "after", "advanced"),
    [
        pytest.param(1, (5, True), (6, True), True, id="on"),
        pytest.param(1, (5, False), (5, True), True, id="drawn"),
        pytest.param(1, (5, True), (4, True), False, id="back"),
        pytest.param(-1, (5, True), (4, True), True, id="on-downwards"),
        pytest.param(-1, (5, True), (6, True), False, id="back-upwards"),
    ],
)
def test_a_sequence_only_moves_on(
    direction: int, before: tuple[int, bool], after: tuple[int, bool], *, advanced: bool
) -> None:
    was, stands = (SequencePosition(*place, direction) for place in (before, after))
    assert ContentsDifference("s", was, stands).advanced is advanced


def test_a_database_without_tables_has_no_contents(connection: Connection) -> None:
    connection.execute("drop schema public cascade")
    assert take_contents(connection) == Contents({}, {})


def test_an_open_transaction_keeps_its_settings_and_an_idle_connection_stays_idle(
    database: dict[str, Any],
) -> None:
    with psycopg.connect(**database, row_factory=dict_row) as connection:
        assert take_contents(connection).tables["public.line"].rows == 2
        assert connection.info.transaction_status == TransactionStatus.IDLE
        connection.execute("set local timezone = 'Asia/Tokyo'")
        take_contents(connection)
        assert connection.execute("show timezone").fetchone() == {"TimeZone": "Asia/Tokyo"}
        connection.rollback()


def test_rows_hidden_by_a_policy_are_an_error_rather_than_overlooked(
    connection: Connection,
) -> None:
    connection.execute("create role contents_test_role")
    connection.execute("grant usage on schema public to contents_test_role")
    connection.execute("grant select on all tables in schema public to contents_test_role")
    connection.execute("grant select on all sequences in schema public to contents_test_role")
    connection.execute("alter table line enable row level security")
    connection.execute("set local role contents_test_role")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        take_contents(connection)


def test_a_table_of_the_same_figures_is_equal() -> None:
    one = Contents({"public.a": TableContents(1, "5")}, {})
    assert compare_contents(one, Contents({"public.a": TableContents(1, "5")}, {})) == []
