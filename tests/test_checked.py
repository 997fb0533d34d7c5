"""How many rows a gate looked at: exact where few, as analyzed where many, and never in its way."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from replicas import gate_role

from batchgate.findings import Cause, State
from batchgate.gates.checked import BRIEF, PAGES, Checked, count_checked
from batchgate.gates.run import Manner, Within, run_gate, without_result
from batchgate.gates.transaction import begin_transaction, end_transaction
from batchgate.header import BATCH_KEYS, GATE_KEYS, read_header
from batchgate.limits import Limits
from batchgate.suite import Batch, Gate
from batchgate.targets.address import read_targets
from batchgate.targets.desk import FrontDesk
from batchgate.targets.keeper import Keeper
from batchgate.targets.terms import Terms
from batchgate.targets.visitor import Visitor

FINDS, FINDS_NOTHING = "select 1 as id", "select 1 as id where false"
MILLION = "update pg_class set relpages = 1e6, reltuples = 1e6 where relname = 't'"
FAR = "create foreign data wrapper far; create server away foreign data wrapper far"
# One row a page, so that a table is large with few of them.
LARGE = (
    "create table {0} (id int, wide text); alter table {0} alter wide set storage plain;"
    " alter table {0} set (autovacuum_enabled = off);"
    f" insert into {{0}} select n, repeat('x', 5000) from generate_series(1, {PAGES + 100}) as n"
)


def gate(of: str, query: str = FINDS, more: str = "") -> Gate:
    text = f"-- True.\n-- level: required\n-- of: {of}\n-- show: id\n-- fix: Do it.\n{more}"
    header = read_header(text, path="gates/01_x.sql", keys=GATE_KEYS, required=True)
    return Gate("01_x", 1, Path("gates/01_x.sql"), header, query, 7)


@pytest.fixture
def database(at_batch):
    made = at_batch(None)
    return lambda: made.harness.heights.connect(made.name)


@pytest.fixture
def connection(database):
    with database() as opened:
        opened.execute("create table t (id int, email text); insert into t values (1), (2), (3)")
        yield opened


def run(connection, of="t", query=FINDS, within=None, after=(), **limits):
    manner = Manner(limits=Limits(**limits))
    return run_gate(connection, gate(of, query), "gates/01_x.sql", after, manner, within)


def checked(connection, of="t", query=FINDS, **limits):
    result = run(connection, of, query, **limits)
    assert result.state is (State.FAILED if query == FINDS else State.PASSED), result.reason
    return result.checked, result.exact


def directly(connection, *tables):
    """Count as a gate would that may read what a gate may not."""
    begin_transaction(connection, Limits(), "x")
    try:
        return count_checked(connection, tables, Limits())
    finally:
        end_transaction(connection)


@pytest.fixture
def reader(connection):
    """Let a connection be a role that may read nothing but what is granted to it.

    It is one of the server's own: a new one would be seen by tests that compare the server's roles.
    """
    name = sql.Identifier("pg_signal_backend")

    @contextmanager
    def reading(*grants):
        for grant in grants:
            connection.execute(sql.SQL(grant).format(name))
        connection.execute(sql.SQL("set role {}").format(name))
        yield
        connection.execute("reset role")

    yield reading
    connection.execute("reset role")


@pytest.mark.parametrize("query", [FINDS, FINDS_NOTHING], ids=["finds", "finds-nothing"])
def test_a_small_table_is_counted_whatever_was_analyzed(connection, query):
    assert checked(connection, query=query) == (3, True)
    connection.execute("analyze t")
    connection.execute("insert into t values (4)")
    assert checked(connection, query=query) == (4, True)


def test_rows_are_counted_at_the_gates_own_snapshot(connection, database):
    @contextmanager
    def attended(_):
        with database() as other:
            other.execute("insert into t select 0 from generate_series(1, 50)")
        yield

    result = run(connection, query="select id from t", within=Within(attended=attended))
    assert (result.count, result.checked, result.exact) == (3, 3, True)
    assert checked(connection) == (53, True)


def test_a_large_table_is_as_it_was_last_analyzed(connection):
    connection.execute(LARGE.format("large"))
    assert checked(connection, "large") == (None, False)
    connection.execute("analyze large")
    connection.execute("insert into large select * from large limit 7")
    assert checked(connection, "large") == (PAGES + 100, False)
    assert checked(connection, "large", "select id from large where id < 0") == (PAGES + 100, False)


def test_what_was_empty_when_analyzed_and_is_large_now_is_not_known(connection):
    connection.execute(LARGE.format("large"))
    connection.execute("update pg_class set reltuples = 0 where relname = 'large'")
    assert checked(connection, "large") == (None, False)


@pytest.mark.parametrize(
    ("tuples", "rows"),
    [
        pytest.param("5e9", 5_000_000_000, id="billions"),
        pytest.param("1e30", None, id="more-than-there-can-be"),
        pytest.param("'infinity'", None, id="infinity"),
        pytest.param("'NaN'", None, id="no-number"),
        pytest.param("-1", None, id="unknown"),
    ],
)
def test_a_huge_estimate_is_told_and_an_impossible_one_is_not(connection, tuples, rows):
    connection.execute(LARGE.format("large"))
    connection.execute(f"update pg_class set reltuples = {tuples} where relname = 'large'")
    assert checked(connection, "large") == (rows, False)


PARTITIONED = """
    create table p (id int) partition by list (id);
    create table p1 partition of p for values in (1);
    create table p2 partition of p for values in (2, 3) partition by list (id);
    create table p21 partition of p2 for values in (2);
    create table p22 partition of p2 for values in (3);
    insert into p values (1), (1), (2), (3), (3), (3);
