"""What a statement holds and does is read from the server, whichever way it can be run."""

from functools import partial

import psycopg
import pytest

from batchgate.locks import Held, Mode
from batchgate.rehearsal.locks import beside
from batchgate.rehearsal.locks.trace import Limit, trace
from batchgate.rehearsal.locks.work import done_between, read_counters, survey, tell_sessions
from batchgate.script import Script

GROUND = """
create table "Line" (id int primary key, price int, note text);
create index "Line_price" on "Line" (price);
create table part (id int) partition by range (id);
create table part_one partition of part for values from (0) to (1000);
create materialized view prices as select price from "Line";
create materialized view unread as select 1 as one with no data;
create sequence numbers;
insert into "Line" select n, n, n from generate_series(1, 20) as n;
insert into part select n from generate_series(1, 7) as n;
refresh materialized view prices;
create procedure price_in_steps() language plpgsql as $$
begin
    for half in 0..1 loop
        update "Line" set price = price + 1 where id % 2 = half;
        commit;
    end loop;
    alter table "Line" add column stepped int;
end
$$;
"""
LINE = 'public."Line"'


@pytest.fixture
def ground(at_batch, session):
    at_batch(None)
    observer = session("observer")
    observer.run(GROUND)
    return observer.connection


@pytest.fixture
def traced(ground, tmp_path):
    """Trace a file's text."""

    def run(text: str, limit: Limit | None = None):
        path = tmp_path / "file.sql"
        path.write_text(text)
        connect = partial(psycopg.connect, ground.info.dsn, autocommit=True)
        return trace(ground, connect, Script(path, tmp_path), limit)

    return run


@pytest.fixture
def works(traced):
    """Trace a file that goes through and return its statements' works."""

    def run(text: str):
        found = traced(text)
        assert found.run.error is None
        return found.works

    return run


def held(work) -> set[tuple[str, Mode]]:
    return {(each.relation, each.mode) for each in work.held if each.mode.strength > 2}


def test_the_ground_is_every_relation_and_the_rows_of_what_holds_any(ground):
    stands = survey(ground)
    named = {
        (relation.name, relation.kind, relation.home) for relation in stands.relations.values()
    }
    assert {(LINE, "r", LINE), ('public."Line_price"', "i", LINE)} < named
    assert ("public.numbers", "S", "public.numbers") in named
    assert stands.rows == {LINE: 20, "public.part_one": 7, "public.prices": 20}


@pytest.mark.parametrize(
    ("statement", "read", "written", "rewritten"),
    [
        pytest.param("select from \"Line\" where note = 'x'", 20, 0, "", id="scan"),
        pytest.param('select from "Line" where id = 7', 1, 0, "", id="look-up"),
        pytest.param('update "Line" set note = id', 20, 20, "", id="update"),
        pytest.param('insert into "Line" values (99)', 0, 1, "", id="insert"),
        pytest.param('create index on "Line" using hash (note)', 20, 0, "", id="index"),
        pytest.param('alter table "Line" add check (id > 0)', 20, 0, "", id="check"),
        pytest.param('alter table "Line" add check (id > 0) not valid', 0, 0, "", id="not-valid"),
        pytest.param('alter table "Line" add column z int default 5', 0, 0, "", id="constant"),
        pytest.param("truncate part_one", 0, 0, "", id="truncate"),
        pytest.param(
            'alter table "Line" alter note type varchar(9)', None, 0, "column type", id="type"
        ),
        pytest.param(
            'alter table "Line" add column z float default random()',
            None,
            0,
            "values worked out row by row",
            id="volatile",
        ),
        pytest.param(
            'alter table "Line" set unlogged', None, 0, "logged or unlogged", id="unlogged"
        ),
        pytest.param('cluster "Line" using "Line_price"', None, 0, "cluster", id="cluster"),
    ],
)
def test_rows_and_rewrites_are_counted(ground, session, statement, read, written, rewritten):
    stands = survey(ground)
    tell_sessions(ground, stands)
    worker = session("worker")
    worker.run("set enable_seqscan = off")
    worker.run("begin")
    before = read_counters(worker.connection, stands)
    worker.run(statement)
    after = read_counters(worker.connection, stands)
    done = done_between(before, after, stands, statement.split()[0])
    found = done.get(LINE)
    if not (read or written or rewritten):
        assert found is None or found.rows == 0
        return
    assert found.rewritten == rewritten
    assert found.written == written
    assert found.read == read if read is not None else found.read >= 20


def test_a_new_tablespace_moves_every_row(ground, session):
    stands = survey(ground)
    worker = session("worker")
    before = read_counters(worker.connection, stands)
    oid = next(oid for oid, relation in stands.relations.items() if relation.name == LINE)
    moved = before.counts | {oid: before.counts[oid]._replace(space=1, file=1)}
    done = done_between(before, before._replace(counts=moved), stands, "alter")
    assert (done[LINE].rewritten, done[LINE].rows) == ("tablespace", 20)


