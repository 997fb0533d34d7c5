"""Whatever befalls a statement of a batch, the database stands as before or finds its way."""

import secrets

import pytest

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.failures.choice import choose
from batchgate.rehearsal.failures.proof import (
    migration_fails_cleanly,
    online_fails_cleanly,
    rollback_fails_cleanly,
)
from batchgate.rehearsal.failures.record import Record, Sent
from batchgate.rehearsal.failures.sendings import Sending
from batchgate.script import Script, ScriptRun
from batchgate.stores import Databases

GROUND = """\
-- Orders can be kept.
-- irreversible: the ground of a test

create table orders (id int primary key, currency text);
create table log (id serial primary key, note text);
create procedure convert() language plpgsql as $$
begin
    for tens in 0..2 loop
        update orders set currency = 'USD' where id between tens * 10 and tens * 10 + 9;
        commit;
    end loop;
end $$;
"""
ROWS = """\
insert into orders select n, 'EUR' from generate_series(1, 29) as n;
insert into log (note) values ('first');
"""
PROVE = {
    "migration.sql": migration_fails_cleanly,
    "migration.online.sql": online_fails_cleanly,
    "rollback.sql": rollback_fails_cleanly,
}
DECLARED = "-- Orders change.\n-- transaction: none\n\n"
INDEX = "create index concurrently orders_currency on orders (currency);\n"
SAFE_INDEX = "drop index concurrently if exists orders_currency;\n" + INDEX
ONE_TRANSACTION = "begin;\ncreate table a ();\ncreate table b ();\ncommit;\n"
PATIENT = """\
begin;
do $$
begin
    alter table orders add column paid boolean;
exception
    when lock_not_available then {}
end $$;
create table a ();
commit;
"""
GENERATED = """\
select format('create table {} %I ()', name) from (values ('a'), ('b')) as t (name)
\\gexec
"""


@pytest.fixture(scope="module")
def store(batchgate_server):
    """Keep the ground for all tests: what they try stands above it, and in no template."""
    store = Databases(batchgate_server, secrets.token_hex(4))
    yield store
    store.close()


@pytest.fixture
def prove(store, tmp_path):
    """Prove that the failures of one file of a batch are clean."""

    def run(file, files):
        written = {"sql/01_ground/migration.sql": GROUND, "sample/01.sql": ROWS}
        written |= {f"sql/02_try/{name}": text for name, text in files.items()}
        written.setdefault("sql/02_try/rollback.sql", "select 1;")
        for path, text in written.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        folders = {name: tmp_path / name for name in ("sql", "gates", "sample", "reports")}
        settings = Settings(root=tmp_path, **folders)
        heights = Heights(store, settings, discover(settings), lambda application: None)
        return PROVE[file](heights, heights.suite.batch("02_try"))

    return run


