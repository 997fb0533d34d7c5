"""A batch behind a long transaction gives up by lock_timeout, leaves no trace, and tries again."""

import pytest
from heights import heights_of

from batchgate.discover import discover
from batchgate.errors import BatchFailed, Message
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.traffic import crossing, queue
from batchgate.rehearsal.traffic.queue import yields_in_lock_queue

FIRST = """\
-- Orders can be kept, and their currencies looked at.
-- irreversible: the ground of a test

create table orders (id int primary key, currency text);
create table "Old" (id int) partition by range (id);
create table old_1 partition of "Old" for values from (1) to (9);
create materialized view currencies as select distinct currency from orders with no data;
insert into orders values (1, 'EUR');
"""
MIGRATION = "sql/02_change/migration.sql"
READER = "-- Orders are read.\n\nbegin;\nselect id from orders;\ncommit;\n"
WRITER = "-- Orders come in.\n\ninsert into orders select max(id) + 1 from orders;\n"


@pytest.fixture(scope="module")
def ground(batchgate_server, tmp_path_factory):
    """The height that all of these batches are applied from, made once."""
    root = tmp_path_factory.mktemp("queue")
    files = {
        "sql/01_first/migration.sql": FIRST,
        MIGRATION: "-- Something changes.\n-- irreversible: for the test\n\nselect 1;",
        "traffic/reader.sql": READER,
        "traffic/writer.sql": WRITER,
    }
    with heights_of(batchgate_server, root, files) as heights:
        yield heights


@pytest.fixture
def judge(ground, monkeypatch):
    """Run a change behind a long transaction."""
    monkeypatch.setattr(queue, "LIMITS", (150, 3000))

    def run(change: str, header: str = "") -> Evidence:
        head = f"-- Something changes.\n-- irreversible: for the test\n{header}\n"
        (ground.settings.root / MIGRATION).write_text(head + change)
        suite = discover(ground.settings)
        assert suite.problems == ()
        ground.suite = suite
        return yields_in_lock_queue(ground, suite.batch("02_change"))

    return run


def refusal(judge, change: str, header: str = "") -> Message:
    with pytest.raises(BatchFailed) as refused:
        judge(change, header)
    return refused.value.message


def without_times(notes) -> list[str]:
    return [note.partition(" (")[0] + note.partition(" ms)")[2] for note in notes]


def test_the_queue_behind_a_long_reader_is_told(judge, monkeypatch):
    # Until it gives up, a second session has to be opened and seen.
    monkeypatch.setattr(queue, "LIMITS", (1500, 6000))
    notes = judge("begin;\nalter table orders add note text;\ncommit;\n").notes
    behind = f"waited on 02_change at {MIGRATION}:5: AccessExclusiveLock on public.orders"
    assert without_times(notes) == [
        f"02_change waited on a long reader at {MIGRATION}:5: AccessShareLock on public.orders",
        f"a later reader {behind}",
        f"reader {behind}",
        f"gave up at {MIGRATION}:5 [55P03], passed later",
    ]


