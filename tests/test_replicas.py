import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel, errors
from psycopg.conninfo import make_conninfo
from replicas import Pair, cascade, gate_role, primary_and_standby
from standbys import one
from waits import NEEDS, absent, until
from wires import Wire, cuttable, password_server, pgbouncer, tls_server

from batchgate.binaries import Binaries
from batchgate.database import connect
from batchgate.server import Server

LONG = "select count(*) from crates, generate_series(1, 1000000000)"
RUNNING = "select count(*) > 0 from pg_stat_activity where query = %s and state = 'active'"
RECEIVER = "select count(*) from pg_stat_wal_receiver where status = 'streaming'"


@pytest.fixture(scope="module")
def whole(programs: Binaries) -> Iterator[Pair]:
    with primary_and_standby(programs) as made:
        made.run(
            "create table crates (id int primary key, label text)",
            "insert into crates select id, 'x' from generate_series(1, 10) as id",
        )
        made.catch_up()
        yield made


@pytest.fixture
def pair(whole: Pair) -> Iterator[Pair]:
    yield whole
    whole.restore()


@pytest.fixture(scope="module")
def server(whole: Pair) -> Server:
    return whole.standby


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with cuttable(server) as made:
        yield made


@contextmanager
def reader(pair: Pair) -> Iterator[psycopg.Connection]:
    """Open a transaction on the standby that has read the table and sees it as it is now.

    It is closed and never committed: until a cancelled transaction is wound up, replay cancels it
    again, and to version 16 that may end the session.
    """
    with closing(pair.connect_standby(autocommit=False)) as session:
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        session.read_only = True
        assert one(session, "select count(*) from crates") == 10
        yield session


def read_for_long(pair: Pair) -> None:
    with reader(pair) as session:
        session.execute(LONG)


@contextmanager
def busy(pair: Pair, session: psycopg.Connection) -> Iterator[Future[object]]:
    """Let a session read the table for longer than anyone waits, and yield once it does."""
    with ThreadPoolExecutor() as threads, pair.connect_standby() as looking:
        running = threads.submit(session.execute, LONG)
        until(lambda: one(looking, RUNNING, LONG), "the query to run")
        yield running


def count(pair: Pair) -> int:
    with pair.connect_standby() as session:
        return one(session, "select count(*) from crates")


def test_a_standby_streams_and_refuses_writes(pair: Pair, programs: Binaries):
    pair.run("create table more (id int)")
    pair.catch_up()
    with pair.connect_standby() as session, pair.connect_primary() as first:
        assert one(session, "show server_version").split()[0] == programs.version
        assert one(session, "select pg_is_in_recovery()") is True
        assert one(first, "select pg_is_in_recovery()") is False
        assert one(session, "select count(*) from more") == 0
        assert one(session, RECEIVER) == 1
        with pytest.raises(errors.ReadOnlySqlTransaction):
            session.execute("insert into more values (1)")
    pair.run("drop table more")


def test_a_row_that_is_vacuumed_away_cancels_who_may_still_see_it(pair: Pair):
    with reader(pair) as session, busy(pair, session) as running:
        pair.provoke_snapshot_conflict("crates")
        with pytest.raises(errors.SerializationFailure, match="row versions"):
            running.result(60)
    pair.catch_up()
    assert count(pair) == 10


def test_an_altered_table_cancels_who_reads_it(pair: Pair):
    with reader(pair) as session, busy(pair, session) as running:
        pair.provoke_lock_conflict("crates")
        with pytest.raises(errors.SerializationFailure, match="relation lock"):
            running.result(60)
    pair.catch_up()
    assert count(pair) == 10


@pytest.mark.parametrize(
    "provoke",
    [
        pytest.param(Pair.provoke_snapshot_conflict, id="snapshot"),
        pytest.param(Pair.provoke_lock_conflict, id="lock"),
    ],
)
def test_a_conflict_ends_the_connection_of_who_is_idle_in_its_transaction(pair: Pair, provoke):
    with reader(pair) as session:
        provoke(pair, "crates")
        pair.catch_up()
        with pytest.raises(errors.SerializationFailure, match="terminating connection"):
            session.execute("select 1")
        assert session.closed


