"""Whole runs with targets: which gates run where, and what is left of them."""

import json
import signal
import subprocess
import sys
from threading import Event, Thread

import pytest
from replicas import gate_role
from sound import FIRST, SECOND, SOUND
from waits import until

from batchgate.catalog import compare, take_snapshot
from batchgate.contents import compare_contents, take_contents
from batchgate.database import connect

READER = "gate_reader"
SLOW = """\
-- Every order is looked at.
-- level: required
-- of: orders
-- fix: Wait.

select id from orders where id < length(pg_sleep(30)::text)
"""


@pytest.fixture
def replica(pair):
    """A pair where the sound project's batches stand, with an order, and a role that reads it."""
    pair.run("drop schema public cascade", "create schema public")
    pair.run("grant usage on schema public to public", FIRST, SECOND)
    pair.run("insert into orders values (1, 'EUR', 'ann@example.com')")
    gate_role(pair, READER, ["orders"])
    return pair


def dsn_of(server, user: str = READER) -> str:
    return f"host={server.host} port={server.port} dbname=postgres user={user}"


def test_each_gate_runs_on_each_target_and_its_proof_on_the_throw_away_server(project, replica):
    replica.run("insert into orders values (2, null, 'bob@example.com')")
    replica.catch_up()
    result = project(
        {},
        "gates",
        "-v",
        f"--dsn=standby={dsn_of(replica.standby)}",
        f"--dsn=primary={dsn_of(replica.primary)}",
    )
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*::green[[]standby[]] FAILED*",
            "*::green[[]primary[]] FAILED*",
            "*red.sql::red PASSED*",
            "*gates on standby*",
            "*server: PostgreSQL *, a standby",
            "*all gates saw one snapshot*",
            "*gates on primary*",
            "Gates fail: blocked by 2 required gates",
        ]
    )
    result.stdout.no_fnmatch_line("*bob@example.com*")
    assert result.ret == 1


def test_a_required_gate_without_a_result_fails_the_run_by_a_word_of_its_own(project, replica):
    replica.run("revoke select on orders from gate_reader")
    replica.catch_up()
    result = project({}, "gates", "--dsn", dsn_of(replica.standby), "--junitxml=junit.xml")
    result.stdout.fnmatch_lines(
        [
            "*grant select on *orders* to gate_reader;",
            "*why: not permitted: *",
            "No verdict: 1 required gate without a result (not permitted)",
            "*1 passed, 1 no result in *",
        ]
    )
    assert result.ret == 1


def test_an_informational_gate_without_a_result_is_no_pass_and_no_failure(project, replica):
    replica.run("revoke select on orders from gate_reader")
    replica.catch_up()
    gate = SOUND["gates/01_orders_have_currency.sql"].replace("required", "informational")
    result = project(
        {"gates/01_orders_have_currency.sql": gate}, "gates", "--dsn", dsn_of(replica.standby)
    )
    result.stdout.fnmatch_lines(["No verdict: no gate gave a result", "*1 passed, 1 no result*"])
    assert result.ret == 0


def everything_of(server):
    with connect(server, "postgres") as session:
        facts = session.execute(
            "select pg_snapshot_xmax(pg_current_snapshot())::text,"
            " (select array_agg(datname order by datname) from pg_database),"
            " (select array_agg(rolname order by rolname) from pg_roles),"
            " (select count(*) from pg_locks where locktype = 'advisory'),"
            " (select count(*) from pg_namespace where nspname like 'pg_temp%'),"
            " (select count(*) from pg_prepared_xacts),"
            " (select count(*) from pg_largeobject_metadata),"
            " (select count(*) from pg_stat_activity where application_name like 'batchgate/%')"
        ).fetchone()
        return facts, take_snapshot(session), take_contents(session)


def test_nothing_but_gates_uses_the_target_and_nothing_is_left_there(project, replica, tmp_path):
    seen = []
    over = Event()

    def look():
        with connect(replica.primary, "postgres") as session:
            while not over.wait(0.02):
                seen.extend(
                    session.execute(
                        "select distinct application_name, usename from pg_stat_activity"
                        " where usename = 'gate_reader'"
                    ).fetchall()
                )

    before = everything_of(replica.primary)
    watching = Thread(target=look)
    watching.start()
    try:
        # Everything: migrations, rollbacks, mutants, red proofs, a test that writes.
        result = project(
            {
                "test_own.py": "def test_writes(at_batch, session):\n"
                "    at_batch('01_add_orders')\n"
                "    session('app').run('drop table orders')\n",
                "pytest.ini": f"[pytest]\nbatchgate_dsn = {dsn_of(replica.primary)}\n",
            },
            alone=True,
        )
    finally:
        over.set()
        watching.join()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*gates on host=* (batchgate_dsn)"])
    after = everything_of(replica.primary)
    assert before[0] == after[0]
    assert compare(before[1], after[1]) == []
    assert list(compare_contents(before[2], after[2])) == []
    names = {name for name, _ in seen}
    assert names <= {"batchgate", "batchgate/snapshot", "batchgate/01_orders_have_currency"}
    assert "batchgate/snapshot" in names