"""


def test_the_leaves_of_a_partitioned_table_are_added_up(connection):
    connection.execute(PARTITIONED)
    assert checked(connection, "p", FINDS_NOTHING) == (6, True)
    assert checked(connection, "p2") == (4, True)
    connection.execute("analyze")
    connection.execute(
        "update pg_class set relpages = 1e6, reltuples = 1e6 where relname in ('p1', 'p21', 'p22')"
    )
    assert checked(connection, "p") == (3_000_000, False)
    connection.execute("update pg_class set reltuples = -1 where relname = 'p22'")
    # Not all are known, but all are small: the pages of a statistic are not those of the file.
    assert checked(connection, "p") == (6, True)
    connection.execute("create table none (id int) partition by list (id)")
    assert checked(connection, "none") == (0, True)


def test_a_table_is_counted_with_its_children(connection):
    connection.execute("create table u () inherits (t); insert into u values (4), (5)")
    assert checked(connection, "t") == (5, True)


def test_a_partition_elsewhere_leaves_the_whole_unknown(connection):
    connection.execute(PARTITIONED)
    connection.execute(
        f"{FAR}; create foreign table p3 partition of p for values in (4) server away"
    )
    assert directly(connection, "p") == Checked()
    assert directly(connection, "p2") == Checked(4, exact=True)
    connection.execute("drop foreign table p3")
    assert directly(connection, "p") == Checked(6, exact=True)


def test_a_foreign_table_is_not_read(connection):
    connection.execute(f"{FAR}; create foreign table f (id int) server away")
    assert directly(connection, "f") == directly(connection, "t", "f") == Checked()


def test_an_empty_table_holds_no_row(connection):
    connection.execute("truncate t")
    result = run(connection, query=FINDS_NOTHING)
    assert (result.state, result.checked, result.exact) == (State.NOT_EXERCISED, 0, True)


@pytest.mark.parametrize(
    ("of", "made"),
    [
        pytest.param("v", "create view v as select id from t", id="view"),
        pytest.param("s", "create sequence s", id="sequence"),
        pytest.param("pg_catalog.pg_class", "select", id="catalog"),
        pytest.param("pg_class", "select", id="catalog-by-its-name-alone"),
        pytest.param("information_schema.sql_features", "select", id="table-of-standard"),
        pytest.param("missing", "select", id="no-such-table"),
        pytest.param("m", "create materialized view m as table t with no data", id="not-filled"),
    ],
)
def test_what_holds_no_rows_of_its_own_is_not_counted(connection, of, made):
    connection.execute(made)
    assert checked(connection, of) == (None, False)
    assert checked(connection, f"t, {of}") == (None, False)


def test_a_materialized_view_holds_rows(connection):
    connection.execute("create materialized view m as table t")
    assert checked(connection, "m") == (3, True)


def test_rows_of_several_tables_are_added_up_and_none_twice(connection):
    connection.execute(PARTITIONED)
    assert checked(connection, "t, p") == (9, True)
    assert checked(connection, "t, public.t, T, p, p2, p21") == (9, True)
    connection.execute(LARGE.format("large") + "; analyze large")
    assert checked(connection, "t, large") == (PAGES + 103, False)


def test_a_table_is_found_under_any_name(connection):
    connection.execute('create schema "My ""App"; create table "My ""App"."O\'x %s {} 1" ()')
    connection.execute('insert into "My ""App"."O\'x %s {} 1" default values')
    assert checked(connection, '"My ""App"."O\'x %s {} 1"') == (1, True)


def test_who_may_read_a_column_may_count(connection, reader):
    with reader("grant select (id) on t to {}"):
        assert checked(connection) == (3, True)


@pytest.mark.parametrize("analyzed", [False, True])
def test_without_permission_nothing_is_told(connection, reader, analyzed):
    connection.execute("create schema closed; create table closed.u ()")
    if analyzed:
        connection.execute(
            "update pg_class set relpages = 1e6, reltuples = 1e6 where relname = 't'"
        )
    with reader():
        assert checked(connection) == (None, False)
        assert checked(connection, "closed.u") == (None, False)


@pytest.mark.parametrize("analyzed", [False, True])
def test_rows_that_would_be_hidden_are_not_counted_around(connection, reader, analyzed):
    connection.execute("alter table t enable row level security")
    assert checked(connection) == (3, True)
    if analyzed:
        connection.execute(MILLION)
    with reader("grant select on t to {}"):
        assert checked(connection) == (None, False)


@pytest.mark.parametrize("shifts", [False, True])
@pytest.mark.parametrize(
    "brief",
    [
        pytest.param(BRIEF, id="lock-timeout"),
        pytest.param({"lock_timeout": "1min", "statement_timeout": "50ms"}, id="statement-timeout"),
    ],
)
def test_a_result_stands_whatever_becomes_of_the_count(
    connection, database, monkeypatch, shifts, brief
):
    monkeypatch.setattr("batchgate.gates.checked.BRIEF", brief)
    with database() as other:
        other.autocommit = False
        other.execute("lock table t in access exclusive mode")
        result = run(connection, within=Within(shifts=shifts))
    assert (result.state, result.count, result.reason) == (State.FAILED, 1, "")
    assert (result.checked, result.exact) == (None, False)
    assert checked(connection) == (3, True)


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        pytest.param(Limits(), ("1s", "100ms"), id="usual"),
        pytest.param(Limits(statement_timeout="0", lock_timeout="0"), ("1s", "100ms"), id="none"),
        pytest.param(
            Limits(statement_timeout="900ms", lock_timeout="90ms"), ("900ms", "90ms"), id="lower"
        ),
    ],
)
def test_a_count_is_not_waited_for(connection, limits, held):
    begin_transaction(connection, limits, "x")
    assert count_checked(connection, ["t"], limits) == Checked(3, exact=True)
    for name, value in zip(("statement_timeout", "lock_timeout"), held, strict=True):
        assert connection.execute(f"show {name}").fetchone() == (value,)
    end_transaction(connection)


def test_a_table_that_is_known_to_be_large_is_not_waited_for(connection, database):
    connection.execute(MILLION)
    with database() as other:
        other.autocommit = False
        other.execute("lock table t in access exclusive mode")
        assert checked(connection) == (1_000_000, False)


@contextmanager
def killed_after(database, pid):
    """End a server process once a gate has its result, before its tables are counted."""
    yield
    with database() as other:
        other.execute("select pg_terminate_backend(%s, 10000)", [pid])


def test_who_loses_the_connection_afterwards_has_a_result_where_nothing_is_left_to_ask(
    connection, database
):
    killed = partial(killed_after, database)
    with database() as lost:
        result = run(lost, within=Within(attended=killed))
    assert (result.state, result.count, result.checked) == (State.FAILED, 1, None)
    with database() as lost:
        result = run(lost, within=Within(attended=killed, shifts=True))
    assert (result.state, result.cause, result.checked) == (State.NO_RESULT, Cause.LOST, None)


def test_what_gives_no_result_has_checked_no_row(connection):
    header = read_header("-- X.\n-- present: false\n", path="", keys=BATCH_KEYS, required=False)
    later = Batch("09_later", 9, Path("sql/09_later"), header)
    for query, after in (("select nothing as id from t", ()), (FINDS, [later])):
        result = run(connection, query=query, after=after)
        assert (result.count, result.checked, result.exact) == (None, None, False)
    found = run(connection)
    lost = without_result(found, Cause.CHANGED)
    assert (found.checked, lost.checked, lost.exact) == (3, None, False)


def test_nothing_of_a_users_is_called_to_count(connection):
    connection.execute(
        "create function bad(bigint) returns bigint language plpgsql as"
        " $$ begin raise exception 'called'; end $$;"
        " create aggregate count(*) (sfunc = bad, stype = bigint, initcond = '0');"
        " create function pg_relation_size(regclass) returns bigint language sql as"
        " 'select bad(0)'"
    )
    assert checked(connection, search_path="public, pg_catalog") == (3, True)


def test_on_a_standby_rows_are_counted_and_estimates_are_those_of_its_primary(pair):
    pair.run("drop table if exists item, large", "create table item (id int)")
    pair.run("insert into item select n from generate_series(1, 1000) as n")
    pair.run(*LARGE.format("large").split("; "), "analyze large")
    gate_role(pair, "gate_reader", ["item", "large"])
    pair.catch_up()
    server = pair.standby
    dsn = f"host={server.host} port={server.port} dbname=postgres user=gate_reader"
    (target,) = read_targets([dsn], None, None)
    desk = FrontDesk([Keeper(target, Terms(), [FINDS])])
    visitor = Visitor(desk, Terms())
    try:
        for of, query, rows in (
            ("item", "select id from item where id < 0", (1000, True)),
            ("item", "select id from item", (1000, True)),
            ("large", FINDS, (PAGES + 100, False)),
        ):
            result = visitor.run(target, gate(of, query), "x", ())
            assert (result.reason, result.checked, result.exact) == ("", *rows)
    finally:
        visitor.close()
        desk.close()
        pair.run("drop table item, large")


def test_an_error_of_ours_is_not_hidden(connection, monkeypatch):
    monkeypatch.setattr("batchgate.gates.checked.hold", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(connection)
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
