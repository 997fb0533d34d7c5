"""A small project and a database of its own, for the commands that write to one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from ttys import Tty, on_a_terminal, usual_variables
from waits import until

from batchgate.binaries import Binaries
from batchgate.cli import main
from batchgate.database import connect, create_database, drop_database
from batchgate.server import Server, ThrowAwayServer

COMMAND = (sys.executable, "-c", "from batchgate.cli import main; main(prog_name='batchgate')")
# Whoever holds this lock holds up the files below, at the statement that asks for it.
GATEWAY = "select pg_advisory_lock(4711)"

ORDERS = """\
-- Orders can be kept.
-- present: to_regclass('orders') is not null

begin;
create table orders (id int primary key, currency text);
insert into orders select n from generate_series(1, 7) as n;
do $$ begin raise notice 'orders made'; end $$;
commit;
"""
ORDERS_BACK = """\
-- Lost: all orders.

begin;
drop table orders;
do $$ begin raise notice 'orders dropped'; end $$;
commit;
"""
ORDERS_CHECK = """\
\\set ON_ERROR_STOP on
begin;
do $$ begin
    if to_regclass('orders') is null then raise exception 'orders is missing'; end if;
    raise notice 'orders stand';
end $$;
rollback;
"""
FILL = """\
-- Every order has a currency, and there is a record.
-- requires: 01_add_orders
-- present: to_regclass('filled') is not null

begin;
create table if not exists filled (id int primary key);
do $$ begin raise notice 'filling'; end $$;
insert into filled select id from orders where currency is null;
select pg_advisory_xact_lock(4711);
update orders set currency = 'EUR' where currency is null;
do $$ begin
    raise notice E'Statistics:\\n   Orders filled:   %', (select count(*) from filled);
end $$;
commit;
"""
# One transaction a chunk of orders, and the gateway once three are filled.
FILL_ONLINE = """\
-- Every order has a currency, and there is a record; orders were written meanwhile.
-- transaction: none

create table if not exists filled (id int primary key);

do $$
declare
    chunk int := coalesce(nullif(current_setting('batchgate.chunk', true), ''), '1');
begin
    while exists (select from orders where currency is null) loop
        with made as (
            update orders
            set currency = 'EUR'
            where id in (select id from orders where currency is null order by id limit chunk)
            returning id
        )
        insert into filled select id from made;
        commit;
        raise notice 'filled %', (select count(*) from filled);
        if (select count(*) from filled) = 3 then
            perform pg_advisory_xact_lock(4711);
        end if;
    end loop;
end
$$;
select count(*) from filled;
"""
FILL_BACK = """\
-- Lost: the currencies that the fill gave.

begin;
do $$ begin
    if exists (select from pg_indexes where indexname = 'orders_currency') then
        raise exception 'needed by 04_index_orders';
    end if;
end $$;
update orders set currency = null where id in (select id from filled);
select pg_advisory_xact_lock(4711);
drop table filled;
commit;
"""
FILL_CHECK = """\
do $$ begin
    if exists (select from orders where currency is null) then
        raise exception 'orders without a currency';
    end if;
    raise notice 'every order has a currency';
end $$;
"""
AUDIT = "do $$ begin raise notice 'audited'; end $$;\n"
INDEX = """\
-- Orders are found by currency.
-- requires: 02_fill_currency
-- present: to_regclass('orders_currency') is not null

begin;
create index orders_currency on orders (currency);
commit;
"""
INDEX_ONLINE = """\
-- Orders are found by currency, and were written meanwhile.
-- transaction: none

select 'drop index concurrently orders_currency'
from pg_index
where indexrelid = to_regclass('orders_currency') and not indisvalid
\\gexec

create index concurrently if not exists orders_currency on orders (currency);
"""
GATE = """\
-- Every order has a currency.
-- level: required
-- after: 02_fill_currency
-- of: orders
-- show: id
-- fix: Run the fill again.

