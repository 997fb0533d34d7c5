"""Whole runs with targets: which gates run where, and what is left of them."""

import json
import signal
import subprocess
import sys
from threading import Event, Thread

import pytest
from replicas import gate_role, pair, primary_and_standby, shared_pair  # noqa: F401
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
def replica(pair):  # noqa: F811
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
            "*all gates one snapshot*",
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
    result.stdout.fnmatch_lines(["Gates pass: 1 gate without a result", "*1 passed, 1 no result*"])
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
            while not over.wait(0.002):
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
            *("gates", "-k", "green", f"-n{workers}", "-p", "no:html"),
            *("--dsn", dsn_of(replica.standby)),
            alone=True,
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


@pytest.mark.parametrize("workers", [0, 2], ids=["alone", "two-workers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
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
