"""One gate in its own read-only transaction: what it finds, what it may not do, what it hides."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgate.errors import BatchFailed, GateFailed
from batchgate.findings import MASK, State
from batchgate.gates.rows import Overran, find_rows
from batchgate.gates.run import Manner, Within, run_gate
from batchgate.gates.words import refusal
from batchgate.header import BATCH_KEYS, GATE_KEYS, read_header
from batchgate.limits import Limits
from batchgate.redproof import try_red
from batchgate.suite import Batch, Gate

HEADER = "-- True.\n-- level: {level}\n-- of: t\n-- show: id\n-- fix: Do it.\n{more}"
TABLE = (
    "create table t (id int, email text);"
    " create function writes() returns int language sql as 'insert into t values (0) returning 1';"
)


def gate(sql: str, *, level: str = "required", more: str = "") -> Gate:
    header = read_header(
        HEADER.format(level=level, more=more), path="gates/01_x.sql", keys=GATE_KEYS, required=True
    )
    return Gate("01_x", 1, Path("gates/01_x.sql"), header, sql, 7)


@pytest.fixture
def connection(at_batch):
    database = at_batch(None)
    with database.harness.heights.connect(database.name) as connection:
        connection.execute(TABLE)
        yield connection


def run(connection, sql: str, *, rows: int = 1, after=(), manner=None, **header: str):
    connection.execute(
        "insert into t select n, 'ann@example.com' from generate_series(1, %s) as n", [rows]
    )
    return run_gate(connection, gate(sql, **header), "gates/01_x.sql", after, manner or Manner())


def test_no_row_is_a_pass(connection):
    result = run(connection, "select id from t where false")
    assert (result.state, result.count) == (State.PASSED, 0)


def test_count_and_sample_come_together_and_only_shown_columns_are_shown(connection):
    result = run(connection, "select id, email from t order by id", rows=37)
    assert (result.state, result.count) == (State.FAILED, 37)
    assert [str(row) for row in result.sample] == [
        f"id={n} | email={MASK}" for n in (1, 2, 3, 4, 5)
    ]
    assert "… and 32 more" in str(refusal(result))
    assert "ann@example.com" not in str(refusal(result))


def test_an_empty_table_is_not_exercised(connection):
    result = run(connection, "select id from t", rows=0)
    assert (result.state, result.count, result.reason) == (State.NOT_EXERCISED, None, "t is empty")


@pytest.mark.parametrize("name", ["tt", "nowhere.t", "a b"])
def test_a_header_that_names_no_table_is_told_with_the_name_and_its_line(connection, name):
    header = HEADER.replace("of: t", f"of: t, {name}")
    wrong = replace(
        gate("select id from t where false"),
        header=read_header(
            header.format(level="required", more=""), path="x", keys=GATE_KEYS, required=True
        ),
    )
    result = run_gate(connection, wrong, "gates/01_x.sql", (), Manner(), Within(shifts=True))
    assert result.state is State.ERROR
    assert result.reason == (
        f"expected a table for `of`, found none of the name {name} at gates/01_x.sql:3"
    )
    assert result.fix.startswith("Correct the name in `-- of:`")
    assert run(connection, "select id from t where false").state is State.PASSED


def test_rows_found_outweigh_an_empty_table(connection):
    assert run(connection, "select 1 as id", rows=0).state is State.FAILED


def test_a_batch_that_does_not_stand_makes_the_gate_not_applicable(connection):
    header = read_header("-- X.\n-- present: false\n", path="", keys=BATCH_KEYS, required=False)
    later = Batch("09_later", 9, Path("sql/09_later"), header)
    result = run(connection, "select no_such_column from t", after=[later])
    assert (result.state, result.reason) == (State.NOT_APPLICABLE, "needs 09_later")
    assert result.fix == "Apply 09_later first."


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        pytest.param("select writes() as id from t", "25006", id="function-that-writes"),
        pytest.param("select 1 as id; delete from t", "42601", id="two-statements"),
        pytest.param("with x as (delete from t returning id) select id from x", "0A000", id="cte"),
        pytest.param("select id from t for update", "25006", id="locks-rows"),
        pytest.param("select id into u from t", "42601", id="makes-a-table"),
        pytest.param("delete from t", "42601", id="deletes"),
        pytest.param("commit", "42601", id="commits"),
        pytest.param("select email::int as id from t", "22P02", id="data-exception"),
    ],
)
def test_whatever_does_not_only_read_is_an_error_and_changes_nothing(connection, sql, sqlstate):
    result = run(connection, sql)
    assert (result.state, result.count) == (State.ERROR, None)
    assert f"[{sqlstate}]" in result.reason
    assert "ann@example.com" not in result.reason
    assert connection.execute("select count(*) from t").fetchone() == (1,)


def test_read_only_cannot_be_turned_off_from_within(connection):
    sql = "select set_config('transaction_read_only', 'off', true), writes() as id from t"
    assert run(connection, sql).state is State.ERROR
    assert connection.execute("select count(*) from t").fetchone() == (1,)


def test_an_error_names_the_true_line(connection):
    result = run(connection, "select id\nfrom t\nwhere nothing")
    assert result.reason.endswith("at gates/01_x.sql:9")


def test_figures_offend_by_their_finding_column(connection):
    sql = "select id, case when id = 2 then 'odd' end as finding from t order by id"
    result = run(connection, sql, rows=3, level="informational", more="-- rows: figures\n")
    assert (result.state, result.count, len(result.sample)) == (State.WARNED, 1, 3)


def test_every_figure_is_counted_and_those_with_a_finding_are_kept(connection):
    sql = (
        "select n as id, case when n > 2500 then 'odd' end as finding"
        " from generate_series(1, 2600) as n"
    )
    result = run(connection, sql, more="-- rows: figures\n")
    assert (result.state, result.count, len(result.sample)) == (State.FAILED, 100, 100)


@pytest.mark.parametrize(
    ("present", "found"),
    [
        pytest.param("null", "null", id="null"),
        pytest.param("(select count(*) from gone) > 0", "42P01", id="error"),
        pytest.param("(true", "42601", id="open-parenthesis"),
    ],
)
def test_a_batch_that_cannot_be_asked_is_at_fault_not_the_gate(connection, present, found):
    header = read_header(
        f"-- X.\n-- present: {present}\n", path="", keys=BATCH_KEYS, required=False
    )
    batch = Batch("09_later", 9, Path("sql/09_later"), header)
    with pytest.raises(BatchFailed, match=found) as caught:
        run(connection, "select id from t", after=[batch])
    assert caught.value.message.at == "sql/09_later/migration.sql:2"


def test_an_expression_may_end_in_a_comment(connection):
    header = read_header(
        "-- X.\n-- present: true -- so\n", path="", keys=BATCH_KEYS, required=False
    )
    batch = Batch("09_later", 9, Path("sql/09_later"), header)
    assert run(connection, "select id from t where false", after=[batch]).state is State.PASSED


def test_figures_without_a_finding_column_are_refused(connection):
    with pytest.raises(GateFailed, match="expected a column `finding`"):
        run(connection, "select id from t", more="-- rows: figures\n")
    assert connection.info.transaction_status.name == "IDLE"


@pytest.mark.parametrize(
    ("damage", "red"),
    [
        pytest.param("insert into t values (-1)", True, id="damage"),
        pytest.param("insert into t values (1)", False, id="none"),
        pytest.param("update t set id = id; select 1", False, id="nothing-new"),
    ],
)
def test_a_red_proof_counts_before_and_after_and_is_undone(connection, tmp_path, damage, red):
    connection.execute("insert into t values (1), (-7)")
    negative = gate("select id from t where id < 0")
    negative = Gate(negative.name, 1, tmp_path / "01_x.sql", negative.header, negative.sql, 7)
    negative.red.write_text(damage)
    proof = try_red(connection, negative, "gates/01_x.red.sql", [])
    assert (proof.before, proof.red) == (1, red)
    assert connection.execute("select count(*) from t").fetchone() == (2,)


def test_a_gate_does_no_damage_of_its_own_in_its_proof(connection, tmp_path):
    writing = gate("select writes() as id")
    writing = Gate(writing.name, 1, tmp_path / "01_x.sql", writing.header, writing.sql, 7)
    writing.red.write_text("select 1")
    with pytest.raises(GateFailed, match="found an error") as caught:
        try_red(connection, writing, "gates/01_x.red.sql", [])
    assert caught.value.message.at == "gates/01_x.sql:7"
    assert "25006" in caught.value.message.cause


def test_damage_that_is_prevented_says_where(connection, tmp_path):
    proved = gate("select id from t")
    proved = Gate(proved.name, 1, tmp_path / "01_x.sql", proved.header, proved.sql, 7)
    proved.red.write_text("select 1;\ninsert into gone values (1);\n")
    with pytest.raises(GateFailed) as caught:
        try_red(connection, proved, "gates/01_x.red.sql", [])
    assert caught.value.message.at == "gates/01_x.red.sql:2"


@pytest.mark.parametrize(
    ("looked", "damage", "at"),
    [
        ("select pg_sleep(600) as id", "select 1", "gates/01_x.sql:7"),
        ("select id from t", "select 1;\nselect pg_sleep(600)", "gates/01_x.red.sql:2"),
    ],
)
def test_a_red_proof_is_held_to_the_limit_of_its_gate(connection, tmp_path, looked, damage, at):
    slow = gate(looked)
    slow = Gate(slow.name, 1, tmp_path / "01_x.sql", slow.header, slow.sql, 7)
    slow.red.write_text(damage)
    with pytest.raises(GateFailed) as caught:
        try_red(connection, slow, "gates/01_x.red.sql", [], Limits(statement_timeout="50ms"))
    assert caught.value.message.at == at
    assert caught.value.message.fix.endswith("or raise --statement-timeout.")
    assert connection.info.transaction_status.name == "IDLE"


@pytest.mark.parametrize(("samples", "shown"), [(0, 0), (2, 2), (12, 12), (50, 37)])
def test_as_many_rows_are_shown_as_are_asked_for_and_the_count_stays_exact(
    connection, samples, shown
):
    result = run(
        connection, "select id from t order by id", rows=37, manner=Manner(samples=samples)
    )
    assert (result.count, len(result.sample)) == (37, shown)
    message = str(refusal(result, samples))
    assert message.count("  row: id=") == shown
    assert (f"… and {37 - shown} more" in message) == (0 < shown < 37)


def test_without_samples_no_figure_is_shown_either_and_its_findings_are_counted(connection):
    figures = "select id, 'odd'::text as finding from t order by id"
    more = "-- rows: figures\n"
    result = run(connection, figures, rows=3, more=more, manner=Manner(samples=0))
    assert (result.count, result.sample) == (3, ())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'infinity'::timestamptz", "infinity"),
        ("'4713-01-01 BC'::date", "4713-01-01 BC"),
        ("'NaN'::numeric", "NaN"),
        ("true", "true"),
        ("null::int", "NULL"),
        ("'\\x00ff'::bytea", "\\x00ff"),
        ("""'{"a": 1}'::jsonb""", '{"a": 1}'),
        ("array[1, null]", "{1,NULL}"),
        ("interval '1000000 years'", "1000000 years"),
        ("E'a\\nb'", "a\\x0ab"),
    ],
)
def test_a_cell_that_python_has_no_value_for_is_shown_as_the_server_writes_it(
    connection, value, shown
):
    result = run(connection, f"select {value} as id")
    assert result.sample[0].cells == (shown,)


def test_a_statement_that_does_not_end_at_its_limit_gives_no_rows(connection):
    connection.execute(
        "create function stubborn() returns setof int language plpgsql as $$ begin"
        " perform pg_sleep(10); return next 1;"
        " exception when query_canceled then return; end $$"
    )
    limits = Limits(statement_timeout="50ms")
    connection.execute("begin")
    with pytest.raises(Overran):
        find_rows(connection, gate("select * from stubborn() as id"), limits=limits)
    connection.execute("rollback")


def test_a_gate_that_overran_its_limit_has_timed_out(connection, monkeypatch):
    def overran(*_, **__):
        raise Overran

    monkeypatch.setattr("batchgate.gates.run.find_rows", overran)
    result = run(connection, "select id from t")
    assert (result.state, result.reason) == (State.NO_RESULT, "timed out: after 30s")


def test_a_plan_shows_no_value_that_the_planner_read_from_a_row(connection):
    connection.execute(
        "insert into t values (1, 'ann@example.com');"
        " create function first_owner() returns text immutable language sql"
        " as 'select email from t limit 1'"
    )
    result = run(connection, "select id from t where email = first_owner()", rows=0)
    assert "ann@example" not in result.plan
    assert "Seq Scan on t" in result.plan
