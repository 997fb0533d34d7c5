"""What a test does by `undone` is gone when the next one begins, and nothing else is."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from heights import heights_of

from batchgate.database import database_exists
from batchgate.errors import BatchgateError
from batchgate.heights import Heights
from batchgate.undone import Shelf, Undone

FILES = {
    "sql/01_things/migration.sql": (
        "create table thing (id serial primary key, name text not null unique);\n"
        "create table part (thing_id int references thing deferrable initially deferred);\n"
    ),
    "sql/01_things/rollback.sql": "drop table part, thing;\n",
    "sample/01.sql": "insert into thing (name) values ('first');\n",
}
ADD = "insert into thing (name) values ('second') returning id"


@pytest.fixture
def heights(batchgate_server, tmp_path) -> Iterator[Heights]:
    with heights_of(batchgate_server, tmp_path, FILES) as made:
        yield made


@pytest.fixture
def shelf(heights) -> Iterator[Shelf]:
    with closing(Shelf(heights)) as made:
        yield made


@pytest.fixture
def lent(shelf, heights):
    """Lend the session at the top."""
    return lambda sample=True: shelf.lent(heights.suite.batches[-1], sample=sample)


def place_of(session: Undone) -> tuple[int, str]:
    return session.connection.info.backend_pid, session.connection.info.dbname


def names(session: Undone) -> list[str]:
    return [name for (name,) in session.run("select name from thing order by id")]


def test_what_was_done_is_undone_and_the_session_kept(lent):
    with lent() as session:
        place = place_of(session)
        assert session.value(ADD) == 2
        assert names(session) == ["first", "second"]
        session.run("alter table thing add column note text")
    with lent() as session:
        assert place_of(session) == place
        assert session.run("select * from thing") == [(1, "first")]


def test_a_sequence_begins_again_where_it_stood(lent):
    with lent() as session:
        assert session.value(ADD) == 2
    with lent() as session:
        assert session.value(ADD) == 2
    with lent(sample=False) as session:
        assert session.value(ADD) == 1
    with lent(sample=False) as session:
        assert session.value(ADD) == 1


def test_what_outlives_a_transaction_is_let_go(lent):
    with lent() as session:
        session.run("select pg_advisory_lock(7)")
        session.run("prepare kept as select 1")
        session.run("select set_config('search_path', 'nowhere', false)")
    with lent() as session:
        held = (
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        )
        assert session.value(held) == 0
        assert session.value("select count(*) from pg_prepared_statements") == 0
        assert names(session) == ["first"]


def test_a_statement_is_planned_as_if_no_test_had_run_it(lent):
    for _ in range(4):
        with lent() as session:
            names(session)
            names(session)
            assert session.value("select count(*) from pg_prepared_statements") == 0


def test_a_refusal_does_not_end_what_goes_on(lent):
    with lent() as session:
        session.run(ADD)
        session.is_refused(ADD, "23505", by="thing_name_key")
        assert names(session) == ["first", "second"]
        with pytest.raises(BatchgateError, match="found that it succeeded"):
            session.is_refused("insert into thing (name) values ('third')", "23505")
        assert names(session) == ["first", "second"]


def test_what_is_checked_at_commit_can_be_asked_for(lent):
    with lent() as session:
        session.run("insert into part values (99)")
        session.is_refused("set constraints all immediate", "23503", by="part_thing_id_fkey")


def test_a_statement_that_fails_spoils_its_own_test_alone(lent):
    with lent() as session:
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.run("insert into thing (name) values ('first')")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            session.run("select 1")
    with lent() as session:
        assert names(session) == ["first"]


def test_a_test_that_fails_is_undone_too(lent):
    def fail() -> None:
        with lent() as session:
            session.run(ADD)
            raise AssertionError

    with pytest.raises(AssertionError):
        fail()
    with lent() as session:
        assert names(session) == ["first"]


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(["commit"], id="committed"),
        pytest.param(["commit", "begin"], id="committed-and-begun-again"),
        pytest.param(["rollback", ADD], id="rolled-back-and-done-at-once"),
        pytest.param(["commit and chain"], id="chained"),
    ],
)
def test_a_clone_in_which_something_may_stand_is_dropped(lent, batchgate_server, ending):
    with lent() as session:
        _, database = place_of(session)
        session.run("insert into thing (name) values ('stays')")
        for statement in ending:
            session.run(statement)
    assert not database_exists(batchgate_server, database)
    with lent() as session:
        assert names(session) == ["first"]


def test_a_session_that_was_ended_is_replaced(lent, batchgate_server):
    with lent() as session:
        _, database = place_of(session)
        with pytest.raises(psycopg.OperationalError):
            session.run("select pg_terminate_backend(pg_backend_pid())")
    assert not database_exists(batchgate_server, database)
    with lent() as session:
        assert names(session) == ["first"]


def test_heights_and_samples_are_kept_apart(lent, shelf):
    with lent() as full, lent(sample=False) as empty, shelf.lent(None, sample=True) as blank:
        full.run(ADD)
        assert names(empty) == []
        assert blank.value("select to_regclass('thing')") is None


def test_two_at_once_do_not_share_a_session(lent):
    with lent() as one, lent() as two:
        one.run(ADD)
        assert names(two) == ["first"]


def test_nothing_is_left_when_the_run_ends(heights, batchgate_server):
    shelf = Shelf(heights)
    with shelf.lent(heights.suite.batches[-1], sample=True) as session:
        _, database = place_of(session)
    assert database_exists(batchgate_server, database)
    shelf.close()
    assert not database_exists(batchgate_server, database)


def test_a_test_has_its_session_and_the_next_one_a_clean_one(pytester):
    for path, text in FILES.items():
        place = pytester.path / path.replace("sample/", "scenarios/sample/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    module = pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", range(3))
        def test_alone(undone, turn):
            db = undone("01_things")
            assert db.value("select count(*) from thing") == 1
            db.run("insert into thing (name) values ('second')")
            assert undone("01_things") is db
            assert undone("01_things", sample=False).value("select count(*) from thing") == 0
            assert undone(None).value("select to_regclass('thing')") is None
        """
    )
    pytester.runpytest_subprocess(module).assert_outcomes(passed=3)