COUNTING = """\
-- Orders do not grow.
-- level: informational
-- of: orders
-- fix: Nothing.
-- rows: figures
-- show: seen

select count(*) as seen, null::text as finding from orders
"""


@pytest.mark.parametrize("workers", [0, 2], ids=["alone", "two-workers"])
def test_all_gates_see_one_moment_while_the_primary_is_written_to(
    project, pytester, replica, workers
):
    over = Event()

    def write():
        with connect(replica.primary, "postgres") as session:
            number = 10
            while not over.wait(0.001):
                session.execute("insert into orders values (%s, 'EUR')", [number])
                number += 1

    writing = Thread(target=write)
    writing.start()
    gates = {}
    for n in range(2, 12):
        gates[f"gates/{n:02}_orders_{n}.sql"] = COUNTING
        gates[f"gates/{n:02}_orders_{n}.red.sql"] = "select 1;"
    try:
        project(
            gates,
            *("gates", "-k", "green", "-p", "no:html", *(("-n", "2") if workers else ())),
            *("--dsn", dsn_of(replica.standby)),
            alone=bool(workers),
        )
    finally:
        over.set()
        writing.join()
    report = json.loads((pytester.path / "reports/report.json").read_text())
    counts = [gate["sample"]["rows"][0] for gate in report["gates"] if gate["figures"]]
    assert len(counts) == 10
    assert all(count == counts[0] for count in counts), counts


def at_work(server) -> list[str]:
    with connect(server, "postgres") as session:
        query = (
            "select application_name from pg_stat_activity where state = 'active'"
            " and usename = 'gate_reader'"
        )
        return [name for (name,) in session.execute(query).fetchall()]


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("number", "workers"),
    [
        pytest.param(signal.SIGINT, 0, id="interrupted"),
        pytest.param(signal.SIGINT, 2, id="interrupted-with-workers"),
        pytest.param(signal.SIGTERM, 0, id="told-to-end"),
        pytest.param(signal.SIGKILL, 2, id="killed-with-workers"),
    ],
)
def test_a_run_that_is_ended_leaves_no_query_running(pytester, replica, workers, number):
    sound = {
        "gates/01_all.sql": SLOW,
        "gates/01_all.red.sql": "select 1;",
        "pytest.ini": "[pytest]",
    }
    for path, text in sound.items():
        (pytester.path / path).parent.mkdir(exist_ok=True)
        (pytester.path / path).write_text(text)
    command = (sys.executable, "-m", "pytest", "gates", "-k", "green", "-p", "no:html")
    options = (f"-n{workers}", "--dsn", dsn_of(replica.standby))
    run = subprocess.Popen((*command, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: at_work(replica.standby), "the gate at work")
        run.send_signal(number)
        out, _ = run.communicate(timeout=60)
        until(lambda: not at_work(replica.standby), "the query to end")
    finally:
        run.kill()
        run.wait()
    if number == signal.SIGINT:
        assert run.returncode == pytest.ExitCode.INTERRUPTED, out.decode()
        assert b"No verdict: the run did not finish" in out


# What each would leave behind on a primary, were it let.
HOSTILE = {
    "writes": "select id from orders where writes(id) > 0",
    "sequence": "select id from orders where nextval('numbers') > 0",
    "advisory": "select id from orders where pg_advisory_lock(id) is null",
    "settings": "select id from orders where set_config('jit', 'on', false) = ''",
    "role": "select id from orders where set_config('role', 'postgres', false) = ''",
    "notify": "select id from orders where pg_notify('x', 'y') is null",
    "large-object": "select id from orders where lo_create(4711) = 0",
    "promote": "select id from orders where pg_promote()",
    "log": "select id from orders where pg_switch_wal() is null",
    "xid": "select id from orders where pg_current_xact_id() is null",
    "text": "select id from orders where query_to_xml('delete', true, true, '') is null",
    "view": "select id from orders_seen",
    "row-locks": "select id from locking()",
}
REACH = (
    "create function writes(n int) returns int language sql"
    " as 'insert into orders values (n + 100) returning 1'",
    "create function locking() returns setof orders language sql"
    " as 'select * from orders for update'",
    "create sequence numbers",
    "create view orders_seen as select id from orders where pg_advisory_lock(id) is null",
    "grant select on orders_seen to gate_reader",
    "grant all on sequence numbers to gate_reader",
    "grant insert, update, delete on orders to gate_reader",
)


@pytest.mark.parametrize("user", [READER, "postgres"], ids=["reader", "superuser"])
def test_no_hostile_gate_leaves_anything_on_a_primary(project, replica, user):
    replica.run(*REACH)
    gates = {}
    for number, (name, statement) in enumerate(HOSTILE.items(), 10):
        header = "-- X.\n-- level: informational\n-- of: orders\n-- fix: Y.\n\n"
        gates[f"gates/{number}_{name.replace('-', '_')}.sql"] = header + statement
        gates[f"gates/{number}_{name.replace('-', '_')}.red.sql"] = "select 1;"
    before = everything_of(replica.primary)
    options = ("--dsn", dsn_of(replica.primary, user), "--allow-superuser")
    project(gates, "gates", "-k", "green", *options).assert_outcomes(failed=len(HOSTILE), passed=1)
    after = everything_of(replica.primary)
    assert before[0] == after[0]
    assert compare(before[1], after[1]) == []
    assert list(compare_contents(before[2], after[2])) == []


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("select 1; delete from orders", id="two-statements"),
        pytest.param("select 1; commit; delete from orders", id="commit-inside"),
        pytest.param("copy orders to program 'touch x'", id="program"),
        pytest.param("with gone as (delete from orders returning id) select 1", id="writing-cte"),
        pytest.param("select id into other from orders", id="into"),
        pytest.param("select id from orders for update", id="row-locks"),
    ],
)
def test_a_gate_that_is_no_query_is_refused_before_anything_runs(project, replica, statement):
    gate = "-- X.\n-- level: informational\n-- of: orders\n-- fix: Y.\n\n" + statement
    changes = {"gates/10_x.sql": gate, "gates/10_x.red.sql": "select 1;"}
    replica.run("grant insert, update, delete on orders to gate_reader")
    result = project(changes, "gates", "-k", "green", "--dsn", dsn_of(replica.primary))
    assert result.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.TESTS_FAILED)
    with connect(replica.primary, "postgres") as session:
        assert session.execute("select count(*) from orders").fetchone() == (1,)


