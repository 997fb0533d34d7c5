"""A dry run is the real run rolled back: the same statements, the same figures, nothing kept."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from batchgate.cli import main
from batchgate.errors import Refused
from batchgate.operate.dry import tried_out
from batchgate.script import Script
from batchgate.sqltext import Statement

ROOT = Path(__file__).parent.parent
BATCHES = sorted(path.parent.name for path in (ROOT / "sql").glob("*/migration.sql"))
ROLLBACKS = sorted(path.parent.name for path in (ROOT / "sql").glob("*/rollback.sql"))
MODE = re.compile(r"Mode: .*")


@pytest.fixture
def command(monkeypatch):
    """Run a command of this repository on a database."""
    monkeypatch.chdir(ROOT)

    def run(database, *arguments: str) -> dict:
        dsn = database.harness.server.conninfo(database.name)
        given = (*arguments, "--dsn", dsn, "--json", "--yes")
        result = CliRunner().invoke(main, given, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        (part,) = json.loads(result.stdout)["batches"]
        return part

    return run


def below(name: str) -> str | None:
    names = sorted(path.name for path in (ROOT / "sql").glob("[0-9]*"))
    place = names.index(name)
    return names[place - 1] if place else None


def said(part: dict) -> list[str]:
    return [MODE.sub("", notice) for notice in part["notices"]]


@pytest.mark.parametrize("batch", BATCHES)
def test_every_migration_tells_the_same_dry_and_leaves_nothing(at_batch, command, batch):
    database = at_batch(below(batch))
    before = database.state()
    dry = command(database, "apply", batch, "--dry-run")
    assert database.changes_since(before) == []
    assert (dry["stands"], dry["statements_committed"]) == (False, 0)
    real = command(database, "apply", batch)
    assert real["stands"] is True
    assert dry["figures"] == real["figures"]
    assert said(dry) == said(real)
    assert said(real)
    assert dry["statements_sent"] == real["statements_sent"]
    # What was picked up already is told alike, too.
    if "backfill" in batch:
        assert real["figures"]
        again = command(database, "apply", batch, "--dry-run")
        assert said(again) == said(command(database, "apply", batch))
        assert again["figures"] != real["figures"]


@pytest.mark.parametrize("batch", ROLLBACKS)
def test_every_rollback_tells_the_same_dry_and_leaves_nothing(at_batch, command, batch):
    database = at_batch(batch)
    before = database.state()
    dry = command(database, "rollback", batch, "--dry-run")
    assert database.changes_since(before) == []
    assert dry["stands"] is True
    real = command(database, "rollback", batch)
    assert real["stands"] is False
    assert said(dry) == said(real)


@pytest.mark.parametrize("path", sorted((ROOT / "sql").glob("*/migration.online.sql")), ids=str)
def test_no_online_route_can_be_tried_out(path):
    with pytest.raises(Refused, match="expected one transaction to try out") as refused:
        tried_out(Script(path, ROOT))
    assert re.search(r"at: sql/\w+/migration\.online\.sql:\d+\n", str(refused.value))


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        pytest.param("create table a ();", 1, "outside of a transaction", id="none"),
        pytest.param("begin;\ncommit;\nbegin;\ncommit;", 3, "a second transaction", id="two"),
        pytest.param("begin;\ncommit and chain;\ncommit;", 2, "chained", id="chained"),
        pytest.param("begin;\ncommit;\ncreate table a ();", 3, "outside", id="after"),
        pytest.param("create table a ();\nbegin;\ncommit;", 1, "outside", id="before"),
        pytest.param("begin;\nselect 'commit'\n\\gexec\ncommit;", 2, "a query makes", id="gexec"),
        pytest.param("begin;\nrollback;", 2, "otherwise than by commit", id="rollback"),
        pytest.param("begin;\nprepare transaction 'x';", 2, "otherwise", id="prepared"),
        pytest.param("begin;\ncreate table a ();", 2, "no commit", id="open"),
        pytest.param("select 1;\nbegin;\ncommit;", 1, "outside", id="select"),
    ],
)
def test_what_is_not_one_transaction_is_refused_by_file_and_line(tmp_path, text, line, found):
    (tmp_path / "a.sql").write_text(text)
    with pytest.raises(Refused, match=found) as refused:
        tried_out(Script(tmp_path / "a.sql", tmp_path))
    assert f"at: a.sql:{line}\n" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "begin; create table a (); commit;",
        "set lock_timeout = '1s'; start transaction; create table a (); end; reset lock_timeout;",
        "begin; savepoint s; create table a (); rollback to savepoint s; release s; commit work;",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; do $$ begin end $$; COMMIT;",
        "begin; commit and no chain;",
    ],
)
def test_only_the_end_of_the_transaction_is_another(tmp_path, text):
    (tmp_path / "a.sql").write_text(text)
    script = Script(tmp_path / "a.sql", tmp_path)
    dry = tried_out(script)
    pairs = [
        (real.text, tried.text)
        for real, tried in zip(script.parts, dry.parts, strict=True)
        if real != tried and isinstance(real, Statement) and isinstance(tried, Statement)
    ]
    assert len(pairs) == 1
    assert pairs[0][0].lower().split()[0] in ("commit", "end")
    assert pairs[0][1] == "set constraints all immediate; rollback"


def test_a_commit_in_an_included_file_is_another_too(tmp_path):
    (tmp_path / "a.sql").write_text("\\ir b.sql\n")
    (tmp_path / "b.sql").write_text("begin;\ncommit;\n")
    dry = tried_out(Script(tmp_path / "a.sql", tmp_path))
    assert [part.text for part in dry.included[0].parts][1].endswith("rollback")


DEFERRED = """\
-- A table stands.
-- present: to_regclass('late') is not null