select id from orders where currency is null order by id
"""
FILES = {
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n",
    "sql/01_add_orders/migration.sql": ORDERS,
    "sql/01_add_orders/rollback.sql": ORDERS_BACK,
    "sql/01_add_orders/validation.sql": ORDERS_CHECK,
    "sql/02_fill_currency/migration.sql": FILL,
    "sql/02_fill_currency/migration.online.sql": FILL_ONLINE,
    "sql/02_fill_currency/rollback.sql": FILL_BACK,
    "sql/02_fill_currency/validation.sql": FILL_CHECK,
    "sql/03_audit/validation.sql": AUDIT,
    "sql/04_index_orders/migration.sql": INDEX,
    "sql/04_index_orders/migration.online.sql": INDEX_ONLINE,
    "sql/04_index_orders/rollback.sql": "begin;\ndrop index orders_currency;\ncommit;\n",
    "gates/01_orders_have_currency.sql": GATE,
    "gates/01_orders_have_currency.red.sql": "update orders set currency = null where id = 1;",
}


class Operated:
    """A project's folder, and the database that its commands work on."""

    def __init__(self, folder: Path, server: Server, name: str) -> None:
        self.folder, self.server, self.name = folder, server, name

    @property
    def dsn(self) -> str:
        """Return how to reach the database."""
        return self.server.conninfo(self.name)

    def write(self, changes: dict[str, str | None]) -> None:
        """Write files; None removes one."""
        for path, text in changes.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True) if text is None else target.write_text(text)

    def session(self) -> psycopg.Connection[Any]:
        """Connect to the database, in autocommit mode."""
        return connect(self.server, self.name, application_name="somebody")

    def ask(self, query: str) -> Any:
        """Return the first column of what a query finds."""
        with self.session() as session:
            return [row[0] for row in session.execute(query.encode())]

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)

    def done(self, *arguments: str) -> Result:
        """Run a command that has to end well."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command in a process of its own, without a terminal."""
        process = subprocess.Popen(
            (*COMMAND, *arguments),
            cwd=self.folder,
            env={**usual_variables(), "BATCHGATE_DSN": self.dsn},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @contextmanager
    def on_a_terminal(self, *arguments: str, **given: Any) -> Iterator[Tty]:
        """Run a command in a process of its own, on a terminal."""
        variables = {"BATCHGATE_DSN": self.dsn, **given.pop("variables", {})}
        with on_a_terminal(
            (*COMMAND, *arguments), self.folder, variables=variables, columns=120, **given
        ) as tty:
            yield tty

    @contextmanager
    def held_up(self, query: str = GATEWAY) -> Iterator[psycopg.Connection[Any]]:
        """Hold a lock that files wait for, until the end."""
        with self.session() as session:
            session.execute(query.encode())
            yield session

    def until_waiting(self) -> int:
        """Wait until a run waits for a lock; return the number of its server process."""
        query = (
            "select pid from pg_stat_activity where wait_event_type = 'Lock'"
            " and application_name like 'batchgate%' and datname = current_database()"
        )
        with self.session() as session:
            found = until(lambda: session.execute(query.encode()).fetchone(), "a run that waits")
        return int(found[0])

    def until_gone(self) -> None:
        """Wait until no run has a session any more."""
        query = (
            "select count(*) from pg_stat_activity"
            " where application_name like 'batchgate%' and datname = current_database()"
        )
        with self.session() as session:
            until(lambda: session.execute(query.encode()).fetchone() == (0,), "no run")


@pytest.fixture
def operated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batchgate_server: Server,
    interruptible: None,
) -> Iterator[Operated]:
    """Give a small project, as the current folder, and an empty database that it names."""
    with _operated_on(batchgate_server, tmp_path, monkeypatch) as operated:
        yield operated


@pytest.fixture
def operated_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Binaries, interruptible: None
) -> Iterator[Operated]:
    """Give the same on a server of its own: roles are all databases', and others compare them."""
    with (
        ThrowAwayServer() as made,
        _operated_on(made.start(programs), tmp_path, monkeypatch) as operated,
    ):
        yield operated


@contextmanager
def _operated_on(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Operated]:
    name = f"operated_{token_hex(4)}"
    create_database(server, name)
    operated = Operated(folder, server, name)
    operated.write(FILES)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BATCHGATE_DSN", operated.dsn)
    monkeypatch.setenv("COLUMNS", "200")
    try:
        yield operated
    finally:
        drop_database(server, name)


def rest_said(process: subprocess.Popen[str]) -> str:
    """Return what a program that ends says beyond the lines of standard error that were read.

    What was read ahead of those lines communicate() passes over.
    """
    assert process.stderr is not None, "it is a pipe"
    process.wait(timeout=60)
    return process.stderr.read()