def test_the_queue_behind_a_long_writer_is_told(judge):
    notes = judge("create index orders_currency on orders (currency);\n").notes
    assert without_times(notes) == [
        f"02_change waited on a long writer at {MIGRATION}:4: RowExclusiveLock on public.orders",
        f"a later writer waited on 02_change at {MIGRATION}:4: ShareLock on public.orders",
        f"gave up at {MIGRATION}:4 [55P03], passed later",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param("create table new (id int);", "takes no table lock that a *", id="new-table"),
        pytest.param("update orders set id = id;", "takes no table lock that a *", id="rows-alone"),
        pytest.param(
            "begin;\nlock table orders in share mode nowait;\ncommit;",
            f"gave up at {MIGRATION}:5 [55P03], passed later",
            id="nowait",
        ),
        pytest.param(
            "begin;\nset local lock_timeout = '1h';\nalter table \"Old\" add note text;\ncommit;",
            f"gave up at {MIGRATION}:6 [55P03], passed later",
            id="a-longer-limit-of-its-own",
        ),
        pytest.param(
            "begin;\nset transaction isolation level serializable;\nreset all;\n"
            "drop table old_1;\ncommit;",
            f"gave up at {MIGRATION}:7 [55P03], passed later",
            id="back-to-the-operators-limit",
        ),
        pytest.param(
            "do $$ begin drop materialized view currencies;\n"
            "exception when lock_not_available then raise exception 'busy'; end $$;",
            f"gave up at {MIGRATION}:5 [P0001], passed later",
            id="in-words-of-its-own",
        ),
        pytest.param(
            "do $$ begin for try in 1..1000 loop begin\n"
            "set local lock_timeout = '60ms'; lock table orders; exit;\n"
            "exception when lock_not_available then null; end; end loop; end $$;",
            "let others go on in between, and went on when the way was free",
            id="asks-again-by-itself",
        ),
    ],
)
def test_a_batch_that_yields_is_let_pass(judge, change, told):
    evidence = judge(change)
    assert evidence.unexercised == ()
    assert evidence.notes[-1].startswith(told.removesuffix("*"))


def test_a_batch_that_commits_in_between_says_so_and_finishes_what_it_began(judge):
    change = "create table if not exists half ();\nalter table orders add note text;\n"
    assert judge(change, "-- transaction: none\n").notes[-1].endswith("passed later")


@pytest.mark.parametrize(
    ("change", "header", "headline", "line", "row"),
    [
        pytest.param(
            "create table half ();\nalter table orders add note text;",
            "",
            "expected a run that gave up its wait to change nothing, found 1 difference",
            5,
            "left behind: relation public.half",
            id="leaves-half",
        ),
        pytest.param(
            "create index concurrently orders_currency on orders (currency);",
            "",
            "expected a run that gave up its wait to change nothing, found 1 difference",
            4,
            "left behind: index public.orders_currency",
            id="leaves-an-invalid-index",
        ),
        pytest.param(
            "do $$ begin alter table orders add note text;\n"
            "exception when others then raise notice 'later'; end $$;",
            "",
            "expected a run without an error to have done its work, found 1 difference",
            4,
            "destroyed: column public.orders.note",
            id="swallows-the-error",
        ),
        pytest.param(
            "create table half ();\nalter table orders add note text;",
            "-- transaction: none\n",
            "expected the next run to succeed when the way is free, statement 1 of 2 failed",
            5,
            "",
            id="cannot-finish",
        ),
        pytest.param(
            "alter table orders add note txt;",
            "",
            "expected migration to succeed, statement 1 of 1 failed",
            4,
            "",
            id="never-passes",
        ),
    ],
)
def test_a_batch_that_leaves_something_behind_is_named(judge, change, header, headline, line, row):
    message = refusal(judge, change, header)
    assert message.headline == f"batch 02_change: {headline}"
    assert message.at == f"{MIGRATION}:{line}"
    assert [each for each in message.rows if each.startswith(row)] or not row
    assert message.fix


def test_a_batch_that_lifts_the_limit_is_named_with_the_line_that_does(judge, monkeypatch):
    monkeypatch.setattr(crossing, "PATIENCE", 1.5)
    change = "begin;\nset local lock_timeout = 0;\nalter table orders add note text;\ncommit;\n"
    message = refusal(judge, change)
    assert message.headline == (
        "batch 02_change: expected lock_timeout to end its wait behind a long reader,"
        " found no end in 0.5 s"
    )
    assert message.at == f"{MIGRATION}:5"
    assert message.rows[0].startswith(f"02_change waited on a long reader at {MIGRATION}:6")
    assert message.fix.startswith("Leave lock_timeout as its operator set it")


def test_before_the_first_batch_there_is_no_one_to_wait_for(ground):
    evidence = yields_in_lock_queue(ground, ground.suite.batch("01_first"))
    assert evidence.notes == ("nothing stands before it that a session could hold",)