def test_locks_of_a_statement_that_is_its_own_transaction_are_seen(works):
    (work,) = works('alter table "Line" alter price set not null;')
    assert held(work) == {(LINE, Mode.ACCESS_EXCLUSIVE)}
    assert work.done[LINE].read == 20
    assert not work.beside


def test_locks_of_a_transaction_are_held_from_the_statement_that_took_them(works):
    first, second = works(
        "begin;\nalter table \"Line\" add x int;\nset local work_mem = '1MB';\n"
        "update part set id = id + 1;\ncommit;"
    )
    lock = Held(LINE, "table", Mode.ACCESS_EXCLUSIVE, True)
    assert (first.held[lock], lock in first.taken) == ("file.sql:2", True)
    assert (second.held[lock], lock in second.taken) == ("file.sql:2", False)
    assert second.done["public.part_one"].written == 7


def test_what_the_file_itself_made_is_of_no_interest(works):
    made, filled, indexed = works(
        'create table copied as select * from "Line";\n'
        "update copied set price = 1;\ncreate index on copied (price);"
    )
    assert made.done.keys() == {LINE}
    assert (filled.held, filled.done, indexed.held, indexed.done) == ({}, {}, {}, {})


def test_each_statement_that_a_query_made_is_seen_by_itself(works):
    asked, first, second = works(
        "select format('alter table %I add column x%s int', 'Line', n)"
        " from generate_series(1, 2) as n \\gexec"
    )
    assert [work.key for work in (asked, first, second)] == [(1, 1), (1, 2), (1, 3)]
    assert held(first) == held(second) == {(LINE, Mode.ACCESS_EXCLUSIVE)}
    assert second.taken == first.taken


def test_copied_rows_are_counted(works):
    (work,) = works('copy "Line" (id) from stdin;\n71\n72\n\\.\n')
    assert work.done[LINE].written == 2


def test_a_concurrent_build_is_watched_from_beside(works):
    built, dropped = works(
        "set lock_timeout = '1ms';\ncreate index concurrently by_note on \"Line\" (note);\n"
        'drop index concurrently "Line_price";'
    )
    assert built.beside
    assert held(built) == {(LINE, Mode.SHARE_UPDATE_EXCLUSIVE)}
    assert built.phases == ("waiting for writers before build",)
    assert (LINE, Mode.SHARE_UPDATE_EXCLUSIVE) in held(dropped)


def test_what_cannot_run_in_a_transaction_shows_the_locks_it_asks_for(works):
    vacuumed, called = works('vacuum full "Line";\ncall price_in_steps();')
    assert (LINE, Mode.ACCESS_EXCLUSIVE) in held(vacuumed)
    assert vacuumed.done[LINE].rewritten == "vacuum full"
    assert vacuumed.done[LINE].rows >= 20
    assert called.beside
    assert (LINE, Mode.ACCESS_EXCLUSIVE) in held(called)
    assert called.done[LINE].written == 20


def test_every_table_of_a_statement_with_many_transactions_is_seen(works):
    (work,) = works("reindex schema public;")
    assert {(LINE, Mode.SHARE), ("public.part_one", Mode.SHARE)} <= held(work)


def test_work_before_the_first_lock_is_told_from_work_under_it(works):
    before, under = works(
        "do $$ begin perform from \"Line\" where note = 'x';"
        ' alter table "Line" add x int; end $$;\n'
        'do $$ begin lock table "Line"; perform from "Line" where note = \'x\';'
        ' alter table "Line" add y int; end $$;'
    )
    assert (before.done[LINE].read, before.locked) == (20, {})
    assert under.locked[LINE].read == 20


def test_a_failing_statement_ends_the_file_as_it_would(traced):
    found = traced('alter table "Line" add x int;\nselect 1 / 0;\nselect 1;')
    assert (found.run.error.number, found.run.error.sqlstate) == (2, "22012")
    assert [work.number for work in found.works] == [1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("select 'select 1' from generate_series(1, 9) \\gexec", id="statements"),
        pytest.param("do $$ begin loop perform 1; end loop; end $$;", id="time"),
    ],
)
def test_a_run_that_would_have_no_end_is_ended(traced, text):
    error = traced(text, Limit(seconds=0.2, parts=5)).run.error
    assert error.at == "file.sql:1"


def test_a_procedure_that_never_waits_is_let_go_and_lost(works, monkeypatch):
    monkeypatch.setattr(beside, "PATIENCE", 0.1)
    (work,) = works(
        'do $$ begin commit; loop begin lock table "Line" nowait; exit;'
        " exception when lock_not_available then null; end; end loop; end $$;"
    )
    assert work.lost
