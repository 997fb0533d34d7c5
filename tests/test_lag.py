import os
import shlex
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel, errors
from psycopg.rows import dict_row
from replicas import Pair, cascade, gate_role, primary_and_standby
from standbys import ask, one
from waits import until
from wires import cuttable

from batchgate.binaries import Binaries
from batchgate.database import connect
from batchgate.errors import SuiteError
from batchgate.targets.lag import Lag, LagLimit, lag_limit, measure_lag

NAIVE = "select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8"
NAIVE_BYTES = "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"


@pytest.fixture(scope="module")
def whole(programs: Binaries) -> Iterator[Pair]:
    with primary_and_standby(programs) as made:
        made.run("create table crates (id int)", "insert into crates values (1)")
        made.catch_up()
        yield made


@pytest.fixture
def pair(whole: Pair) -> Iterator[Pair]:
    yield whole
    whole.restore()


@pytest.fixture
def standby(pair: Pair) -> Iterator[psycopg.Connection]:
    with pair.connect_standby() as session:
        yield session


@pytest.fixture
def blocked(pair: Pair) -> Iterator[psycopg.Connection]:
    """Replay that waits for a transaction of the standby, for as long as that is open."""
    pair.set_standby(max_standby_streaming_delay="-1")
    with pair.connect_standby(autocommit=False) as session, pair.connect_standby() as looking:
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        session.execute("select * from crates")
        pair.provoke_snapshot_conflict("crates")
        pair.run(
            "insert into crates select generate_series(1, 1000)",
            "delete from crates where ctid not in (select ctid from crates where id = 1 limit 1)",
        )
        waiting = "select wait_event from pg_stat_activity where backend_type = 'startup'"
        until(lambda: ask(looking, waiting) == "RecoveryConflictSnapshot", "replay to wait")
        yield session


def settled(session: psycopg.Connection) -> Lag:
    """Measure as soon as nothing is on its way, again where replay cancels even that."""
    while True:
        try:
            return measure_lag(session, settle=60)
        except errors.SerializationFailure:
            assert not session.closed


def test_a_primary_says_that_it_is_one(pair: Pair):
    with pair.connect_primary() as session:
        assert measure_lag(session) == Lag(standby=False)


def test_a_standby_that_has_replayed_everything_is_not_behind(
    pair: Pair, standby: psycopg.Connection
):
    pair.catch_up()
    assert settled(standby) == Lag(standby=True, bytes=0, seconds=0.0)


def test_an_idle_primary_does_not_put_its_standby_behind(pair: Pair, standby: psycopg.Connection):
    pair.catch_up()
    until(lambda: ask(standby, NAIVE) > 0.2, "the naive figure to grow")
    assert settled(standby).seconds == 0.0
    pair.run("checkpoint")
    assert settled(standby).seconds == 0.0


def test_a_standby_whose_replay_waits_is_behind(blocked: psycopg.Connection, standby: Any):
    before = one(standby, NAIVE)
    lag = measure_lag(standby, settle=0)
    assert lag.standby
    assert lag.unknown == ""
    assert lag.bytes is not None
    assert lag.bytes > 1000
    assert before <= lag.seconds <= one(standby, NAIVE)
    # The server adds to its log by itself.
    assert measure_lag(standby, settle=0.05).bytes >= lag.bytes


def test_a_transaction_that_is_open_sees_the_lag_of_now(pair: Pair, blocked: psycopg.Connection):
    lag = measure_lag(blocked, settle=0)
    pair.run("insert into crates values (2)", "delete from crates where id = 2")
    later = until(
        lambda: (now := measure_lag(blocked, settle=0)).bytes > lag.bytes and now, "more behind"
    )
    assert later.seconds > lag.seconds