begin;
create table late (id int unique deferrable initially deferred);
insert into late values (1), (1);
commit;
"""


def test_what_a_commit_would_refuse_is_refused_dry(operated):
    operated.write({"sql/05_late/migration.sql": DEFERRED, "sql/05_late/rollback.sql": "select 1;"})
    for mode in ("--dry-run", "--yes"):
        result = operated.run("apply", "5", mode)
        assert result.exit_code == 1
        assert "at: sql/05_late/migration.sql:7" in result.stderr
        assert "duplicate key value violates unique constraint" in result.stderr
        assert "[23505]" in result.stderr


def test_a_dry_run_asks_nothing_and_says_that_nothing_was_kept(operated):
    operated.done("apply", "1", "--yes")
    result = operated.done("apply", "2", "--dry-run")
    assert result.stdout.splitlines()[-1].endswith("): nothing was kept")
    assert "✅ 02_fill_currency tried out in" in result.stdout
    assert "next:" not in result.stderr
    assert operated.ask("select to_regclass('filled')::text") == [None]
    assert operated.run("apply", "2", "--dry-run", "--online").exit_code == 3


def test_several_batches_are_not_tried_out_at_once(operated):
    result = operated.run("apply", "--through", "2", "--dry-run")
    assert result.exit_code == 3
    assert "expected one batch to try out, found 2: 01_add_orders, 02_fill" in result.stderr
    operated.done("apply", "1", "--yes")
    operated.done("apply", "--through", "2", "--dry-run")
    operated.done("apply", "2", "--yes")
    result = operated.run("rollback", "--through", "1", "--dry-run")
    assert result.exit_code == 3
    assert "Try out the first: batchgate rollback 02_fill_currency --dry-run." in result.stderr
    said = operated.done("rollback", "2", "--dry-run").stdout
    assert "✅ rollback of 02_fill_currency tried out in " in said


def test_a_file_is_told_that_it_is_tried_out(operated):
    operated.write(
        {
            "sql/01_add_orders/migration.sql": "-- Orders.\n"
            "-- present: to_regclass('orders') is not null\n\nbegin;\n"
            "create table orders (id int);\n"
            "do $$ begin raise notice 'dry: %', current_setting('batchgate.dry_run', true);"
            " end $$;\ncommit;\n"
        }
    )
    assert "dry: on" in operated.done("apply", "1", "--dry-run").stdout
    assert "dry: on" not in operated.done("apply", "1", "--yes").stdout


def test_a_batch_that_would_not_stand_fails_dry_as_it_does_for_real(operated):
    otherwise = "-- Done.\n-- present: to_regclass('other') is not null\n\n"
    operated.write(
        {"sql/01_add_orders/migration.sql": f"{otherwise}begin;\ncreate table one ();\ncommit;\n"}
    )
    said = "expected `present` to be true once migration.sql has run, found false"
    dry = operated.run("apply", "1", "--dry-run")
    assert (dry.exit_code, said in dry.stderr) == (1, True)
    real = operated.run("apply", "1", "--yes")
    assert (real.exit_code, said in real.stderr) == (1, True)


def test_what_a_file_sets_for_itself_does_not_hide_what_would_stand(operated):
    orders = "-- Orders.\n-- present: to_regclass('orders') is not null\n\n"
    away = "begin;\ncreate table orders ();\nset local search_path = '';\ncommit;\n"
    operated.write({"sql/01_add_orders/migration.sql": orders + away})
    operated.done("apply", "1", "--dry-run")


def test_a_rollback_that_would_leave_the_batch_standing_fails_dry(operated):
    operated.done("apply", "1", "--yes")
    operated.write({"sql/01_add_orders/rollback.sql": "begin;\ndelete from orders;\ncommit;\n"})
    result = operated.run("rollback", "1", "--dry-run")
    assert result.exit_code == 1
    assert "expected `present` to be false once rollback.sql has run, found true" in result.stderr


def test_a_branch_that_leaves_the_transaction_out_is_refused_before_its_statement(operated):
    operated.done("apply", "1", "--yes")
    text = "\\if false\nbegin;\n\\endif\ndrop table orders;\n\\if false\ncommit;\n\\endif\n"
    operated.write({"sql/01_add_orders/rollback.sql": text})
    result = operated.run("rollback", "1", "--dry-run")
    assert result.exit_code == 3
    assert "found a statement outside of a transaction" in result.stderr
    assert "at: sql/01_add_orders/rollback.sql:4" in result.stderr
    assert operated.ask("select count(*) from orders") == [7]


HEADER = "-- A table stands.\n-- present: to_regclass('made') is not null\n\n"
MAKE = "create table made (id int);\n"
LATE_TRIGGER = """\
create function undo() returns trigger language plpgsql as
    $$ begin drop table made; return null; end $$;