HALFWAY = [
    pytest.param(
        {"migration.sql": "create table a ();\ncreate table b ();\n"},
        "the failure of statement 2 of 2 to leave everything as it was, found 2 differences",
        "migration.sql:2",
        "left behind: relation public.a",
        "kept what was committed at sql/02_try/migration.sql:1",
        "Begin the file with `begin;` and end it with `commit;`",
        id="no-transaction",
    ),
    pytest.param(
        {
            "migration.sql": "begin;\ncreate table a ();\ncommit;\nbegin;\ncreate table b ();\n"
            "commit;\n"
        },
        "the failure of statement 5 of 6 to leave everything as it was, found 2 differences",
        "migration.sql:5",
        "left behind: relation public.a",
        "kept what was committed at sql/02_try/migration.sql:3",
        "with none in between",
        id="commits-in-between",
    ),
    pytest.param(
        {"migration.sql": "create table a ();\nselect 1 / 0;\n"},
        "the failure of statement 2 of 2 to leave everything as it was, found 2 differences",
        "migration.sql:2",
        "left behind: relation public.a",
        "division by zero [22012]",
        "Begin the file with `begin;`",
        id="fails-by-itself",
    ),
    pytest.param(
        {
            "migration.sql": "begin;\ncreate table a ();\ncommit;\n"
            "create table if not exists a (id int);\n"
        },
        "the failure of statement 2 of 4 under psql without ON_ERROR_STOP to leave everything",
        "migration.sql:2",
        "left behind: relation public.a",
        "migration.sql:4",
        "psql goes on after an error unless ON_ERROR_STOP is set",
        id="goes-on-after-an-error",
    ),
    pytest.param(
        {"migration.sql": INDEX},
        "an interruption halfway through statement 1 of 1 to leave everything as it was",
        "migration.sql:1",
        "left behind: index public.orders_currency",
        "the statement commits inside",
        "drop index concurrently if exists public.orders_currency;",
        id="concurrently",
    ),
    pytest.param(
        {"migration.sql": "call convert();\n"},
        "an interruption halfway through statement 1 of 1 to leave everything as it was",
        "migration.sql:1",
        "changed: table public.orders: 29 rows → 29 rows",
        "the statement commits inside",
        "No transaction holds what commits inside",
        id="procedure-commits",
    ),
    pytest.param(
        {"migration.sql": PATIENT.format("null;")},
        "a lock timeout in statement 2 of 4 to stop the file, it went on and ended with",
        "migration.sql:2",
        "destroyed: column public.orders.paid",
        "another session held a lock on public.orders",
        "Let the error through",
        id="swallows-a-lock-timeout",
    ),
    pytest.param(
        {
            "migration.sql": DECLARED + INDEX.replace("tly ", "tly if not exists "),
            "rollback.sql": "drop index if exists orders_currency;",
        },
        "a second run to complete after an interruption halfway through statement 1 of 1, found",
        "migration.sql:4",
        "changed: index public.orders_currency, valid: true → false",
        "",
        "drop index concurrently if exists public.orders_currency;",
        id="takes-an-invalid-index-for-its-own",
    ),
    pytest.param(
        {
            "migration.sql": DECLARED + "create table a ();\ncreate table b ();\n",
            "rollback.sql": "drop table if exists a, b;",
        },
        "a second run to complete after the failure of statement 2 of 2, statement 1 of 2 failed",
        "migration.sql:5",
        "the second run ends at sql/02_try/migration.sql:4",
        'relation "a" already exists [42P07]',
        "Let each step ask what stands already",
        id="second-run-stumbles",
    ),
    pytest.param(
        {
            "migration.sql": DECLARED
            + "alter table orders add column if not exists at timestamptz;\n"
            + "update orders set at = clock_timestamp(), currency = currency || 'x';\n"
            + "alter table orders alter column at set not null;\n",
            "rollback.sql": "begin;\nupdate orders set currency = 'EUR';\n"
            "alter table orders drop column if exists at;\ncommit;\n",
        },
        "a second run to complete after the failure of statement 3 of 3, found 1 difference",
        "migration.sql:6",
        "changed: table public.orders: currency",
        "",
        "Let each step ask what stands already",
        id="second-run-does-it-again",
    ),
    pytest.param(
        {
            "migration.sql": DECLARED
            + "create table if not exists a ();\ncreate table if not exists b ();\n",
            "rollback.sql": "begin;\ndrop table a;\ndrop table b;\ncommit;\n",
        },
        "the rollback to restore the start after the failure of statement 2 of 2, statement 3 of 4",
        "migration.sql:5",
        "the rollback ends at sql/02_try/rollback.sql:3",
        'table "b" does not exist [42P01]',
        "Let the rollback take away what stands of the batch",
        id="rollback-stumbles",
    ),
    pytest.param(
        {"migration.sql": ONE_TRANSACTION, "rollback.sql": "drop table b;\ndrop table a;\n"},
        "the failure of statement 2 of 2 to leave everything as it was, found 2 differences",
        "rollback.sql:2",
        "destroyed: relation public.b",
        "kept what was committed at sql/02_try/rollback.sql:1",
        "let a second run cope",
        id="rollback-without-a-transaction",
    ),
    pytest.param(
        {
            "migration.sql": ONE_TRANSACTION,
            "migration.online.sql": GENERATED.format(""),
            "rollback.sql": "drop table if exists a, b;",
        },
        "a second run to complete after the failure of statement 1 of 1 (text 2 that it makes)",
        "migration.online.sql:1",
        "the second run ends at sql/02_try/migration.online.sql:1",
        'relation "a" already exists',
        "Let each step ask",
        id="generated-statements",
    ),
]


@pytest.mark.parametrize(("files", "expected", "at", "row", "cause", "fix"), HALFWAY)
def test_what_stays_halfway_is_named_with_its_line(prove, files, expected, at, row, cause, fix):
    file = at.partition(":")[0]
    with pytest.raises(BatchFailed) as failure:
        prove(file, files)
    message = failure.value.message
    assert message.headline.startswith(f"batch 02_try: expected {expected}")
    assert message.at == f"sql/02_try/{at}"
    assert any(each.startswith(row) for each in message.rows), message.rows
    assert cause in message.cause
    assert fix in message.fix


