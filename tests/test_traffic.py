"""A batch among the application's sessions: who waits is told, and who fails turns it red."""

from dataclasses import replace

import pytest
from heights import heights_of

from batchgate.discover import discover
from batchgate.errors import BatchFailed, BatchgateError, Message, SuiteError
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.traffic import crossing
from batchgate.rehearsal.traffic.proof import (
    lets_traffic_pass,
    lets_traffic_pass_online,
    meets_traffic,
)

FIRST = """\
-- Orders and what is told of them can be kept.
-- irreversible: the ground of a test

create table orders (id int primary key, currency text, email text);
create table "Told" (id int generated always as identity, what text);
create function latest() returns bigint language sql as 'select 1::bigint';
insert into orders values (1, 'EUR', 'ann@example.com');
"""
SECOND = "-- Something changes.\n-- irreversible: for the test\n\n"
MIGRATION, ONLINE = "sql/02_change/migration.sql", "sql/02_change/migration.online.sql"
READER = "-- Orders are read.\n\nselect id, currency from orders order by id;\n"
WRITER = """\
-- Orders come in.

begin;
insert into orders (id, currency) select max(id) + 1, 'EUR' from orders;
update orders set email = 'bob@example.com' where id = (select max(id) from orders);
commit;
"""
TELLER = """\
-- An order is changed, then told of.

begin;
update orders set email = 'eve@example.com' where id = 1;
insert into "Told" (what) values ('an order');
commit;
"""
BOTH = {"reader": READER, "writer": WRITER}


@pytest.fixture(scope="module")
def ground(batchgate_server, tmp_path_factory):
    """The height that all of these batches are applied from, made once."""
    root = tmp_path_factory.mktemp("traffic")
    files = {
        "sql/01_first/migration.sql": FIRST,
        MIGRATION: f"{SECOND}select 1;",
        ONLINE: "-- Something changes.\n\nselect 1;",
    }
    with heights_of(batchgate_server, root, files) as heights:
        yield heights


@pytest.fixture
def judge(ground):
    """Run a change among sessions, by the migration or by the online route."""

    def run(change: str, traffic: dict[str, str], *, online: bool = False) -> Evidence:
        root = ground.settings.root
        (root / (ONLINE if online else MIGRATION)).write_text(SECOND + change)
        folder = root / "traffic"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in traffic.items():
            (folder / f"{name}.sql").write_text(text)
        suite = discover(ground.settings)
        assert suite.problems == ()
        ground.suite = suite
        prove = lets_traffic_pass_online if online else lets_traffic_pass
        return prove(ground, suite.batch("02_change"))

    return run


def refusal(judge, change: str, traffic: dict[str, str], kind=BatchFailed) -> Message:
    with pytest.raises(kind) as refused:
        judge(change, traffic)
    assert isinstance(refused.value, BatchgateError)
    return refused.value.message


def without_times(notes) -> list[str]:
    return [note.partition(" (")[0] + note.partition(" ms)")[2] for note in notes]


def test_who_waits_on_the_batch_and_on_whom_the_batch_waits_is_told(judge):
    change = "begin;\nlock table orders in access exclusive mode;\nselect 1;\ncommit;\n"
    evidence = judge(change, BOTH)
    assert evidence.unexercised == ()
    place = f"from {MIGRATION}:5 to :7: AccessExclusiveLock on public.orders"
    held = f"02_change waited on writer at {MIGRATION}:5: RowExclusiveLock on public.orders"
    assert without_times(evidence.notes) == [
        f"reader waited on 02_change {place}",
        f"writer waited on 02_change {place}",
        held,
    ]


def test_a_wait_for_rows_is_told_too(judge):
    change = "begin;\nupdate orders set currency = 'USD' where id = 1;\ncommit;\n"
    teller = "-- Told.\n\nupdate orders set email = null where id = 1;\n"
    (note,) = without_times(judge(change, {"teller": teller}).notes)
    place = f"from {MIGRATION}:5 to :6"
    assert note == f"teller waited on 02_change {place}: a row of public.orders"


def test_an_online_route_meets_the_traffic_too(judge):
    change = "create index concurrently orders_email on orders (email);\n"
    (note,) = without_times(judge(change, BOTH, online=True).notes)
    assert note == f"02_change waited on writer at {ONLINE}:4: the end of a transaction"


