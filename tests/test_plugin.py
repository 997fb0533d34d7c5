"""In a project that has only a folder of batches, the plugin does what it does here."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from sound import FIRST, FIRST_CHECK, GATE, SECOND

SOUND_ITEMS = 44


def test_a_sound_project_passes_without_a_test_function(project, pytester):
    result = project({}, alone=True)
    result.assert_outcomes(passed=SOUND_ITEMS)
    result.stdout.fnmatch_lines(
        ["batchgate: 2 batches, 1 gate, PostgreSQL *", "No check blocks this merge*"]
    )
    assert (pytester.path / "reports/report.html").is_file()


def test_the_same_project_passes_on_two_workers(project):
    result = project({}, "-n", "2", "gates", "-k", "applies or gates", alone=True)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*  1  Every order has a currency*passed*"])


def test_node_ids_are_the_files_and_paste_back(project):
    result = project({}, "--collect-only", "-q")
    listed = [line for line in result.outlines if "::" in line]
    assert len(listed) == SOUND_ITEMS
    assert "sql/01_add_orders/rollback.sql::restores-schema" in listed
    assert "gates/01_orders_have_currency.sql::green" in listed
    assert "gates/01_orders_have_currency.red.sql::red" in listed


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        pytest.param(["sql/01_add_orders/rollback.sql::restores-schema"], 1, id="node-id"),
        pytest.param(["sql/02_index_orders/rollback.sql"], 10, id="file"),
        pytest.param(["gates"], 2, id="folder"),
        pytest.param(["-m", "gates"], 2, id="gates"),
        pytest.param(["-m", "rollback"], 20, id="rollback"),
        pytest.param(["-m", "batches"], 42, id="batches"),
        pytest.param(["-k", "restores-data"], 2, id="keyword"),
    ],
)
def test_items_are_selected_as_tests_are(project, arguments, count):
    result = project({}, "--collect-only", "-q", *arguments)
    assert len([line for line in result.outlines if "::" in line]) == count


def test_collecting_starts_no_server(project):
    result = project({}, "--collect-only", "--pg-bin", "nowhere")
    assert result.ret == pytest.ExitCode.OK


def test_a_project_without_batches_is_left_alone(pytester):
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*batchgate:*")
    assert not (pytester.path / "reports").exists()


BROKEN_BATCHES = [
    pytest.param(
        {"sql/01_add_orders/rollback.sql": "select 1;"},
        "sql/01_add_orders/rollback.sql::restores-schema",
        "batch 01_add_orders: expected rollback to restore the schema, found * difference*",
        "*row: left behind: *orders*",
        id="rollback-leaves-a-table",
    ),
    pytest.param(
        {"sql/02_index_orders/rollback.sql": "drop index orders_currency; delete from orders;"},
        "sql/02_index_orders/rollback.sql::restores-data",
        "batch 02_index_orders: expected rollback to restore the data, found 1 difference",
        '*row: destroyed: public.orders {"id": 1} by sql/02_index_orders/rollback.sql:1',
        id="rollback-deletes-rows",
    ),
    pytest.param(
        {"sql/02_index_orders/rollback.sql": "drop index orders_currency; drop index gone;"},
        "sql/02_index_orders/rollback.sql::restores-data",
        "batch 02_index_orders: expected rollback to succeed, statement 2 of 2 failed",
        '*cause: index "gone" does not exist [[]42704]*',
        id="rollback-fails",
    ),
    pytest.param(
        {
            "sql/02_index_orders/rollback.sql": "drop index if exists orders_currency;"
            " drop table if exists stray; create table stray ();"
        },
        "sql/02_index_orders/rollback.sql::harmless-where-absent",
        "batch 02_index_orders: expected a rollback without the batch to change nothing, found *",
        "*left behind: * public.stray*",
        id="rollback-harms-where-absent",
    ),
    pytest.param(
        {"sql/02_index_orders/migration.sql": SECOND + "create indeks x;\n"},
        "sql/02_index_orders/migration.sql::applies",
        "batch 02_index_orders: expected migration to succeed, statement 2 of 2 failed",
        "*at: sql/02_index_orders/migration.sql:6*",
        id="does-not-parse",
    ),
    pytest.param(
        {"sql/02_index_orders/migration.sql": SECOND.replace("exists (", "not exists (")},
        "sql/02_index_orders/migration.sql::applies",
        "batch 02_index_orders: expected `present` to be false before it is applied, found true",
        "*at: sql/02_index_orders/migration.sql:3*",
        id="present-is-wrong",
    ),
    pytest.param(
        {
            "sql/02_index_orders/migration.sql": "insert into orders select max(id) + 1"
            " from orders;",
            "sql/02_index_orders/rollback.sql": "delete from orders where id > 1;",
        },
        "sql/02_index_orders/migration.sql::second-run",
        "batch 02_index_orders: expected a second run to change nothing, found 1 difference",
        "*row: changed: table *orders*",
        id="second-run-adds-rows",
    ),
    pytest.param(
        {"sql/01_add_orders/validation.sql": "select 1;"},
        "sql/01_add_orders/validation.sql::fails-without-batch",
        "batch 01_add_orders: expected validation to fail without the batch, it is vacuous: *",
        "*fix: Check what the migration makes*",
        id="validation-cannot-fail",
    ),
    pytest.param(
        {"sql/01_add_orders/validation.sql": FIRST_CHECK + "insert into orders values (7);"},
        "sql/01_add_orders/validation.sql::leaves-no-trace",
        "batch 01_add_orders: expected its validation to change nothing, found 1 difference",
        "*row: changed: table *orders*",
        id="validation-leaves-a-row",
    ),
    pytest.param(
        {"sql/01_add_orders/validation.sql": FIRST_CHECK + "\\echo FAIL: no currency\n"},
        "sql/01_add_orders/validation.sql::passes",
        "batch 01_add_orders: expected validation to pass, it printed a failure and exited 0",
        "*row: FAIL: no currency*",
        id="validation-prints-fail",
    ),
    pytest.param(
        {"scenarios/sample/01.sql": "insert into ordres values (1);"},
        "sql/02_index_orders/migration.sql::applies",
        "batch 01_add_orders: expected sample data scenarios/sample/01.sql to load, *",
        "*at: scenarios/sample/01.sql:1*",
        id="sample-does-not-load",
    ),
]


@pytest.mark.parametrize(("changes", "node", "headline", "detail"), BROKEN_BATCHES)
def test_a_defective_batch_is_named_without_a_traceback(project, changes, node, headline, detail):
    result = project(changes, node)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [headline, f"  {detail.lstrip('*')}" if detail[0] != "*" else detail]
    )
    result.stdout.fnmatch_lines([f"FAILED {node} - {headline}"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*batchgate/*.py:*")


BROKEN_GATES = [
    pytest.param(
        {"scenarios/sample/01.sql": "insert into orders values (1, null, 'ann@example.com');"},
        ["gate 01_orders_have_currency: expected 0 rows, found 1", "  row: id=1 | email=••••"],
        id="finds-rows",
    ),
    pytest.param(
        {"scenarios/sample/01.sql": None},
        ["gate 01_orders_have_currency: expected 0 rows, found no result (not exercised: *"],
        id="empty-table",
    ),
    pytest.param(
        {"gates/01_orders_have_currency.sql": GATE.replace("email", "e_mail")},
        [
            "gate 01_orders_have_currency: expected 0 rows, found no result (error)",
            "  cause: column *e_mail* at gates/01_orders_have_currency.sql:8",
        ],
        id="does-not-run",
    ),
    pytest.param(
        {
            "gates/01_orders_have_currency.sql": GATE.replace(
                "select id, email from orders",
                "select id, nextval('pg_temp.s') from orders, "
                "lateral (select set_config('transaction_read_only', 'off', true)) as x",
            )
        },
        ["gate 01_orders_have_currency: expected 0 rows, found no result (error)"],
        id="turns-read-only-off",
    ),
]


@pytest.mark.parametrize(("changes", "lines"), BROKEN_GATES)
def test_a_required_gate_without_a_pass_fails_the_run(project, changes, lines):
    result = project(changes, "gates/01_orders_have_currency.sql")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)
    result.stdout.fnmatch_lines(["Gates fail: blocked by 1 required gate"])
    result.stdout.no_fnmatch_line("*ann@example.com*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_empty_table_may_be_expected_and_is_still_no_pass(project):
    result = project({"scenarios/sample/01.sql": None}, "--allow-empty", "-m", "gates")
    result.stdout.fnmatch_lines(["*1 passed, *1 not exercised*"])
    assert result.ret == pytest.ExitCode.OK


def test_a_red_proof_that_does_no_damage_is_refused(project):
    changes = {"gates/01_orders_have_currency.red.sql": "insert into orders values (-1, 'EUR');"}
    result = project(changes, "gates/01_orders_have_currency.red.sql")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["gate 01_orders_have_currency: expected its red proof to turn it red, found 0 before*"]
    )


IN_A_SCHEMA = {
    "sql/01_add_orders/migration.sql": (
        "-- Orders.\n-- present: to_regclass('app.orders') is not null\n\n"
        "create schema app;\ncreate table app.orders (id int, currency text, email text);\n"
    ),
    "scenarios/sample/01.sql": "insert into app.orders values (1, 'EUR', 'a@example.com');",
    **{
        f"sql/02_index_orders/{name}.sql": None
        for name in ("migration", "migration.online", "rollback")
    },
}


def test_a_red_proof_looks_where_its_gate_does(project, pytester):
    result = project(IN_A_SCHEMA, "gates", "--search-path=app")
    result.assert_outcomes(passed=2)
    result = project(IN_A_SCHEMA, "gates", "-k", "red")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*blocked by 1 red proof"])


def test_a_gate_that_cannot_see_anything_is_unmasked_by_its_red_proof(project):
    changes = {"gates/01_orders_have_currency.sql": GATE.replace("currency is null", "false")}
    result = project(changes, "gates")
    result.assert_outcomes(passed=1, failed=1)


def test_a_table_that_is_changed_and_empty_is_named_not_proven(project, pytester):
    changes = {
        "scenarios/sample/01.sql": None,
        "sql/02_index_orders/migration.sql": "alter table orders add note text;",
        "sql/02_index_orders/rollback.sql": "alter table orders drop note;",
    }
    result = project(changes, "sql/02_index_orders/rollback.sql", page=True)
    result.stdout.fnmatch_lines(["*passed, 2 not exercised*"])
    page = (pytester.path / "reports/report.html").read_text()
    assert "not exercised: the batch changes public.orders" in page


def test_a_migration_that_changes_nothing_is_named_not_proven(project, pytester):
    changes = {"sql/02_index_orders/migration.sql": "select 1;"}
    result = project(changes, "sql/02_index_orders/migration.sql", page=True)
    result.stdout.fnmatch_lines(["*passed, 2 not exercised*"])
    page = (pytester.path / "reports/report.html").read_text()
    assert "not exercised: the migration changed nothing" in page


def test_what_a_migration_sets_for_its_session_ends_with_it(project):
    header, _, body = FIRST.partition("\n\n")
    body = body.replace("table orders", "table public.orders")
    set_path = "select pg_catalog.set_config('search_path', '', false);"
    changes = {"sql/01_add_orders/migration.sql": f"{header}\n\n{set_path}\n{body}"}
    for name in ("applies ", "restores-schema", "keeps-later-rows"):
        project(changes, "sql", "-k", name.strip()).stdout.no_fnmatch_line("FAILED*")


def test_a_sequence_that_is_set_back_is_not_as_before(project):
    changes = {
        "sql/01_add_orders/migration.sql": FIRST.replace("id int", "id serial"),
        "scenarios/sample/01.sql": "insert into orders (currency) values ('EUR');",
        "sql/02_index_orders/rollback.sql": "drop index orders_currency;"
        " select setval('orders_id_seq', 1, false);",
    }
    result = project(changes, "sql/02_index_orders/rollback.sql::restores-data")
    result.assert_outcomes(failed=1)


WARNED = {
    "gates/01_orders_have_currency.sql": GATE.replace("required", "informational"),
    "scenarios/sample/01.sql": "insert into orders values (1, null, 'ann@example.com');",
}


def test_an_informational_gate_warns_and_is_counted_apart(project, pytester):
    result = project(WARNED, "-m", "gates", "-v", "--junit-xml=junit.xml")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["gates/*.sql::green WARNED*", "*1 passed, *1 warned*"])
    result.stdout.fnmatch_lines(
        ["No check blocks this merge: 1 finding to read, 42 of 42 checks *"]
    )
    tree = ElementTree.parse(pytester.path / "junit.xml")
    values = {each.get("name"): each.get("value") for each in tree.iter("property")}
    assert (values["gate_state"], values["gate_count"]) == ("warned", "1")


def test_an_informational_gate_is_a_w_among_the_dots(project):
    result = project(WARNED, "gates/01_orders_have_currency.sql")
    assert any(re.match(r"gates/\S+ w ", line) for line in result.outlines)


def test_strict_gates_fail_where_they_would_warn(project):
    result = project(WARNED, "-m", "gates", "--strict-gates")
    result.assert_outcomes(passed=1, failed=1)


def test_the_last_failed_item_runs_again_alone(project):
    changes = {
        "pytest.ini": "[pytest]\n",
        "sql/01_add_orders/rollback.sql": "select 1;",
    }
    project(changes, "-k", "restores-schema")
    result = project(changes, "--lf", "-x")
    result.assert_outcomes(failed=1, deselected=0)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param(
            {"sql/04_late/validation.sql": "select 1;"},
            ["ERROR: batch 04_late: expected number 3 after 02_index_orders, found 4"],
            id="gap",
        ),
        pytest.param(
            {"sql/02_index_orders/rollback.sql": None},
            ["ERROR: batch 02_index_orders: expected rollback.sql, found none"],
            id="no-rollback",
        ),
        pytest.param(
            {"gates/01_orders_have_currency.sql": GATE.replace("-- fix", "-- fxi")},
            ["ERROR: *expected a known header key, found `fxi`", "*Did you mean `fix`?*"],
            id="unknown-key",
        ),
    ],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_wrong_files_stop_the_run_at_collection(project, changes, lines, workers):
    result = project(changes, "-n", workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(lines)
    result.stderr.no_fnmatch_line("*Traceback*")


def test_an_unknown_psql_command_is_refused_at_collection_by_file_and_line(project):
    result = project({"sql/01_add_orders/validation.sql": "select 1;\n\\copy t from x\n"})
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*sql/01_add_orders/validation.sql:2*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_missing_server_is_said_once_with_what_to_do(project, workers):
    result = project({}, "--pg-bin", "nowhere", "-n", workers, alone=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *", "*fix: *"])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_batch_below_that_fails_is_named_by_the_checks_above(project):
    result = project({"sql/01_add_orders/migration.sql": FIRST + "select 1/0;"}, "-m", "gates")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*batch 01_add_orders: expected migration to succeed*"])
    result.stdout.fnmatch_lines(["Do not merge: blocked by *1 batch*"])


def test_markers_and_options_explain_themselves(project):
    markers = project({}, "--markers")
    for name in ("gates", "batches", "rollback", "constraints", "indexes", "backfill"):
        markers.stdout.fnmatch_lines([f"@pytest.mark.{name}: ?*"])
    options = project({}, "--help").stdout.str()
    for name in ("--pg-bin", "--strict-gates", "--allow-empty", "batchgate_sql"):
        assert name in options


SCENARIO = """
import pytest