def test_what_is_replayed_while_we_look_was_never_late(
    pair: Pair, blocked: psycopg.Connection, standby: psycopg.Connection
):
    with ThreadPoolExecutor() as threads:
        measured = threads.submit(settled, standby)
        looked = "select count(*) > 0 from pg_stat_activity where query ~ 'wal_receiver_timeout'"
        with pair.connect_standby() as looking:
            until(lambda: ask(looking, f"{looked} and pid <> pg_backend_pid()"), "a first look")
        blocked.rollback()
        assert measured.result(60) == Lag(standby=True, bytes=0, seconds=0.0)


def test_paused_replay_is_not_known(pair: Pair, standby: psycopg.Connection):
    pair.pause_replay()
    assert one(standby, NAIVE_BYTES) == 0
    assert measure_lag(standby).unknown == "replay is paused"


def test_a_stopped_receiver_is_silent(pair: Pair, standby: psycopg.Connection):
    pair.stop_receiver()
    pair.run("insert into crates values (3)", "delete from crates where id = 3")
    assert one(standby, NAIVE_BYTES) == 0
    found = until(lambda: measure_lag(standby, silence=0.1).unknown, "silence")
    assert found.startswith("silent for ")
    pair.set_standby(wal_receiver_timeout="200ms")
    until(lambda: measure_lag(standby).unknown, "silence for most of the receiver's timeout")
    pair.set_standby(wal_receiver_timeout="0")
    assert measure_lag(standby) == Lag(standby=True, bytes=0, seconds=0.0)


def test_a_stream_without_traffic_is_heard_in_time(pair: Pair, standby: psycopg.Connection):
    heard = "select last_msg_receipt_time from pg_stat_wal_receiver"
    timeout = 1.0
    pair.set_standby(wal_receiver_timeout=f"{timeout:.0f}s")
    before = one(standby, heard)
    until(lambda: ask(standby, heard) > before, "word from an idle primary")
    second = one(standby, heard)
    third = until(lambda: (now := one(standby, heard)) > second and now, "word again")
    # What a slow machine adds does not come off.
    assert (third - second).total_seconds() > timeout * 0.25
    assert settled(standby).unknown == ""


def test_a_standby_that_was_cut_off_is_not_up_to_date(pair: Pair, standby: psycopg.Connection):
    pair.cut_stream()
    pair.run("insert into crates values (4)", "delete from crates where id = 4")
    assert one(standby, NAIVE_BYTES) == 0
    assert measure_lag(standby) == Lag(standby=True, unknown="not streaming")