@pytest.mark.parametrize(
    "provoke",
    [
        pytest.param(Pair.provoke_snapshot_conflict, id="snapshot"),
        pytest.param(Pair.provoke_lock_conflict, id="lock"),
    ],
)
def test_a_standby_without_readers_has_no_conflict(pair: Pair, provoke):
    with pair.connect_standby() as session:
        provoke(pair, "crates")
        pair.catch_up()
        assert one(session, "select count(*) from crates") == 10


def test_turmoil_provokes_both_conflicts_again_and_again(pair: Pair):
    seen = set()
    with pair.turmoil("crates", every=0.02):
        while len(seen) < 2:
            # Between two statements the session ends, at times before it can say why.
            with pytest.raises(psycopg.OperationalError) as caught:
                read_for_long(pair)
            seen |= {caught.value.diag.message_detail} - {None}
    pair.catch_up()
    assert count(pair) == 10


def test_a_held_lock_is_replayed_and_makes_readers_wait(pair: Pair):
    with pair.connect_standby() as session:
        session.execute("set lock_timeout to '50ms'")
        with pair.hold_lock("crates"):
            pair.catch_up()
            with pytest.raises(errors.LockNotAvailable):
                session.execute("explain select * from crates")
        pair.catch_up()
        assert one(session, "select count(*) from crates") == 10


def test_settings_of_the_standby_change_while_it_runs_and_are_put_back(pair: Pair):
    pair.set_standby(max_standby_streaming_delay="-1", temp_file_limit="1MB")
    with pair.connect_standby() as session:
        assert one(session, "show max_standby_streaming_delay") == "-1"
        assert one(session, "show temp_file_limit") == "1MB"
    pair.restore()
    with pair.connect_standby() as session:
        assert one(session, "show max_standby_streaming_delay") == "0"
        assert one(session, "show temp_file_limit") == "-1"


@contextmanager
def one_crate_behind(pair: Pair) -> Iterator[None]:
    """Give the primary one crate more, which the standby must have once it is mended inside."""
    pair.run("insert into crates values (11, 'y')")
    yield
    pair.catch_up()
    assert count(pair) == 11
    pair.run("delete from crates where id = 11")


def test_paused_replay_receives_and_does_not_show(pair: Pair):
    pair.pause_replay()
    with one_crate_behind(pair), pair.connect_standby() as session:
        ahead = "select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
        until(lambda: one(session, ahead), "something received")
        assert count(pair) == 10
        pair.resume_replay()


def test_a_stopped_receiver_still_says_that_it_streams(pair: Pair):
    pair.stop_receiver()
    with one_crate_behind(pair), pair.connect_standby() as session:
        assert one(session, RECEIVER) == 1
        assert count(pair) == 10
        pair.continue_receiver()


def test_a_cut_stream_has_no_receiver_until_it_is_mended(pair: Pair):
    pair.cut_stream()
    with one_crate_behind(pair), pair.connect_standby() as session:
        assert one(session, RECEIVER) == 0
        assert count(pair) == 10
        pair.mend_stream()


def test_a_promoted_standby_takes_writes(programs: Binaries):
    with primary_and_standby(programs) as pair, pair.connect_standby() as session:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            session.execute("create table mine (id int)")
        pair.promote()
        session.execute("create table mine (id int)")
        with pair.connect_primary() as first:
            assert one(first, "select to_regclass('mine')") is None


def test_a_standby_streams_from_a_standby(pair: Pair, programs: Binaries):
    with cascade(programs, pair) as third, connect(third, "postgres") as session:
        assert one(session, "select pg_is_in_recovery()") is True
        with pair.connect_standby() as second:
            assert one(second, "select count(*) from pg_stat_replication") == 1
        pair.run("create table far (id int)")
        until(lambda: one(session, "select to_regclass('far')"), "the table to arrive")
        pair.run("drop table far")


