"""An error of the server is told with what to do about it."""

from secrets import token_hex

import psycopg
import pytest

from batchgate.operate.remedies import remedy_of
from batchgate.psqloutput import ScriptError

MAKES = """\
-- A table stands.
-- present: to_regclass('made') is not null

begin;
{}
create table made (id int);
commit;
"""


def with_batch(operated):
    """Give a project a batch that does something before it makes a table."""

    def write(statement: str) -> None:
        operated.write(
            {"sql/05_make/migration.sql": MAKES.format(statement), "sql/05_make/rollback.sql": ""}
        )

    write("drop table if exists made;")
    operated.making = write
    return operated


@pytest.fixture
def making(operated):
    """The small project with such a batch."""
    return with_batch(operated)


def error_of(sqlstate: str) -> ScriptError:
    return ScriptError(message="failed", at="x.sql:1", sql="x", number=1, of=1, sqlstate=sqlstate)


@pytest.mark.parametrize(
    ("sqlstate", "fix"),
    [
        ("40P01", "at a quieter time, or with more --retries"),
        ("42501", "Grant the role what is missing"),
        ("53100", "Make room on the server's disk, then run the same command again."),
        ("53200", "Give the server the memory"),
        ("55P03", "at a quieter time, or raise --lock-timeout or --retries."),
    ],
)
def test_what_is_known_by_its_number_alone(operated, sqlstate, fix):
    with operated.session() as session:
        assert fix in remedy_of(error_of(sqlstate), session)


def test_of_an_error_that_says_nothing_of_the_server_nothing_is_advised(operated):
    with operated.session() as session:
        assert remedy_of(error_of("23505"), session) == ""
        # The database has the encoding: it is a value that could not be read.
        assert remedy_of(error_of("22021"), session) == ""


def test_what_a_database_sets_is_taken_back_there(making):
    with making.session() as session:
        name = f"alter database {making.name} set default_transaction_read_only = {{}}"
        session.execute(name.format("on").encode())
    result = making.run("apply", "5", "--yes")
    assert result.exit_code == 1
    back = f"fix: Take it back, {name.format('off')}; or for this run alone: PGOPTIONS="
    assert back in result.stderr
    assert "PGOPTIONS='-c default_transaction_read_only=off'." in result.stderr


@pytest.mark.parametrize("within", ["", " in database {}"])
def test_what_a_role_sets_is_taken_back_there(operated_apart, within):
    making = with_batch(operated_apart)
    given = (
        f'alter role "The Role"{within.format(making.name)} set default_transaction_read_only = '
    )
    with making.session() as session:
        session.execute('create role "The Role" login superuser')
        session.execute(f"{given} on".encode())
    dsn = f"{making.dsn} user='The Role'"
    result = making.run("apply", "5", "--yes", "--dsn", dsn)
    assert result.exit_code == 1
    assert f"fix: Take it back, {given}off; or" in result.stderr


def test_what_the_file_sets_itself_is_looked_for_there(making):
    making.making("set transaction read only;")
    result = making.run("apply", "5", "--yes")
    assert "fix: Look where the file itself sets default_transaction_read_only" in result.stderr
    making.making("set local statement_timeout = '10ms'; select pg_sleep(60);")
    result = making.run("apply", "5", "--yes")
    assert "fix: Look where the file itself sets statement_timeout" in result.stderr


def test_a_limit_of_the_database_is_told_from_somebody_who_cancels(making):
    making.making("select pg_sleep(60); select pg_advisory_xact_lock(4711);")
    with making.session() as session:
        limit = f"alter database {making.name} set statement_timeout = "
        session.execute(f"{limit} '3s'".encode())
        result = making.run("apply", "5", "--yes")
        session.execute(f"alter database {making.name} reset all".encode())
    assert result.exit_code == 1
    assert f"fix: Take it back, {limit}0; or" in result.stderr
    making.making("select pg_advisory_xact_lock(4711);")
    arguments = ("apply", "5", "--yes", "--lock-timeout", "0")
    with making.held_up(), making.started(*arguments) as process:
        making.ask(f"select pg_cancel_backend({making.until_waiting()})")
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "fix: Ask who cancelled it on the server" in said


@pytest.mark.parametrize(
    ("encoding", "statement", "cause"),
    [
        pytest.param(
            "LATIN1",
            "do $$ begin raise notice '✓'; end $$;",
            "in encoding UTF8 has no equivalent in encoding LATIN1 [22P05]",
            id="no-such-character",
        ),
        pytest.param(
            "SQL_ASCII",
            r"select U&'\2713';",
            "conversion between UTF8 and SQL_ASCII is not supported [0A000]",
            id="no-conversion",
        ),
    ],
)
def test_a_database_of_another_encoding_is_told_as_one(making, encoding, statement, cause):
    making.making(statement)
    name = f"{making.name}_{token_hex(4)}"
    with making.session() as session:
        made = f"create database {name} encoding '{encoding}' template template0 locale 'C'"
        session.execute(made.encode())
        try:
            given = psycopg.conninfo.make_conninfo(making.dsn, dbname=name)
            result = making.run("apply", "5", "--yes", "--dsn", given)
        finally:
            session.execute(f"drop database {name} with (force)".encode())
    assert result.exit_code == 1
    assert cause in result.stderr
    assert f"fix: The database is encoded in {encoding}, and not every" in result.stderr
    assert "made with encoding 'UTF8'." in result.stderr
