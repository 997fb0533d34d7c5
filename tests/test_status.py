"""`batchgate status` says which batches stand, what drifted, and what it could not look at."""

import json
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from likened import on_server
from operated import ORDERS
from replicas import gate_role

from batchgate.batches import run_file
from batchgate.binaries import Candidate, find_major
from batchgate.catalog import take_snapshot
from batchgate.cli.project import read_project
from batchgate.collect import HARNESS
from batchgate.database import connect
from batchgate.errors import ServerUnavailable
from batchgate.fetch import PINNED, fetched
from batchgate.operate import likeness, sighting
from batchgate.operate import standing as standing_module
from batchgate.operate.drift import drift_of
from batchgate.operate.making import Making
from batchgate.operate.standing import standing
from batchgate.server import ThrowAwayServer

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(operated, batchgate_server, programs, monkeypatch):
    """Give the small project; its batches are applied on the run's server, too."""
    monkeypatch.setattr(sighting, "likeness", on_server(batchgate_server, programs))
    return operated


def states(result):
    return [line.split()[1:] for line in result.stdout.splitlines() if line[:4].strip().isdigit()]


def change(project, text):
    with project.session() as session:
        session.execute(text.encode())


def document(result):
    return json.loads(result.stdout)


def test_each_batch_says_whether_it_stands(project):
    project.done("apply", "--through", "2", "--yes")
    result = project.done("status", "--no-drift")
    assert states(result) == [
        ["01_add_orders", "stands"],
        ["02_fill_currency", "stands"],
        ["03_audit", "validation", "only"],
        ["04_index_orders", "absent"],
    ]
    assert "2 of 3 batches that can be asked stand" in result.stdout
    assert f"database {project.name} as postgres on host=" in result.stdout
    assert "drift" not in result.stdout


@pytest.mark.parametrize("through", ["1", "2", "4"])
def test_what_the_batches_made_is_no_drift(project, through):
    project.done("apply", "--through", through, "--yes")
    result = project.done("status")
    assert "no drift: the schema is as these batches make it" in result.stdout
    assert "compared with: PostgreSQL" in result.stdout


def test_nothing_stands_on_an_empty_database(project):
    result = project.done("status")
    assert [state[1:] for state in states(result)] == [["absent"]] * 2 + [
        ["validation", "only"],
        ["absent"],
    ]


def test_drift_is_shown_with_the_batch_that_made_what_differs(project):
    project.done("apply", "--through", "4", "--yes")
    change(project, "alter table orders add note text; drop index orders_currency")
    change(project, "create index orders_currency on orders (id); create table mine ()")
    result = project.run("status")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    told = lines[next(number for number, line in enumerate(lines) if " drift " in line) + 1 :]
    assert told[0] == "extra: column public.orders.note"
    assert told[1].startswith("changed: index public.orders_currency, definition: CREATE INDEX")
    assert [line for line in told[2:] if not line.startswith(("    (", "compared with: "))] == [
        "    batch: 04_index_orders",
        "  fix: Undo by hand what no batch made, or let a batch of its own make it.",
        "",
        "not from the batches: 1 table (--verbose lists them)",
        "",
        "drift: 2 differences from what these batches make",
    ]


def test_verbose_lists_all_and_the_diff(project):
    project.done("apply", "1", "--yes")
    change(
        project,
        "alter table orders alter currency set default 'EUR'; create table mine ();"
        " alter table orders set (fillfactor = 50); select 1",
    )
    said = project.run("status", "--verbose").stdout.splitlines()
    assert "  table public.mine" in said
    assert "  changed: relation public.orders, options: none → {fillfactor=50} (tuned here)" in said
    assert "--- as the batches make it" in said
    assert "+    default: 'EUR'::text" in said