def test_settings_given_hold_on_either_side(programs: Binaries):
    first = {"max_connections": "250"}
    second = {"hot_standby_feedback": "on", "work_mem": "7MB"}
    with primary_and_standby(programs, primary=first, standby=second) as pair:
        with pair.connect_primary() as session:
            assert one(session, "show max_connections") == "250"
        with pair.connect_standby() as session:
            assert one(session, "show max_connections") == "250"
            assert one(session, "show hot_standby_feedback") == "on"
            assert one(session, "show work_mem") == "7MB"
    assert not Path(pair.standby.host).exists()
    assert not Path(pair.primary.host).exists()


def test_both_servers_end_with_the_process_that_started_them():
    program = (
        "import sys\nfrom replicas import primary_and_standby\n"
        "from batchgate.binaries import find_binaries\n"
        "with primary_and_standby(find_binaries(explicit=None, explicit_source='')) as pair:\n"
        "    print(pair.primary.host, pair.standby.host, sep='\\n', flush=True); sys.stdin.read()"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    child = subprocess.Popen(
        (sys.executable, "-c", program),
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    homes = [Path(child.stdout.readline().strip()).parent for _ in range(2)]
    pids = [int((home / "data/postmaster.pid").read_text().split()[0]) for home in homes]
    child.kill()
    child.communicate(timeout=30)
    for pid in pids:
        until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), "the server to end")


def test_a_role_of_least_rights_reads_its_tables_and_no_others(pair: Pair):
    pair.run("create table secrets (id int)")
    gate_role(pair, "narrow", ["crates"])
    with pair.connect_standby(user="narrow") as session:
        assert one(session, "select count(*) from public.crates") == 10
        assert one(session, "select status from pg_stat_wal_receiver") == "streaming"
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("select * from secrets")
    gate_role(pair, "narrow", stats=False)
    with pair.connect_standby(user="narrow") as session:
        assert one(session, "select status from pg_stat_wal_receiver") is None
    pair.run("drop table secrets", "drop owned by narrow", "drop role narrow")


def test_pgbouncer_hands_each_transaction_to_whoever_is_free(server: Server):
    with pgbouncer(server, pool_size=2) as address:
        with psycopg.connect(
            make_conninfo(address, dbname="pgbouncer"), autocommit=True
        ) as console:
            shown = dict(row[:2] for row in console.execute("show config"))
            assert shown["pool_mode"] == "transaction"
            assert shown["default_pool_size"] == "2"
        with (
            psycopg.connect(address) as one_client,
            psycopg.connect(address) as other,
        ):
            mine = one(one_client, "select pg_backend_pid()")
            one_client.rollback()
            # The one given back last is handed out first.
            assert one(other, "select pg_backend_pid()") == mine
            assert one(one_client, "select pg_backend_pid()") != mine


def test_pgbouncer_in_session_mode_keeps_to_one(server: Server):
    with (
        pgbouncer(server, pool_mode="session") as address,
        psycopg.connect(address) as one_client,
        psycopg.connect(address) as other,
    ):
        mine = one(one_client, "select pg_backend_pid()")
        one_client.rollback()
        assert one(other, "select pg_backend_pid()") != mine
        assert one(one_client, "select pg_backend_pid()") == mine


def test_pgbouncer_refuses_settings_in_the_address(server: Server):
    with (
        pgbouncer(server) as address,
        pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"),
    ):
        psycopg.connect(make_conninfo(address, options="-c statement_timeout=1"))


def test_pgbouncer_leaves_nothing_behind(server: Server):
    with pgbouncer(server) as address, psycopg.connect(address) as session:
        folder = Path(session.info.host)
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)


def test_a_missing_part_is_skipped_unless_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NEEDS, "tls")
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        absent("pgbouncer", "not installed")
    monkeypatch.setenv(NEEDS, "tls pgbouncer")
    with pytest.raises(pytest.fail.Exception, match="names pgbouncer: not installed"):
        absent("pgbouncer", "not installed")