def test_a_standby_whose_primary_ended_is_not_up_to_date(programs: Binaries):
    with primary_and_standby(programs) as pair, pair.connect_standby() as session:
        data = Path(pair.primary.host).parent / "data"
        server = int((data / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGQUIT)
        until(lambda: measure_lag(session).unknown == "not streaming", "the stream to end")


def test_a_standby_fed_from_an_archive_is_not_streaming(pair: Pair, standby: psycopg.Connection):
    archive = Path(pair.primary.host).parent / "data" / "pg_wal"
    pair.set_standby(primary_conninfo="", restore_command=f"cp {shlex.quote(str(archive))}/%f %p")
    pair.run("create table archived (id int)")
    until(lambda: ask(standby, "select to_regclass('archived')"), "the table to be restored")
    assert measure_lag(standby) == Lag(standby=True, unknown="not streaming")
    pair.run("drop table archived")


def test_a_standby_of_a_standby_is_measured_by_its_sender(pair: Pair, programs: Binaries):
    with cascade(programs, pair) as third, connect(third, "postgres") as session:
        pair.catch_up()
        assert settled(session) == Lag(standby=True, bytes=0, seconds=0.0)
        pair.cut_stream()
        assert settled(session) == Lag(standby=True, bytes=0, seconds=0.0)
        with pair.connect_standby() as second:
            assert measure_lag(second).unknown == "not streaming"


def test_a_receiver_that_has_heard_nothing_yet_knows_nothing(
    pair: Pair, standby: psycopg.Connection
):
    pair.cut_stream()
    pair.run("insert into crates values (5)", "delete from crates where id = 5")
    with cuttable(pair.primary) as wire:
        wire.freeze_at(b"START_REPLICATION")
        pair.set_standby(primary_conninfo=wire.conninfo())
        status = "select status from pg_stat_wal_receiver"
        until(lambda: ask(standby, status) == "streaming", "a receiver that waits")
        assert one(standby, NAIVE_BYTES) <= 0
        assert measure_lag(standby, settle=0).unknown == "the sender has said nothing yet"
        wire.thaw()
        assert settled(standby) == Lag(standby=True, bytes=0, seconds=0.0)
        wire.freeze()
        found = until(lambda: measure_lag(standby, silence=0.1).unknown, "silence")
        assert found.startswith("silent for ")
        wire.thaw()
        pair.cut_stream()


def test_what_the_sender_has_told_of_counts_before_it_has_come(
    pair: Pair, standby: psycopg.Connection
):
    half = "insert into heap select repeat(md5(id::text), 10) from generate_series(1, 20000) as id"
    middle = "insert into heap select 'BATCHGATE-HALFWAY' from generate_series(1, 20)"
    pair.cut_stream()
    pair.run("create table heap (label text)", half, middle, half)
    with cuttable(pair.primary) as wire:
        wire.freeze_at(b"BATCHGATE-HALFWAY")
        pair.set_standby(primary_conninfo=wire.conninfo())
        until(lambda: wire.frozen, "half of the log to come")
        until(lambda: one(standby, NAIVE_BYTES) < 2**18, "what has come to be replayed")
        assert measure_lag(standby, settle=0).bytes > 2**22
        wire.thaw()
        assert settled(standby) == Lag(standby=True, bytes=0, seconds=0.0)
        pair.cut_stream()
    pair.run("drop table heap")


def test_a_role_without_rights_is_told_what_to_grant(pair: Pair):
    gate_role(pair, "Narrow", stats=False)
    with pair.connect_standby(user="Narrow", row_factory=dict_row) as session:
        unknown = 'not permitted to see the receiver: grant pg_read_all_stats to "Narrow"'
        assert measure_lag(session) == Lag(standby=True, unknown=unknown)
        gate_role(pair, "Narrow")
        assert settled(session).bytes == 0
        # What it is told does what it says.
        gate_role(pair, "Narrow", stats=False)
        pair.run(unknown.partition(": ")[2])
        pair.catch_up()
        assert settled(session).bytes == 0
    pair.run('drop role "Narrow"')


def test_it_writes_nothing_and_keeps_the_transaction(pair: Pair, standby: psycopg.Connection):
    standby.autocommit = False
    standby.isolation_level = IsolationLevel.REPEATABLE_READ
    standby.read_only = True
    standby.execute("set local search_path to nowhere")
    begun = one(standby, "select now()")
    assert measure_lag(standby).standby
    assert one(standby, "select now()") == begun
    assert one(standby, "select count(*) from pg_locks where locktype = 'advisory'") == 0


def test_a_promoted_standby_is_a_primary(programs: Binaries):
    with primary_and_standby(programs) as pair, pair.connect_standby() as session:
        assert measure_lag(session).standby
        pair.promote()
        assert measure_lag(session) == Lag(standby=False)


@pytest.mark.parametrize(
    ("lag", "said"),
    [
        pytest.param(Lag(standby=False), "a primary", id="primary"),
        pytest.param(Lag(standby=True, bytes=0, seconds=0.0), "0 bytes behind", id="nothing"),
        pytest.param(
            Lag(standby=True, bytes=1, seconds=0.05),
            "1 byte behind, last commit 50 ms ago",
            id="one",
        ),
        pytest.param(
            Lag(standby=True, bytes=1_258_291, seconds=3.2),
            "1.2 MB behind, last commit 3 s ago",
            id="some",
        ),
        pytest.param(
            Lag(standby=True, bytes=5 * 2**30, seconds=600),
            "5.0 GB behind, last commit 10 min ago",
            id="much",
        ),
        pytest.param(
            Lag(standby=True, bytes=3 * 2**40, seconds=10_800),
            "3.0 TB behind, last commit 3 h ago",
            id="hours",
        ),
        pytest.param(
            Lag(standby=True, bytes=2048, seconds=200_000),
            "2.0 kB behind, last commit 2 days ago",
            id="days",
        ),
        pytest.param(
            Lag(standby=True, bytes=2048),
            "2.0 kB behind, no commit replayed yet",
            id="no commit",
        ),
        pytest.param(
            Lag(standby=True, unknown="not streaming"), "unknown: not streaming", id="unknown"
        ),
    ],
)
def test_a_lag_is_said_in_words_and_travels_as_plain_values(lag: Lag, said: str):
    assert str(lag) == said
    fields = lag.as_dict()
    assert {type(value) for value in fields.values()} <= {bool, int, float, str, type(None)}
    assert Lag.from_dict(fields) == lag


@pytest.mark.parametrize(
    ("text", "number", "seconds"),
    [
        pytest.param("16MB", 16 * 2**20, None, id="megabytes"),
        pytest.param("512kB", 512 * 2**10, None, id="kilobytes"),
        pytest.param("1GB", 2**30, None, id="gigabytes"),
        pytest.param("0B", 0, None, id="nothing"),
        pytest.param("1.5 tb", 3 * 2**39, None, id="a fraction"),
        pytest.param("30s", None, 30.0, id="seconds"),
        pytest.param("500ms", None, 0.5, id="milliseconds"),
        pytest.param(" 5min ", None, 300.0, id="minutes"),
        pytest.param("2h", None, 7200.0, id="hours"),
        pytest.param("1d", None, 86400.0, id="a day"),
    ],
)
def test_a_limit_is_a_size_or_a_time(text: str, number: int | None, seconds: float | None):
    assert lag_limit(text) == LagLimit(text.strip(), number, seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "16", "16 M", "5m", "-1s", "1e3s", "MB", "16MB 30s", "٣s", "1\n0s", "16MiB"]
)
def test_anything_else_is_not_a_limit(text: str):
    with pytest.raises(SuiteError) as caught:
        lag_limit(text)
    assert caught.value.message.headline.splitlines()[0].startswith(
        "--max-lag: expected a size such as 16MB or a time such as 30s, found "
    )
    assert caught.value.message.fix


