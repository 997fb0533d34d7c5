"""A lock is told as values: what it stops, how long it was held, and over what work."""

from dataclasses import replace
from functools import partial
from itertools import count

import psycopg
import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.locks import Held, Mode
from batchgate.particulars import Lock, Particulars
from batchgate.rehearsal.locks import tracer
from batchgate.rehearsal.locks.growth import Growth, Pace, Statement
from batchgate.rehearsal.locks.proof import migration_holds_no_lock, online_holds_no_lock
from batchgate.rehearsal.locks.spans import locks_held
from batchgate.rehearsal.locks.trace import trace
from batchgate.rehearsal.locks.tracer import Work
from batchgate.rehearsal.locks.work import Done
from batchgate.script import Script

GROUND = """\
-- Lines are of kinds.
-- irreversible: the ground of a test

create table line (id int primary key, price int);
create table kind (id int primary key);
create materialized view prices as select price from line;
create procedure raise_prices() language plpgsql as $$
begin
    update line set price = price + 1;
    commit;
    lock table kind;
end
$$;
"""
ROWS = """\
insert into line select n, n from generate_series(1, 20) as n;
insert into kind values (1);
refresh materialized view prices;
"""
LATE = """\
begin;
alter table line add column tax int;
create index line_tax on line (tax);
update line set tax = 1;
commit;
alter table kind add column name text;
"""
OFFENDING = Lock(
    file="migration.sql",
    at="sql/02_change/migration.sql:5",
    statement="alter table",
    relation="public.line",
    sort="table",
    mode="ACCESS EXCLUSIVE",
    stops="reads, writes and DDL",
    strength=7,
    blocks_writes=True,
    blocks_reads=True,
    work="reads and writes 40 → 160 rows of public.line",
    offends=True,
)


@pytest.fixture
def seen(batchgate_server, tmp_path):
    """Return what was seen of a batch's migration, or of its online route where it has one."""

    def run(migration: str, online: str = "", *, of_online: bool = False) -> Particulars:
        head = "-- Lines change.\n-- irreversible: for the test\n\n"
        files = {"sql/01_ground/migration.sql": GROUND, "sample/01.sql": ROWS}
        files["sql/02_change/migration.sql"] = head + migration
        if online:
            files["sql/02_change/migration.online.sql"] = head + online
        check = online_holds_no_lock if of_online else migration_holds_no_lock
        with heights_of(batchgate_server, tmp_path, files) as heights:
            try:
                found = check(heights, heights.suite.batch("02_change")).particulars
            except BatchFailed as failure:
                found = failure.particulars
        # As it travels.
        return Particulars.from_dict(found.as_dict())

    return run


def statement(
    number: int,
    *taken: Held,
    since: dict[Held, str] | None = None,
    seconds: float | None = 1.0,
    done: tuple[Growth, ...] = (),
    locked: tuple[Growth, ...] = (),
) -> Statement:
    at = f"file.sql:{number}"
    work = Work(
        at=at,
        number=number,
        part=1,
        sql="alter table line",
        held={**(since or {}), **dict.fromkeys(taken, at)},
        taken=frozenset(taken),
        done={},
        locked={},
        wal=0,
        seconds=seconds,
    )
    return Statement(work, done, locked, 0)


def held(table: str, mode: Mode = Mode.ACCESS_EXCLUSIVE, kind: str = "table") -> Held:
    return Held(table, kind, mode, True)


def written(table: str, rows: int) -> Growth:
    return Growth(table, Pace.STEADY, Done(written=rows), Done(written=rows))


def told(statements: list[Statement], *guilty: int, mild: str = "") -> Particulars:
    chosen = [one for one in statements if one.work.number in guilty]
    return locks_held("file.sql", statements, chosen, mild)


def test_a_lock_that_offends_is_told_with_all_that_was_done_until_its_transaction_ended(seen):
    first, second = seen(LATE).locks
    assert replace(first, seconds=None) == OFFENDING
    assert first.seconds is not None
    assert first.seconds > 0
    assert (second.at, second.relation, second.work, second.offends) == (
        "sql/02_change/migration.sql:9",
        "public.kind",
        "",
        False,
    )


