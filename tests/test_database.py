import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import perf_counter

import psycopg
import pytest

from batchgate.binaries import find_binaries
from batchgate.database import (
    connect,
    create_database,
    database_exists,
    drop_database,
    ensure_template,
    mark_template,
)
from batchgate.errors import ServerUnavailable
from batchgate.server import Server, ThrowAwayServer

PROGRAMS = [None, *(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))]


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda programs: programs or "wheel")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with ThrowAwayServer() as throw_away:
        yield throw_away.start(find_binaries(explicit=request.param, explicit_source="--pg-bin"))


@pytest.fixture
def name(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name for a database, dropped with the databases that begin with it."""
    name = re.sub(r"\W+", "_", request.node.name.removeprefix("test_"))[:40]
    yield name
    with connect(server, "postgres") as session:
        found = session.execute(
            "select datname from pg_database where starts_with(datname, %s) order by datname",
            (name,),
        ).fetchall()
    for (database,) in found:
        drop_database(server, database)


def fill(session: psycopg.Connection) -> None:
    session.execute("create table filled as select 1 as number")


def rows(server: Server, database: str) -> list[tuple[object, ...]]:
    with connect(server, database) as session:
        return session.execute("select number from filled").fetchall()


def test_a_database_comes_and_goes(server: Server, name: str):
    assert not database_exists(server, name)
    create_database(server, name)
    assert database_exists(server, name)
    drop_database(server, name)
    assert not database_exists(server, name)
    drop_database(server, name)


def test_dropping_ends_the_connections_that_are_left(server: Server, name: str):
    create_database(server, name)
    with connect(server, name) as session:
        drop_database(server, name)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")


def test_a_clone_holds_what_its_template_holds(server: Server, name: str):
    assert ensure_template(server, f"{name}_base", None, fill)
    create_database(server, f"{name}_1", f"{name}_base")
    create_database(server, f"{name}_2", f"{name}_base")
    with connect(server, f"{name}_1") as session:
        session.execute("delete from filled")
    assert rows(server, f"{name}_1") == []
    assert rows(server, f"{name}_2") == [(1,)]


def test_a_clone_has_what_the_server_keeps_of_its_template(server: Server, name: str):
    def settle(session: psycopg.Connection) -> None:
        session.execute(f"alter database {name} set search_path = app, public")
        session.execute(f"alter database {name} connection limit 7")
        session.execute(f"comment on database {name} is 'orders'")
        session.execute(f"create role {name}_owner")
        session.execute(f"alter role {name}_owner in database {name} set work_mem = '1MB'")
        session.execute(f"alter database {name} owner to {name}_owner")
        session.execute(f"revoke all on database {name} from public")

    ensure_template(server, name, None, settle)
    ensure_template(server, f"{name}_2", name, lambda _: None)
    create_database(server, f"{name}_3", f"{name}_2")
    with connect(server, f"{name}_3") as session:
        assert session.execute("show search_path").fetchone() == ("app, public",)
        found = session.execute(
            "select pg_get_userbyid(datdba), datconnlimit, datacl::text,"
            " shobj_description(oid, 'pg_database'), (select count(*) from pg_db_role_setting"
            " where setdatabase = d.oid) from pg_database as d where datname = current_database()"
        ).fetchone()
        assert found == (f"{name}_owner", 7, f"{{{name}_owner=CTc/{name}_owner}}", "orders", 2)
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=f"database {name}_3"):
            session.execute(f"drop role {name}_owner")
        session.execute(f"alter database {name}_3 owner to postgres")
    for suffix in ("_3", "_2", ""):
        drop_database(server, name + suffix)
    with connect(server, "postgres") as session:
        session.execute(f"drop role {name}_owner")


def test_a_template_is_built_once_and_entered_by_no_one(server: Server, name: str):
    assert ensure_template(server, name, None, fill)
    assert not ensure_template(server, name, None, fill)
    with pytest.raises(ServerUnavailable, match="not currently accepting connections"):
        connect(server, name)


def test_a_template_grows_on_another(server: Server, name: str):
    ensure_template(server, f"{name}_1", None, fill)

    def more(session: psycopg.Connection) -> None:
        session.execute("insert into filled values (2)")

    ensure_template(server, f"{name}_2", f"{name}_1", more)
    create_database(server, f"{name}_3", f"{name}_2")
    assert rows(server, f"{name}_3") == [(1,), (2,)]


def test_each_build_has_a_session_of_its_own(server: Server, name: str):
    def settle(session: psycopg.Connection) -> None:
        session.execute("set search_path = nowhere")

    ensure_template(server, name, None, settle, fill)
    create_database(server, f"{name}_1", name)
    assert rows(server, f"{name}_1") == [(1,)]


def test_a_build_that_fails_leaves_no_template_and_says_why(server: Server, name: str):
    def fail(session: psycopg.Connection) -> None:
        fill(session)
        session.execute("select 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        ensure_template(server, name, None, fail)
    assert not database_exists(server, name)
    assert ensure_template(server, name, None, fill)


def test_what_a_killed_process_left_half_made_is_built_anew(server: Server, name: str):
    create_database(server, name)
    with connect(server, name) as session:
        session.execute("create table filled (half int)")
    assert ensure_template(server, name, None, fill)
    create_database(server, f"{name}_1", name)
    assert rows(server, f"{name}_1") == [(1,)]


def test_of_several_that_ask_at_once_exactly_one_builds(server: Server, name: str):
    together = Barrier(4)

    def ask(_: int) -> bool:
        together.wait(timeout=30)
        return ensure_template(server, name, None, fill)

    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(ask, range(4)))
    assert sorted(built) == [False, False, False, True]


def test_a_finished_database_is_marked_as_a_template(server: Server, name: str):
    create_database(server, name)
    with connect(server, "postgres") as session:
        mark_template(session, name)
    assert not ensure_template(server, name, None, fill)


def test_a_name_that_the_server_would_cut_is_refused(server: Server):
    with pytest.raises(ValueError, match="longer than 63 bytes"):
        create_database(server, "ä" * 32)


def test_connections_are_named_and_commit_by_themselves(server: Server):
    with connect(server, "postgres") as session:
        assert session.autocommit
        assert session.execute("show application_name").fetchone() == ("batchgate",)
    with connect(server, "postgres", autocommit=False, application_name="bot") as session:
        assert not session.autocommit
        assert session.execute("show application_name").fetchone() == ("bot",)


def test_the_environment_leads_no_connection_elsewhere(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGUSER", "nobody")
    monkeypatch.setenv("PGDATABASE", "nothing")
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    create_database(server, name)
    with connect(server, name) as session:
        fill(session)
    assert rows(server, name) == [(1,)]


def test_no_variable_of_libpq_reaches_a_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for option in psycopg.pq.Conninfo.get_defaults():
        if option.envvar:
            monkeypatch.setenv(option.envvar.decode(), "rubbish")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGTZ", "America/New_York")
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGGEQO", "off")
    with connect(server, "postgres") as session:
        assert session.execute("select convert_to('é', 'UTF8')").fetchone() == (b"\xc3\xa9",)
        for name, value in {"timezone": "UTC", "datestyle": "ISO, MDY", "geqo": "on"}.items():
            assert session.execute(f"show {name}").fetchone() == (value,)
    assert os.environ["PGSERVICE"] == "rubbish"


def test_a_server_that_is_gone_is_told_at_once():
    gone = Server(
        host="/nowhere", port=5432, user="postgres", version="", source="", bin_directory=""
    )
    began = perf_counter()
    with pytest.raises(ServerUnavailable) as caught:
        create_database(gone, "any")
    assert perf_counter() - began < 1
    assert caught.value.message.headline == (
        "server: expected a connection to database postgres, got none"
    )
    assert "No such file or directory" in caught.value.message.cause