CLEAN = [
    pytest.param(
        "migration.sql",
        {"migration.sql": "set search_path = public;\n" + ONE_TRANSACTION + "select 1;\n"},
        id="one-transaction",
    ),
    pytest.param(
        "migration.sql",
        {
            "migration.sql": DECLARED + SAFE_INDEX,
            "rollback.sql": "drop index if exists orders_currency;",
        },
        id="clears-away-what-was-interrupted",
    ),
    pytest.param(
        "migration.sql",
        {
            "migration.sql": DECLARED + "insert into log (note) select 'new' where not exists"
            " (select from log where note = 'new');\n"
            "create table if not exists made (id uuid default gen_random_uuid(), at timestamptz);\n"
            "insert into made (at) select now() where not exists (select from made);\n",
            "rollback.sql": "begin; drop table if exists made; delete from log where note = 'new';"
            " commit;",
        },
        id="keys-and-clocks-that-differ-from-run-to-run",
    ),
    pytest.param(
        "rollback.sql",
        {
            "migration.sql": "create index orders_currency on orders (currency);",
            "rollback.sql": "-- Lost: an index.\n-- transaction: none\n\n"
            "drop index concurrently if exists orders_currency;",
        },
        id="a-rollback-that-can-be-run-again",
    ),
    pytest.param(
        "migration.online.sql",
        {
            "migration.sql": ONE_TRANSACTION,
            "migration.online.sql": GENERATED.format("if not exists"),
            "rollback.sql": "drop table if exists a, b;",
        },
        id="generated-statements",
    ),
]


@pytest.mark.parametrize(("file", "files"), CLEAN)
def test_a_file_that_keeps_its_word_is_left_in_peace(prove, file, files):
    evidence = prove(file, files)
    assert evidence.unexercised == ()
    assert evidence.notes[0].startswith("made to fail or cut off: ")


def test_a_file_that_lets_a_lock_timeout_through_says_how_many_statements_met_one(prove):
    evidence = prove("migration.sql", {"migration.sql": PATIENT.format("raise;")})
    assert evidence.unexercised == ()
    assert (
        "made to wait for a lock: 1 of 4 statements;"
        " the others ask for none that another session could hold"
    ) in evidence.notes


@pytest.mark.parametrize(
    ("migration", "unexercised"),
    [
        pytest.param(
            "select 1;",
            "it changes nothing on this data, so nothing could stay halfway",
            id="nothing",
        ),
        pytest.param(
            "update orders set currency = 'USD';\nupdate log set note = 'none' where id < 0;\n",
            "transactions of their own write at sql/02_try/migration.sql:1,"
            " sql/02_try/migration.sql:2; on this data no half shows",
            id="half-of-it",
        ),
    ],
)
def test_what_this_data_cannot_show_is_no_pass(prove, migration, unexercised):
    evidence = prove("migration.sql", {"migration.sql": migration})
    assert evidence.unexercised == (unexercised,)


def test_of_very_many_statements_a_sample_is_tried_and_said_so(tmp_path):
    path = tmp_path / "many.sql"
    path.write_text("select 1;")
    sent = tuple(
        Sent(Sending(number, number + 1, 600, "many.sql:1", 0, "select 1", False), True, 0)
        for number in range(600)
    )
    chosen = choose(Script(path, tmp_path), Record(sent, ScriptRun((), None, 0)))
    befallen = {fault.sent.sending.number for fault in chosen.faults}
    assert {1, 600} <= befallen
    assert chosen.notes == (
        f"made to fail or cut off: {len(befallen)} of 600 statements, a sample of 600",
    )


def test_a_batch_of_a_project_turns_red_and_its_neighbour_stays_green(project):
    result = project(
        {"sql/02_index_orders/migration.sql": INDEX + "create table other ();\n"},
        "-m",
        "failures",
        "sql/01_add_orders/rollback.sql",
        "sql/02_index_orders/migration.sql",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*batch 02_index_orders: expected the failure of statement 2 of 2 to leave *",
            "*at: sql/02_index_orders/migration.sql:2",
            "FAILED sql/02_index_orders/migration.sql::every-failure-is-clean*",
        ]
    )