def test_the_locks_of_a_file_that_passes_are_told_too(seen):
    (lock,) = seen("begin;\nupdate line set price = 1;\nalter table line add x int;\ncommit;").locks
    assert (lock.at, lock.mode, lock.work) == (
        "sql/02_change/migration.sql:6",
        "ACCESS EXCLUSIVE",
        "",
    )
    assert (lock.offends, lock.excused) == (False, "")


def test_with_an_online_route_a_lock_is_excused_and_that_route_tells_its_own(seen):
    index = "create index line_price on line (price);"
    beside = index.replace("index", "index concurrently", 1)
    (lock,) = seen(index, beside).locks
    assert (lock.offends, lock.excused) == (
        False,
        "for small tables only, see migration.online.sql",
    )
    (lock,) = seen(index, beside, of_online=True).locks
    assert (lock.file, lock.statement, lock.mode, lock.stops) == (
        "migration.online.sql",
        "create index concurrently",
        "SHARE UPDATE EXCLUSIVE",
        "DDL and vacuum",
    )
    assert (lock.blocks_writes, lock.excused, lock.seconds) == (False, "", None)


def test_what_the_file_itself_made_is_not_told(seen):
    assert seen("create table made (id int);\nalter table made add x int;") == Particulars()


def test_what_a_query_makes_where_there_are_more_rows_has_no_time_over_those_that_stand(seen):
    made = "select format('alter table line add x%s int', id) from kind order by id \\gexec"
    times = [lock.seconds for lock in seen("select 1;", made, of_online=True).locks]
    assert [time is not None for time in times] == [True, False, False, False]


def test_a_procedure_tells_its_locks_without_a_time(seen):
    (lock,) = seen("call raise_prices();").locks
    assert (lock.statement, lock.relation, lock.seconds) == ("call", "public.kind", None)


def test_no_one_writes_to_a_materialized_view(seen):
    lock = seen("refresh materialized view prices;").locks[0]
    assert (lock.sort, lock.blocks_writes, lock.blocks_reads) == ("materialized view", False, True)


def test_an_index_is_told_where_more_waits_for_it_than_for_its_table(seen):
    modes = [(lock.relation, lock.mode) for lock in seen("reindex table line;").locks]
    assert modes == [("public.line_pkey", "ACCESS EXCLUSIVE"), ("public.line", "SHARE")]
    (lock,) = seen("alter table line drop constraint line_pkey;").locks
    assert lock.relation == "public.line"


def test_what_travels_are_plain_values(seen):
    for lock in seen(LATE).as_dict()["locks"]:
        assert {type(value) for value in lock.values()} <= {str, int, float, bool}


def test_a_lock_is_held_for_the_time_of_the_statements_until_its_transaction_ends():
    lock, other = held("line"), held("kind")
    statements = [
        statement(1, seconds=64.0),
        statement(2, lock, seconds=1.0),
        statement(3, other, since={lock: "file.sql:2"}, seconds=2.0),
        statement(4, since={lock: "file.sql:2", other: "file.sql:3"}, seconds=None),
        statement(5, since={lock: "file.sql:2"}, seconds=4.0),
        statement(6, lock, seconds=8.0),
        statement(7, lock, seconds=None),
    ]
    locks = told(statements, 4).locks
    assert [(one.at, one.relation, one.seconds, one.offends) for one in locks] == [
        ("file.sql:2", "line", 7.0, True),
        ("file.sql:3", "kind", 2.0, True),
        ("file.sql:6", "line", 8.0, False),
        ("file.sql:7", "line", None, False),
    ]