def test_what_a_route_left_half_way_is_told_with_the_file_that_names_it(project):
    helper = "-- Safe.\n-- transaction: none\n\nalter table orders add constraint orders_helper"
    project.write({"sql/04_index_orders/migration.online.sql": f"{helper} check (id > 0);\n"})
    project.done("apply", "1", "--yes")
    change(project, "alter table orders add constraint orders_helper check (id > 0) not valid")
    said = project.run("status").stdout.splitlines()
    assert (
        "extra: constraint orders_helper on public.orders (not validated;"
        " sql/04_index_orders/migration.online.sql speaks of it)"
    ) in said
    assert "    batch: 04_index_orders" in said
    told = " ".join(" ".join(said).split())
    assert "fix: What 04_index_orders left unfinished: batchgate apply 04_index_orders" in told
    assert "Undo by hand" not in told


def test_no_line_is_wider_than_the_terminal(project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    project.done("apply", "--through", "4", "--yes")
    change(
        project,
        "alter table orders alter currency set default 'the first of very many words';"
        " create table mine (); comment on table orders is 'x'; select 1",
    )
    for arguments in (["status"], ["status", "--verbose"]):
        lines = project.run(*arguments).stdout.splitlines()
        assert [line for line in lines if len(line) > 80 and "host=" not in line] == []


def test_a_document_holds_all_of_it(project):
    project.done("apply", "1", "--yes")
    told = document(project.done("status", "--json"))
    assert told["command"] == "status"
    assert told["exit_code"] == 0
    assert told["batches"][0] == {
        "number": 1,
        "batch": "01_add_orders",
        "state": "stands",
        "lacking": [],
        "reason": None,
        "fix": None,
    }
    assert [each["state"] for each in told["batches"][1:]] == [
        "absent",
        "validation_only",
        "absent",
    ]
    assert told["drift"]["state"] == "none"
    change(project, "alter table orders drop currency")
    told = document(project.run("status", "--json"))
    assert told["exit_code"] == 1
    assert told["drift"]["differences"] == [
        {
            "kind": "missing",
            "class": "column",
            "name": "public.orders.currency",
            "attribute": None,
            "expected": None,
            "found": None,
            "parts": None,
            "batch": "01_add_orders",
            "note": None,
        }
    ]
    assert document(project.done("status", "--json", "--no-drift"))["drift"] == {
        "state": "not_asked"
    }


def test_a_batch_without_what_it_requires_is_told(project):
    project.done("apply", "--through", "4", "--yes")
    change(project, "drop table filled")
    result = project.run("status")
    assert result.exit_code == 1
    assert ["04_index_orders", "stands,", "without", "02_fill_currency"] in states(result)


def test_a_present_that_gives_no_answer_is_told(project):
    project.done("apply", "1", "--yes")
    project.write(
        {
            "sql/05_wrong/migration.sql": "-- Wrong.\n-- irreversible: a test\n"
            "-- present: (select 1 / 0) = 1\n\nselect 1;\n",
            "sql/05_wrong/validation.sql": "select 1;",
        }
    )
    result = project.run("status")
    assert result.exit_code == 1
    assert ["05_wrong", "no", "answer"] in states(result)
    assert "found division by zero [22012]" in result.stdout
    assert "at: sql/05_wrong/migration.sql:3" in result.stdout
    assert "drift not looked at: 05_wrong gave no answer whether it stands" in result.stdout
    assert states(result)[0] == ["01_add_orders", "stands"]


def test_a_batch_that_cannot_be_asked_keeps_drift_from_being_looked_at(project):
    text = "-- Silent.\n-- irreversible: a test\n\nselect 1;\n"
    project.write({"sql/05_silent/migration.sql": text})
    project.done("apply", "1", "--yes")
    result = project.run("status")
    assert result.exit_code == 1
    assert ["05_silent", "cannot", "be", "asked"] in states(result)
    assert "drift not looked at: 05_silent cannot be asked whether it stands" in result.stdout
    assert "fix: Give its migration.sql a `-- present: <boolean SQL>`." in result.stdout
    project.done("status", "--no-drift")


def test_a_batch_that_cannot_be_asked_stands_where_one_that_stands_requires_it(project):
    index = (project.folder / "sql/04_index_orders/migration.sql").read_text()
    silent = "-- Silent.\n-- irreversible: a test\n\ncreate table silent (id int);\n"
    project.write(
        {
            "sql/03_audit/validation.sql": None,
            "sql/03_audit/migration.sql": silent,
            "sql/04_index_orders/migration.sql": index.replace(
                "requires: 02_fill_currency", "requires: 02_fill_currency, 03_audit"
            ),
        }
    )
    change(project, (project.folder / "sql/03_audit/migration.sql").read_text())
    for name in ("01_add_orders", "02_fill_currency", "04_index_orders"):
        change(project, (project.folder / f"sql/{name}/migration.sql").read_text())
    assert "no drift" in project.done("status").stdout


def test_what_does_not_apply_elsewhere_keeps_drift_from_being_looked_at(project):
    project.done("apply", "1", "--yes")
    project.write(
        {"sql/01_add_orders/migration.sql": "-- Orders.\n-- present: true\n\nselect 1/0;"}
    )
    result = project.run("status")
    assert result.exit_code == 1
    assert (
        "drift not looked at: batch 01_add_orders: expected migration to succeed" in result.stdout
    )
    assert "  at: sql/01_add_orders/migration.sql:4\n" in result.stdout
    assert "  cause: division by zero [22012]\n" in result.stdout
    assert result.stdout.count("cause:") == 1


def test_what_a_batch_lacks_is_to_be_applied_before_drift_can_be_looked_at(project):
    needs = "do $$ begin if to_regclass('filled') is null then raise 'no'; end if; end $$;\n"
    index = (project.folder / "sql/04_index_orders/migration.sql").read_text()
    project.write({"sql/04_index_orders/migration.sql": index.replace("create", f"{needs}create")})
    project.done("apply", "--through", "4", "--yes")
    change(project, "drop table filled")
    result = project.run("status")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "  fix: Apply 02_fill_currency first."


def test_what_is_missing_is_to_be_made_again(project):
    project.done("apply", "--through", "4", "--yes")
    change(project, "alter table orders drop currency; create index orders_currency on orders (id)")
    said = project.run("status").stdout
    assert "missing: column public.orders.currency\n" in said
    assert "  fix: Make what is missing again by hand, as the migration.sql of its batch" in said
    change(project, "alter table orders add currency text; drop index orders_currency")
    change(project, "create index orders_currency on orders (currency)")
    change(project, "alter table orders add note text")
    assert "Make what is missing" not in project.run("status").stdout


def test_without_a_server_the_batches_are_told_all_the_same(operated):
    operated.done("apply", "1", "--yes", "--accept-locks")
    result = operated.run("status", f"--pg-bin={operated.folder}")
    assert result.exit_code == 1
    assert states(result)[0] == ["01_add_orders", "stands"]
    assert "drift not looked at: --pg-bin: expected PostgreSQL's programs in" in result.stdout


def test_another_major_version_is_said_where_no_other_is_at_hand(operated, monkeypatch):
    operated.done("apply", "1", "--yes", "--accept-locks")

    def elsewhere(major, first=()):
        raise likeness.ServerUnavailable(f"PostgreSQL {major}: expected its programs, found none")

    older = next(iter(_others(operated)), None)
    if older is None:
        pytest.skip("no other major version is at hand")
    monkeypatch.setattr(likeness, "find_major", elsewhere)
    told = document(operated.done("status", "--json", f"--pg-bin={older.directory}"))
    assert told["drift"]["other_major"] is True
    assert told["drift"]["compared_with"] == older.version
    assert told["drift"]["state"] == "none"
    said = operated.done("status", f"--pg-bin={older.directory}").stdout
    assert "another major version: what only differs by version is left out" in said


def _others(operated):
    """Yield programs of other majors than the run's server."""
    for major in PINNED:
        if not operated.server.version.startswith(str(major)):
            with suppress(ServerUnavailable):
                yield find_major(major, [Candidate("fetched", fetched(major))])


def test_a_schema_of_its_own_is_that_of_the_session(project):
    change(project, "create schema app")
    change(project, f"alter database {project.name} set search_path = app, public")
    project.done("apply", "--through", "2", "--yes", "--accept-locks")
    told = document(project.done("status", "--json"))
    assert (told["drift"]["state"], told["drift"]["not_from_the_batches"]) == ("none", [])
    change(project, "alter table app.orders add note text")
    (found,) = document(project.run("status", "--json"))["drift"]["differences"]
    assert found["name"] == "app.orders.note"


@pytest.mark.parametrize("path", ["kept, public", "pg_catalog, public", "kept, app, pg_catalog"])
def test_a_session_may_look_first_where_batches_or_the_server_bring_the_schema(project, path):
    head, _ = ORDERS.replace("'orders'", "'kept.orders'").split("\n\n", 1)
    text = "create schema kept;\ncreate table kept.orders (id int primary key);\n"
    project.write({"sql/01_add_orders/migration.sql": f"{head}\n\n{text}"})
    change(project, f"create schema app; {text}")
    change(project, f"alter database {project.name} set search_path = {path}")
    result = project.run("status")
    assert "no drift: the schema is as these batches make it" in result.stdout, result.output


def test_a_session_that_looks_nowhere_is_told_what_that_makes(project):
    project.done("apply", "1", "--yes")
    change(project, f"alter database {project.name} set search_path = ''")
    result = project.run("status")
    assert result.exit_code == 0, result.output
    assert ["1", "01_add_orders", "absent"] in [line.split() for line in result.stdout.splitlines()]


def test_a_table_that_stays_locked_ends_the_reading(project, monkeypatch):
    project.done("apply", "1", "--yes")
    change(project, "create view seen as select * from orders")
    monkeypatch.setattr(sighting, "PATIENCE", 0.3)
    with project.held_up("begin; lock table orders in access exclusive mode"):
        result = project.run("status")
    assert result.exit_code == 1
    assert "drift not looked at: reading the catalogs took longer than 0.3 s" in result.stdout
    assert states(result)[0] == ["01_add_orders", "stands"]


def test_a_batch_that_asks_a_locked_table_gives_no_answer(project, monkeypatch):
    text = "-- Rows.\n-- irreversible: x\n-- present: exists (select from orders)\n\nselect 1;\n"
    project.write({"sql/05_rows/migration.sql": text})
    project.done("apply", "1", "--yes")
    monkeypatch.setattr(standing_module, "LOCK_TIMEOUT", "50ms")
    with project.held_up("begin; lock table orders in access exclusive mode"):
        result = project.run("status", "--no-drift")
    assert result.exit_code == 1
    assert "cause: canceling statement due to lock timeout [55P03]" in result.stdout
    assert ["05_rows", "no", "answer"] in states(result)
    assert states(project.done("status", "--no-drift"))[4] == ["05_rows", "stands"]


def test_ctrl_c_ends_it_and_says_that_nothing_was_changed(operated, interruptible):
    operated.done("apply", "1", "--yes", "--accept-locks")
    change(operated, "create view seen as select * from orders")
    with (
        operated.held_up("begin; lock table orders in access exclusive mode"),
        operated.started("status") as process,
    ):
        operated.until_waiting()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().endswith("interrupted: nothing was changed")
    assert "Traceback" not in said
    operated.until_gone()


def test_a_password_is_never_shown(project, monkeypatch):
    dsn = f"{project.dsn} password=hunter2secret"
    project.done("apply", "1", "--yes")
    result = project.run("status", "--dsn", dsn, "--json", "--no-drift")
    assert result.exit_code == 0
    assert "hunter2secret" not in result.output


def test_a_database_that_is_not_reached_is_told(project):
    result = project.run("status", "--dsn", "host=/nowhere dbname=x user=y")
    assert result.exit_code == 5
    assert "Traceback" not in result.output
    told = document(project.run("status", "--json", "--dsn", "host=/nowhere dbname=x user=y"))
    assert told["exit_code"] == 5
    assert told["message"]


def test_a_role_that_may_only_read_sees_all_of_it_on_a_standby(pair, monkeypatch, operated):
    operated.server = pair.primary
    pair.run("create database status_standby")
    monkeypatch.setenv("BATCHGATE_DSN", pair.primary.conninfo("status_standby"))
    try:
        operated.done("apply", "--through", "4", "--yes", "--accept-locks")
        gate_role(pair, "status_reader", dbname="status_standby")
        dsn = pair.standby.conninfo("status_standby").replace("user=postgres", "user=status_reader")
        told = document(operated.done("status", "--json", "--dsn", dsn))
        assert (told["standby"], told["role"], told["drift"]["state"]) == (
            True,
            "status_reader",
            "none",
        )
        pair.run("alter table orders alter currency set not null", dbname="status_standby")
        pair.catch_up()
        told = document(operated.run("status", "--json", "--dsn", dsn))
        assert [each["attribute"] for each in told["drift"]["differences"]] == ["not null"]
    finally:
        pair.run("drop database status_standby with (force)")


def test_what_a_role_may_not_ask_is_said_with_the_grant(project):
    hidden = (
        "-- Hidden.\n-- present: to_regclass('hidden.t') is not null\n-- irreversible: a test\n"
    )
    project.write({"sql/05_hidden/migration.sql": hidden + "\nselect 1;\n"})
    project.done("apply", "1", "--yes")
    change(project, "create schema hidden; create table hidden.t ()")
    with project.session() as session:
        session.autocommit = False
        session.execute("create role blind")
        session.execute("set local role blind")
        answer = standing(session, read_project().suite).answer("05_hidden")
        session.rollback()
    assert "permission denied for schema hidden [42501]" in answer.failure.message.cause
    assert "grant usage on schema hidden to blind" in answer.failure.message.fix.lower()


@pytest.fixture(scope="module")
def elsewhere(programs):
    """Give a server whose database belongs to another role than the batches' objects do."""
    with ThrowAwayServer() as made:
        server = made.start(programs)
        with connect(server, "postgres") as session:
            for statement in ("create role deploy login", "create role boss"):
                session.execute(statement)
        yield server


@pytest.fixture(scope="module")
def reference(request):
    """Give what the batches of this repository make, at each of them."""
    heights = request.config.stash[HARNESS].heights

    def look(batch):
        with heights.clone(batch, sample=False) as name, heights.connect(name) as session:
            return take_snapshot(session)

    ground = look(None)
    return {batch.name: Making(ground, look(batch)) for batch in heights.suite.batches}


@pytest.mark.parametrize("route", ["migration", "online"])
def test_no_height_of_this_repository_is_drift_by_either_route(
    elsewhere, reference, route, request
):
    harness = request.config.stash[HARNESS]
    suite, settings = harness.suite, harness.settings
    with connect(elsewhere, "postgres") as session:
        session.execute(f"create database {route} owner boss")
        major = session.info.server_version // 10000
    with connect(elsewhere, route) as session:
        session.execute(f"grant create on database {route} to deploy")
        session.execute("grant create on schema public to deploy")
    stand = []
    for batch in suite.batches:
        if batch.migration:
            path = getattr(batch, route) or batch.migration
            with connect(elsewhere, route, user="deploy") as session:
                assert run_file(session, settings, batch, path).succeeded, batch.name
            stand.append(batch.name)
        with connect(elsewhere, route, user="deploy") as session:
            assert [each.name for each in standing(session, suite).batches] == stand
            drift = drift_of(reference[batch.name], take_snapshot(session), (major, major))
        assert [str(each) for each in drift.departures] == [], batch.name
        assert (drift.owner, drift.strangers) == ("deploy", ())