create table cause (id int);
create constraint trigger undo after insert on cause
    deferrable initially deferred for each row execute function undo();
insert into cause values (1);
"""


def ends(operated, *arguments):
    """Return how a command ends dry and for real, and what each says of it but where and when."""
    for mode in ("--dry-run", "--yes"):
        result = operated.run(*arguments, mode)
        said = re.sub(r"  left: .*\n", "", result.stderr)
        yield result.exit_code, said, result.stdout.splitlines()[:-1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", 1, id="comments"),
        pytest.param("begin;\ncommit;\n", 1, id="nothing-done"),
        pytest.param(f"begin;\n{MAKE}commit;\n", 0, id="ordinary"),
        pytest.param(f"begin;\n{MAKE}commit;\ncommit;\n", 0, id="two-commits"),
        pytest.param(f"begin;\nsavepoint a;\n{MAKE}rollback to a;\ncommit;\n", 1, id="savepoint"),
        pytest.param(
            f"begin;\nset transaction isolation level serializable;\n{MAKE}commit;\n",
            0,
            id="serializable",
        ),
        pytest.param(f"begin;\n{MAKE}{LATE_TRIGGER}commit;\n", 1, id="undone-at-commit"),
        pytest.param(
            f"begin;\n{MAKE}do $$ begin commit; end $$;\ncommit;\n", 1, id="commit-in-a-block"
        ),
        pytest.param(
            f"begin;\n{MAKE}do $$ begin raise notice 'made'; raise warning 'so'; end $$;\n"
            "commit;\n",
            0,
            id="notices",
        ),
        pytest.param(
            "begin;\ncreate table made (id int unique deferrable initially deferred);\n"
            "insert into made values (1), (1);\ncommit;\n",
            1,
            id="deferred",
        ),
    ],
)
def test_the_verdict_on_a_migration_is_that_of_the_real_run(operated, text, code):
    operated.write({"sql/05_made/migration.sql": HEADER + text})
    operated.write({"sql/05_made/rollback.sql": "drop table made;"})
    dry, real = ends(operated, "apply", "5")
    assert dry[0] == code
    assert dry == (real[0], real[1].replace("next: batchgate validate 05_made\n", ""), real[2])


DROP = "drop table made;\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("-- nothing\n", 1, id="comments"),
        pytest.param(f"\\if false\nbegin;\n{DROP}commit;\n\\endif\n", 1, id="all-left-out"),
        pytest.param(f"\\echo now\nbegin;\n{DROP}\\echo done\ncommit;\n", 0, id="echo"),
        pytest.param(
            f"begin;\nselect 'made' as name \\gset\n{DROP.replace('made', ':name')}commit;\n",
            0,
            id="gset",
        ),
        pytest.param(f"begin;\nselect 1 where false \\gset\n{DROP}commit;\n", 1, id="gset-none"),
        pytest.param(
            f"\\set ON_ERROR_STOP off\nbegin;\n{DROP}select 1 / 0;\ncommit;\n",
            1,
            id="errors-passed-over",
        ),
        pytest.param(
            f"\\set ON_ERROR_STOP off\nbegin;\nsavepoint a;\nselect 1 / 0;\nrollback to a;\n"
            f"{DROP}commit;\n",
            0,
            id="one-error-passed-over",
        ),
        pytest.param(
            f"\\set ON_ERROR_STOP off\nbegin;\n{DROP}"
            "create table other (id int unique deferrable initially deferred);\n"
            "insert into other values (1), (1);\ncommit;\n",
            1,
            id="commit-passed-over",
        ),
        pytest.param(
            f"begin;\n{DROP}\\set ON_ERROR_STOP off\nselect 1 / 0;\n"
            "\\set ON_ERROR_STOP on\ncommit;\n",
            1,
            id="commit-of-what-failed",
        ),
        pytest.param(f"begin;\n{DROP}\\q\ncommit;\n", 1, id="quit"),
    ],
)
def test_the_verdict_on_a_rollback_is_that_of_the_real_run(operated, text, code):
    operated.write({"sql/05_made/migration.sql": f"{HEADER}begin;\n{MAKE}commit;\n"})
    operated.write({"sql/05_made/rollback.sql": text})
    operated.done("apply", "5", "--yes")
    dry, real = ends(operated, "rollback", "5")
    assert dry[0] == code
    assert dry == real


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(f"begin;\n{DROP[:-2]}\\; commit;\ncommit;\n", 2, id="at-once"),
        pytest.param("begin;\ncommit\\; drop table made;\n", 2, id="after-it"),
        pytest.param(f"\\set c commit\nbegin;\n{DROP}:c;\ncommit;\n", 4, id="variable"),
        pytest.param(
            f"\\set c 'select 1; commit; create table other ()'\nbegin;\n{DROP}:c;\ncommit;\n",
            4,
            id="in-a-variable",
        ),
        pytest.param(
            "select 'commit' as c \\gset\n".join(("begin;\n", f"{DROP}:c;\ncommit;\n")),
            4,
            id="from-a-query",
        ),
    ],
)
def test_a_commit_that_does_not_stand_by_itself_is_not_sent(operated, text, line):
    operated.write({"sql/05_made/migration.sql": f"{HEADER}begin;\n{MAKE}commit;\n"})
    operated.write({"sql/05_made/rollback.sql": text})
    operated.done("apply", "5", "--yes")
    result = operated.run("rollback", "5", "--dry-run")
    assert result.exit_code == 3, result.output
    assert "found its begin or end in a variable, or among statements" in result.stderr
    assert f"at: sql/05_made/rollback.sql:{line}\n" in result.stderr
    assert operated.ask("select relname from pg_class where relname in ('made', 'other')") == [
        "made"
    ]


def test_a_body_that_has_an_end_of_its_own_is_no_end(operated):
    body = "create function one() returns int begin atomic select 1; end;\n"
    operated.write({"sql/05_made/migration.sql": f"{HEADER}begin;\n{MAKE}{body}commit;\n"})
    operated.write({"sql/05_made/rollback.sql": "drop table made;"})
    operated.done("apply", "5", "--dry-run")


def test_an_error_is_told_by_the_files_own_statement(operated):
    operated.write({"sql/05_late/migration.sql": DEFERRED, "sql/05_late/rollback.sql": "select 1;"})
    assert "  sql: commit\n" in operated.run("apply", "5", "--dry-run").stderr