def test_a_lock_that_adds_nothing_to_an_earlier_one_is_not_told():
    strong, weak = held("line"), held("line", Mode.SHARE)
    upwards = [statement(1, weak), statement(2, strong, since={weak: "file.sql:1"})]
    downwards = [statement(1, strong), statement(2, weak, since={strong: "file.sql:1"})]
    assert [one.mode for one in told(upwards).locks] == ["SHARE", "ACCESS EXCLUSIVE"]
    assert [one.mode for one in told(downwards).locks] == ["ACCESS EXCLUSIVE"]


def test_a_lock_that_neither_readers_nor_writers_wait_for_does_not_offend():
    weak = held("line", Mode.SHARE_UPDATE_EXCLUSIVE)
    (one, other) = told([statement(1, weak, held("kind"))], 1, mild="plan a quiet hour").locks
    assert (one.relation, one.excused, one.offends) == ("kind", "plan a quiet hour", False)
    assert (other.relation, other.excused) == ("line", "")


def test_of_very_many_locks_those_that_offend_and_the_strongest_are_kept_in_file_order():
    modes = {3: Mode.SHARE, 70: Mode.SHARE}
    statements = [statement(n, held("line", modes.get(n, Mode.EXCLUSIVE))) for n in range(1, 72)]
    seen = told(statements, 70)
    assert seen.left_out == (("locks", 11),)
    assert len(seen.locks) == 60
    places = [int(lock.at.partition(":")[2]) for lock in seen.locks]
    assert places == sorted(places)
    assert 70 in places
    assert 3 not in places


def test_work_is_told_from_the_lock_on():
    lock = held("line")
    taking = statement(1, lock, done=(written("line", 5),), locked=(written("line", 2),))
    going_on = statement(2, since={lock: "file.sql:1"}, done=(written("line", 1),))
    assert told([taking, going_on]).locks[0].work == "writes 3 rows of line"


def test_work_on_many_tables_is_told_of_those_with_the_most_rows():
    locked = tuple(written(f"t{rows}", rows) for rows in range(1, 7))
    (lock,) = told([statement(1, held("line"), locked=locked)]).locks
    assert lock.work == (
        "writes 6 rows of t6, 5 rows of t5, 4 rows of t4, 3 rows of t3, and of 2 more tables"
    )


@pytest.fixture
def works(at_batch, session, tmp_path):
    """Trace a file that goes through and return its statements' works."""

    def run(text: str) -> tuple[Work, ...]:
        at_batch(None)
        observer = session("observer")
        observer.run("create table line (id int primary key, price int)")
        observer.run("create table kind (id int primary key)")
        path = tmp_path / "file.sql"
        path.write_text(text)
        connect = partial(psycopg.connect, observer.connection.info.dsn, autocommit=True)
        found = trace(observer.connection, connect, Script(path, tmp_path))
        assert found.run.error is None
        return found.works

    return run


def test_a_statement_takes_its_own_time_and_that_of_what_ends_its_transaction(works, monkeypatch):
    monkeypatch.setattr(tracer, "perf_counter", partial(next, count()))
    alone, first, second = works(
        "alter table line add a int;\n"
        "begin;\nalter table line add b int;\nset local work_mem = '1MB';\n"
        "alter table kind add b int;\ncommit;\nset work_mem = '1MB';"
    )
    assert [work.seconds for work in (alone, first, second)] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "between",
    [
        pytest.param("rollback to here;", id="taken-back"),
        pytest.param("commit and chain;", id="chained"),
        pytest.param("rollback and chain;", id="chained-after-a-rollback"),
    ],
)
def test_what_gives_a_lock_back_and_leaves_a_transaction_open_is_seen(works, between):
    first, second, last = works(
        f"begin;\nsavepoint here;\nalter table line add a int;\n{between}\n"
        "alter table line add b int;\ninsert into kind values (1);\ncommit;"
    )
    lock = Held("public.line", "table", Mode.ACCESS_EXCLUSIVE, True)
    assert [lock in work.taken for work in (first, second, last)] == [True, True, False]
    assert last.held[lock] == "file.sql:5"
    assert last.done["public.kind"].written == 1