@pytest.mark.parametrize(
    ("change", "traffic", "headline", "line", "row"),
    [
        pytest.param(
            "begin;\nlock table orders;\nalter table orders rename email to mail;\n"
            "select 1;\ncommit;",
            BOTH,
            "writer failed with 42703 after statement 3 of 5",
            6,
            f"writer failed at traffic/writer.sql:5, while the batch was at {MIGRATION}:8: "
            'column "email" of relation "orders" does not exist [42703]',
            id="renamed-column",
        ),
        pytest.param(
            "begin;\nselect 1;\ndrop table orders;\ncommit;",
            BOTH,
            "reader failed with 42P01 after statement 3 of 4",
            6,
            f"writer failed at traffic/writer.sql:4, while the batch was at {MIGRATION}:7: "
            'relation "orders" does not exist [42P01]',
            id="dropped-table",
        ),
        pytest.param(
            "alter table orders alter id type bigint;\nselect 1;",
            {"reader": "-- Read.\n\nselect * from orders;"},
            "reader failed with 0A000 after statement 1 of 2",
            4,
            f"reader failed at traffic/reader.sql:3, while the batch was at {MIGRATION}:4: "
            "cached plan must not change result type [0A000]",
            id="type-under-a-prepared-statement",
        ),
        pytest.param(
            'begin;\nalter table "Told" alter what set not null;\nselect 1;\ncommit;',
            {"teller": '-- Told.\n\ninsert into "Told" default values;\ndelete from "Told";'},
            "teller failed with 23502 after statement 2 of 4",
            5,
            f"teller failed at traffic/teller.sql:3, while the batch was at {MIGRATION}:7: "
            'null value in column "what" of relation "Told" violates not-null constraint [23502]',
            id="asked-for-before-it-is-written",
        ),
        pytest.param(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity\n"
            "where datname = current_database() and pid <> pg_backend_pid();",
            BOTH,
            "reader failed with 57P01 after statement 1 of 1",
            4,
            f"writer failed at traffic/writer.sql:3, while the batch was at {MIGRATION}:4: "
            "terminating connection due to administrator command [57P01]",
            id="sessions-ended",
        ),
    ],
)
def test_a_session_that_fails_is_named_with_the_guilty_statement(
    judge, change, traffic, headline, line, row
):
    message = refusal(judge, change, traffic)
    assert message.headline == f"batch 02_change: expected the traffic to pass, {headline}"
    assert message.at == f"{MIGRATION}:{line}"
    assert row in message.rows
    assert message.fix


def test_a_deadlock_is_named_with_the_statement_that_closes_the_ring(judge):
    change = 'begin;\nlock table "Told";\nlock table orders;\ncommit;\n'
    message = refusal(judge, change, {"teller": TELLER})
    assert message.headline == (
        "batch 02_change: expected the traffic to pass, teller failed with 40P01"
        " after statement 3 of 4"
    )
    assert message.at == f"{MIGRATION}:6"
    assert message.rows[0].startswith("teller failed at traffic/teller.sql:5, while the batch was")
    assert message.rows[1].startswith(f"teller waited on 02_change from {MIGRATION}:5 to :6 (")
    assert message.fix.startswith("Take every lock at the top of the file, in one go")


def test_a_batch_that_the_traffic_stops_is_named_with_its_statement(judge):
    writer = "-- Orders come in.\n\ninsert into orders (id) select max(id) + 1 from orders;\n"
    change = "begin;\nselect 1;\nalter table orders alter currency set not null;\ncommit;\n"
    message = refusal(judge, change, {"writer": writer})
    assert message.headline == (
        "batch 02_change: expected the traffic to pass, statement 3 of 4 failed with 23502"
        " beside it"
    )
    assert message.at == f"{MIGRATION}:6"
    assert message.rows[0] == "beside writer"
    assert message.cause == 'column "currency" of relation "orders" contains null values [23502]'
    assert "`-- until: …`" in message.fix


def test_a_batch_that_fails_by_itself_is_not_blamed_on_the_traffic(judge):
    message = refusal(judge, "begin;\nselect nothing;\ncommit;", BOTH)
    assert message.headline == (
        "batch 02_change: expected migration.sql to succeed, statement 2 of 3 failed"
    )
    assert message.at == f"{MIGRATION}:5"


def test_a_batch_that_gives_up_wholly_and_then_passes_is_let_pass(judge):
    change = "begin;\nselect 1;\nlock table orders nowait;\ncommit;\n"
    notes = judge(change, BOTH).notes
    assert f"{MIGRATION}:6 gave up its wait [55P03]; run again, it went through" in notes


def test_a_batch_that_gives_up_halfway_is_named_with_what_stops_the_next_run(judge):
    change = "create table half ();\nbegin;\nlock table orders nowait;\ncommit;\n"
    message = refusal(judge, change, BOTH)
    assert message.at == f"{MIGRATION}:6"
    assert message.rows == [
        "beside writer, in its transaction after traffic/writer.sql:4",
        f"{MIGRATION}:6 gave up its wait [55P03]; run again, it failed at {MIGRATION}:4: "
        'relation "half" already exists [42P07]',
    ]