@pytest.mark.parametrize(
    ("text", "lag", "reason"),
    [
        pytest.param("1MB", Lag(standby=False), "", id="a primary"),
        pytest.param("0B", Lag(standby=True, bytes=0, seconds=0.0), "", id="nothing of nothing"),
        pytest.param("1s", Lag(standby=True, bytes=0, seconds=0.0), "", id="no time"),
        pytest.param("1kB", Lag(standby=True, bytes=1024, seconds=9.0), "", id="just enough"),
        pytest.param(
            "1kB",
            Lag(standby=True, bytes=1100, seconds=9.0),
            "1.1 kB behind, last commit 9 s ago, more than 1kB",
            id="too many bytes",
        ),
        pytest.param("9s", Lag(standby=True, bytes=2**40, seconds=9.0), "", id="just in time"),
        pytest.param(
            "5s",
            Lag(standby=True, bytes=1, seconds=9.0),
            "1 byte behind, last commit 9 s ago, more than 5s",
            id="too late",
        ),
        pytest.param(
            "5s",
            Lag(standby=True, bytes=1),
            "1 byte behind, no commit replayed yet, more than 5s",
            id="no commit",
        ),
        pytest.param(
            "1TB",
            Lag(standby=True, unknown="not streaming"),
            "lag unknown: not streaming",
            id="unknown",
        ),
    ],
)
def test_a_limit_is_exceeded_by_more_and_by_what_is_not_known(text: str, lag: Lag, reason: str):
    assert lag_limit(text).exceeded(lag) == reason