@pytest.mark.parametrize("part", ["pgbouncer", "tls"])
def test_a_part_is_looked_for_where_it_would_be(
    part: str, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(NEEDS, part)
    monkeypatch.setattr("wires.shutil.which", lambda *_, **__: None)
    absent_part = pgbouncer(server) if part == "pgbouncer" else tls_server()
    with pytest.raises(pytest.fail.Exception, match=rf"{NEEDS} names {part}: .* installed"):
        absent_part.__enter__()


def test_tls_is_in_use_and_the_certificate_verified():
    with tls_server() as guarded:
        with psycopg.connect(guarded.conninfo()) as session:
            used = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
            encrypted, version = session.execute(used).fetchone()
            assert encrypted is True
            assert version.startswith("TLSv1.")
            assert one(session, "select current_user") == guarded.user
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(guarded.conninfo(sslmode="disable"))
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            psycopg.connect(guarded.conninfo(sslrootcert="system"))
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(guarded.conninfo(password="wrong"))


def test_a_password_is_asked_for_without_tls(programs: Binaries):
    with password_server(programs, user="some one", password="it's \\secret") as guarded:
        with psycopg.connect(guarded.conninfo()) as session:
            assert one(session, "select current_user") == "some one"
            verifier = (
                "select rolpassword like 'SCRAM-SHA-256$%%' from pg_authid where rolname = %s"
            )
            with connect(guarded.server, "postgres") as owner:
                assert one(owner, verifier, "some one") is True
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(guarded.conninfo(password="wrong"))
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(guarded.conninfo(password=""))


def startup(wire: Wire) -> socket.socket:
    """Ask for a connection in the plainest way, as yet without an answer."""
    asked = b"\0\3\0\0user\0postgres\0\0"
    plain = socket.create_connection(("127.0.0.1", wire.port), timeout=60)
    plain.sendall((len(asked) + 4).to_bytes(4, "big") + asked)
    return plain


def drain(plain: socket.socket) -> None:
    while plain.recv(65536):
        pass


def test_a_wire_carries_both_ways(wire: Wire, server: Server):
    with psycopg.connect(wire.conninfo()) as session:
        large = "x" * 3_000_000
        assert one(session, "select %s::text", large) == large
    with cuttable(0) as nowhere, pytest.raises(psycopg.OperationalError):
        psycopg.connect(nowhere.conninfo())


def test_a_frozen_wire_hangs_a_client_until_it_thaws(wire: Wire):
    with startup(wire) as plain:
        assert plain.recv(1) == b"R"
    wire.freeze()
    with startup(wire) as plain:
        plain.settimeout(0.2)
        with pytest.raises(TimeoutError):
            plain.recv(1)
        wire.thaw()
        plain.settimeout(60)
        assert plain.recv(1) == b"R"


def test_a_frozen_wire_hides_from_the_server_that_its_client_is_gone(wire: Wire, server: Server):
    here = "select count(*) from pg_stat_activity where application_name = 'gone'"
    with connect(server, "postgres") as looking:
        client = psycopg.connect(wire.conninfo(application_name="gone"))
        wire.freeze()
        client.close()
        assert one(looking, here) == 1
        wire.thaw()
        until(lambda: one(looking, here) == 0, "the server to hear of it")


def test_a_cut_wire_resets_the_client_and_takes_new_ones(wire: Wire, server: Server):
    here = "select count(*) from pg_stat_activity where application_name = 'cut'"
    with startup(wire) as plain, connect(server, "postgres") as looking:
        client = psycopg.connect(wire.conninfo(application_name="cut"))
        wire.cut()
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 1")
        with pytest.raises(ConnectionResetError):
            drain(plain)
        until(lambda: one(looking, here) == 0, "the server to hear of it")
        client.close()
    with psycopg.connect(wire.conninfo()) as session:
        assert one(session, "select 1") == 1


def test_a_wire_leads_to_a_port_as_well():
    with password_server() as guarded, cuttable(guarded.server.port) as wire:
        known = {"user": guarded.user, "password": guarded.password}
        with psycopg.connect(wire.conninfo(**known)) as session:
            assert one(session, "select current_user") == guarded.user