def test_writers_that_meet_each_other_are_not_blamed_on_the_batch(judge):
    change = "begin;\nlock table orders;\nselect 1;\ncommit;\n"
    traffic = dict.fromkeys(("one", "two", "three"), WRITER)
    assert judge(change, traffic).unexercised == ()


def test_the_old_application_may_fail_where_it_no_longer_runs(judge):
    change = "alter table orders rename email to mail;\n"
    old = WRITER.replace("in.\n", "in.\n-- until: 02_change\n")
    new = "-- Read.\n-- after: 02_change\n\nselect mail from orders;\n"
    assert judge(change, {"old": old, "new": new}).unexercised == ()


def test_a_session_that_begins_once_the_batch_stands_has_to_pass_there(judge):
    new = "-- Read.\n-- after: 02_change\n\nselect maill from orders;\n"
    message = refusal(
        judge, "alter table orders rename email to mail;\n", {"new": new}, kind=SuiteError
    )
    assert message.headline == (
        "traffic/new.sql: expected a turn to pass where 02_change stands, it failed with 42703"
    )
    assert message.at == "traffic/new.sql:4"


def test_a_batch_beside_which_no_session_runs_is_not_exercised(judge):
    new = "-- Read.\n-- after: 02_change\n\nselect email from orders;\n"
    evidence = judge("select 1;", {"new": new})
    assert evidence.unexercised == ("no session of the traffic runs while it is applied",)


@pytest.mark.parametrize(
    ("text", "headline", "line"),
    [
        pytest.param(
            "select 1;\nselec 2;",
            "expected a turn to pass where 01_first stands, it failed with 42601",
            4,
            id="syntax",
        ),
        pytest.param(
            "insert into orders values (7);",
            "expected a turn to pass a second time, it failed with 23505",
            3,
            id="passes-once",
        ),
        pytest.param(
            "begin;\nselect 1;",
            "expected a turn that ends its transaction, found it open",
            4,
            id="left-open",
        ),
    ],
)
def test_a_turn_that_does_not_pass_without_a_batch_is_an_error_of_its_file(
    judge, text, headline, line
):
    message = refusal(judge, "select 1;", {"one": f"-- One.\n\n{text}"}, kind=SuiteError)
    assert message.headline == f"traffic/one.sql: {headline}"
    assert message.at == f"traffic/one.sql:{line}"
    assert message.fix


def test_a_turn_that_waits_for_another_session_is_an_error_of_its_file(judge):
    lock = "-- Locked.\n\nselect 1;\nselect pg_advisory_lock(7);\n"
    message = refusal(judge, "select 1;", {"one": lock, "two": lock}, kind=SuiteError)
    assert message.headline == (
        "traffic/two.sql: expected a turn that ends while no batch runs, "
        "found one that waits for another session"
    )
    assert message.at == "traffic/two.sql:4"


def test_a_turn_without_an_end_is_given_up(judge, monkeypatch):
    monkeypatch.setattr(crossing, "PATIENCE", 0.1)
    endless = "-- Slow.\n\nselect count(*) from generate_series(1, 1e12::bigint);\n"
    message = refusal(judge, "select 1;", {"slow": endless}, kind=SuiteError)
    assert message.headline.endswith("while no batch runs, found no end of it")


def test_a_batch_that_waits_for_ever_is_given_up(judge, monkeypatch):
    monkeypatch.setattr(crossing, "PATIENCE", 0.3)
    change = "begin;\nselect pg_advisory_xact_lock(7);\ncommit;\n"
    message = refusal(judge, change, {"one": "-- Locked.\n\nselect pg_advisory_lock(7);\n"})
    assert message.headline == (
        "batch 02_change: expected the traffic to pass, statement 2 of 3 did not end in 0.3 s"
    )
    assert message.at == f"{MIGRATION}:5"
    assert message.rows == [f"02_change waited on one at {MIGRATION}:5: an advisory lock"]


def test_a_session_that_waits_for_ever_is_given_up(judge, monkeypatch):
    monkeypatch.setattr(crossing, "PATIENCE", 0.3)
    change = """
create or replace function latest() returns bigint
return (select count(*) from pg_advisory_lock(7));
"""
    caller = "-- Called.\n\nselect latest();\n"
    message = refusal(judge, change, {"one": caller, "two": caller})
    assert message.headline == (
        "batch 02_change: expected the traffic to pass, two beside statement 1 of 1"
        " did not end in 0.3 s"
    )
    assert message.at == f"{MIGRATION}:5"
    assert message.rows == [f"two waited on one at {MIGRATION}:5: an advisory lock"]


def test_only_batches_beside_which_a_session_runs_owe_the_proof(judge, ground):
    judge("select 1;", {"reader": READER})
    suite = ground.suite
    assert [meets_traffic(batch, suite) for batch in suite.batches] == [False, True]
    without = replace(suite, traffic=())
    assert not any(meets_traffic(batch, without) for batch in suite.batches)