def test_without_a_server_of_our_own_the_gates_run_all_the_same(project, replica, tmp_path):
    result = project(
        {}, "gates", "--dsn", dsn_of(replica.standby), f"--pg-bin={tmp_path}", alone=True
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED *red.sql::red - --pg-bin: expected PostgreSQL*"])


def test_several_targets_need_names_and_an_empty_one_is_not_ignored(project):
    result = project({}, "gates", "--dsn", "host=a", "--dsn", "host=b")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--dsn*expected*"])
    result = project({}, "gates", "--dsn", "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--snapshot=some", "--snapshot: expected shared or per-gate, found some"),
        ("--max-cost=much", "--max-cost: expected a cost in the planner's units*found much"),
        ("--max-cost=nan", "--max-cost: expected a cost in the planner's units*found nan"),
        ("--max-lag=far", "*expected*found*far*"),
        ("--max-replay-wait=long", "--max-replay-wait: expected a duration*found long"),
        ("--samples=-1", "--samples: expected a number, none below 0, found -1"),
        ("--work-mem=lots", "--work-mem: expected an amount of memory*found lots"),
        ("--max-replay-wait=3", "--max-replay-wait: expected a duration*found 3"),
        ("--compare=", "--compare: expected a file, found none"),
        ("--compare=pytest.ini", "*pytest.ini: expected the report of an earlier run*"),
        ("--metrics-file=", "--metrics-file: expected a file, found none"),
        ("--metrics-file=gates", "--metrics-file: expected a file, found a folder: */gates"),
        ("--pg-versions=18", "--pg-versions: expected throw-away servers alone, found --dsn"),
    ],
)
def test_an_option_that_means_nothing_is_refused_before_anything_runs(project, option, message):
    extra = ("--dsn", "host=nowhere") if option.startswith("--pg-versions") else ()
    result = project({}, "gates", option, *extra)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}"])


def test_a_replay_that_waits_may_be_given_way_to_at_once(project):
    result = project({}, "gates", "--max-replay-wait=0", "--metrics-file=new/m.prom")
    assert result.ret == pytest.ExitCode.OK


def test_a_first_run_has_no_report_to_compare_with_and_says_so(project):
    first = project({}, "gates", "--compare=reports/report.json")
    first.stdout.fnmatch_lines(
        ["=* since the last run *", "no earlier report: reports/report.json is not there yet"]
    )
    assert first.ret == pytest.ExitCode.OK
    second = project({}, "gates", "--compare=reports/report.json")
    second.stdout.no_fnmatch_line("no earlier report*")
    second.stdout.fnmatch_lines(["nothing new since*"])