OPEN = "insert into orders (id) values (2)"

@pytest.fixture(autouse=True)
def database(at_batch):
    at_batch("01_add_orders")

def test_race(session):
    one, two = session("one"), session("two")
    one.run("begin")
    one.run(OPEN)
    attempt = two.start(OPEN)
    attempt.waits_on(one)
    one.run("commit")
    attempt.fails_with("23505", by="orders_pkey")

def test_sample(session, at_batch):
    assert session("app").value("select count(*) from orders") == 1
    at_batch("01_add_orders", sample=False)
    assert session("app").value("select count(*) from orders") == 0
    at_batch(None)
    assert session("app").value("select to_regclass('orders')") is None

def test_steps(session, steps_of):
    app = session("app")
    seen = []
    for step in steps_of("02_index_orders"):
        seen.append(app.value("select to_regclass('orders_currency') is not null"))
    assert seen[0] is False
    assert seen[-1] is True

def test_wrong_expectation(session):
    session("app").is_refused("insert into orders values (1)", "23503")

def test_unknown_batch(at_batch):
    at_batch("09_none")
"""


def test_scenarios_have_heights_sessions_and_steps(project):
    result = project({"scenarios/test_orders.py": SCENARIO}, "scenarios")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["session app: expected to fail with [[]23503], found [[]23505]*"])
    result.stdout.fnmatch_lines(["expected the name of a batch, found `09_none`"])
    result.stdout.no_fnmatch_line("*Traceback*")
