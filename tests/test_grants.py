"""A role that may nothing is told what it needs, gets it and lacks nothing; so does gate_reader."""

import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchgate.binaries import find_binaries
from batchgate.catalog import take_snapshot
from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.server import ThrowAwayServer
from batchgate.targets.grants import missing_grants
from batchgate.targets.role import read_role

ROOT = Path(__file__).parents[1]
MAKE = ROOT / "sql/roles/gate_reader.sql"
DROP = ROOT / "sql/roles/gate_reader.drop.sql"
SUITE = discover(
    Settings(
        root=ROOT,
        sql=ROOT / "sql",
        gates=ROOT / "gates",
        sample=ROOT / "scenarios/sample",
        reports=ROOT / "reports",
    )
)
TEXTS = (
    *(gate.sql for gate in SUITE.gates),
    *(table for gate in SUITE.gates for table in gate.of),
    *(batch.present for batch in SUITE.batches if batch.present),
)
READ = ["Audit", "Conversation", "Customer", "Job", "Lead", "Message"]
STATISTICS = "grant pg_read_all_stats to {};"

HOSTILE = """
create schema "My ""App"" 2";
create schema app;
create schema closed;
create table "My ""App"" 2"."Dotted.Name" (id int, "Mail" text);
create table app.orders (id int, email text, status text);
create table app.lines (id int);
create table public.status (id int);
create table public.counted (id int);
create sequence app.numbers;
create function app.twice(int) returns int language sql as 'select $1';
create view app.of_orders as select id, app.twice(id) as twice from app.orders;
create view app.as_caller with (security_invoker = on) as select id from app.lines;
create materialized view app.kept as select 1 as a;
create table app.parts (a int) partition by list (a);
create function closed.secret(int) returns int language sql as 'select 1';
create function app.reads() returns bigint language sql as 'select count(*) from app.lines';
create function app.as_owner() returns bigint language sql security definer as
    'select count(*) from app.lines';
create table app.rows (id int);
alter table app.rows enable row level security;
revoke execute on all functions in schema app, closed from public;
grant execute on function app.as_owner() to public;
"""


def psql(server, path, database="top"):
    command = [Path(server.bin_directory) / "psql", "-X", "-q", "-d", server.conninfo(database)]
    return subprocess.run([*command, "-f", path], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def server():
    """Give a server with the batches and their samples in one database, traps in another."""
    with ThrowAwayServer() as throw_away:
        address = throw_away.start(find_binaries(explicit=None, explicit_source=""))
        with psycopg.connect(address.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("create database top")
            connection.execute("create database hostile")
        for batch in SUITE.batches:
            sample = ROOT / f"scenarios/sample/{batch.number:02d}.sql"
            for path in (batch.migration, sample):
                if path and path.is_file():
                    ran = psql(address, path)
                    assert ran.returncode == 0, ran.stderr
        with psycopg.connect(address.conninfo("hostile"), autocommit=True) as connection:
            connection.execute(HOSTILE.encode())
        yield address


@pytest.fixture
def owner(server):
    with psycopg.connect(server.conninfo("top"), autocommit=True) as connection:
        yield connection


def fresh_role(server, name: str, database: str = "hostile") -> psycopg.Connection:
    """Connect as a role that may nothing but log in, made anew."""
    with psycopg.connect(server.conninfo(database), autocommit=True) as owner:
        owner.execute("revoke usage on schema public from public")
        role = sql.Identifier(name)
        if owner.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
            owner.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))
        owner.execute(sql.SQL("create role {} login").format(role))
    return psycopg.connect(server.conninfo(database), user=name)


def begin(connection) -> None:
    connection.rollback()
    connection.execute("begin isolation level repeatable read read only")
    connection.execute("set local row_security = off")
    connection.execute("set local search_path = public")


def lacking(connection, *texts: str) -> list[str]:
    """Return what is missing but for the statistics, which every fresh role misses."""
    begin(connection)
    *found, last = missing_grants(connection, texts)
    assert last.splitlines()[1:] == [STATISTICS.format("reader")]
    return found


def test_a_role_with_nothing_gets_what_it_is_told_and_runs_every_gate(server, owner):
    name = 'Mad "Reader"'
    with fresh_role(server, name, "top") as reader:
        begin(reader)
        told = missing_grants(reader, TEXTS)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select {SUITE.batches[3].present}".encode())
        for statement in told:
            owner.execute(statement.encode())
        begin(reader)
        assert missing_grants(reader, TEXTS) == ()
        run_everything(reader)
        reader.rollback()
    owner.execute("grant usage on schema public to public")
    quoted = '"Mad ""Reader"""'
    assert [line.splitlines()[-1] for line in told] == [
        f"grant usage on schema backfill to {quoted};",
        f"grant usage on schema public to {quoted};",
        *(f'grant select on public."{table}" to {quoted};' for table in READ),
        STATISTICS.format(quoted),
    ]


def run_everything(connection) -> None:
    """Run all gates, whether their tables are empty, and all questions for batches."""
    assert len(SUITE.gates) == 11
    for gate in SUITE.gates:
        connection.execute(f"declare g no scroll cursor for\n{gate.sql}".encode())
        connection.execute("move forward all in g")
        connection.execute("close g")
        for table in gate.of:
            connection.execute(f"select exists (select from {table})".encode())
    for batch in SUITE.batches:
        if batch.present:
            row = connection.execute(f"select ({batch.present})::boolean".encode()).fetchone()
            assert row == (True,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            'select "Mail" from "My ""App"" 2" . "Dotted.Name"',
            [
                'grant usage on schema "My ""App"" 2" to reader;',
                'grant select on "My ""App"" 2"."Dotted.Name" to reader;',
            ],
            id="quotes-and-dots",
        ),
        pytest.param(
            '"My ""App"" 2"."Dotted.Name"',
            [
                'grant usage on schema "My ""App"" 2" to reader;',
                'grant select on "My ""App"" 2"."Dotted.Name" to reader;',
            ],
            id="of",
        ),
        pytest.param(
            "to_regclass('closed.nothing') is null",
            ["grant usage on schema closed to reader;"],
            id="present",
        ),
        pytest.param(
            "'closed.nothing'::pg_catalog.regclass is null",
            ["grant usage on schema closed to reader;"],
            id="constant",
        ),
        pytest.param("select 'closed.nothing', 'app.x' as regular", [], id="only-a-string"),
        pytest.param("select relname from pg_catalog.pg_class", [], id="catalog"),
        pytest.param("select oid from pg_stat_user_tables, pg_locks", [], id="server-views"),
        pytest.param(
            "select twice from app.of_orders",
            [
                "grant usage on schema app to reader;",
                "grant select on app.of_orders to reader;",
                "grant execute on function app.twice(integer) to reader;",
            ],
            id="view-calls-with-our-rights",
        ),
        pytest.param(
            "select id from app.as_caller",
            [
                "grant usage on schema app to reader;",
                "grant select on app.as_caller to reader;",
                "grant select on app.lines to reader;",
            ],
            id="view-reads-with-our-rights",
        ),
        pytest.param(
            "select app.reads(), last_value from app.numbers",
            [
                "grant usage on schema app to reader;",
                "grant select on app.lines to reader;",
                "grant select on sequence app.numbers to reader;",
                "grant execute on function app.reads() to reader;",
            ],
            id="function-and-sequence",
        ),
        pytest.param(
            "select app.as_owner()", ["grant usage on schema app to reader;"], id="definer"
        ),
        pytest.param(
            "select closed.secret(1), k.a from app.kept as k, app.parts",
            [
                "grant usage on schema app to reader;",
                "grant usage on schema closed to reader;",
                "grant select on app.kept to reader;",
                "grant select on app.parts to reader;",
                "grant execute on function closed.secret(integer) to reader;",
            ],
            id="closed",
        ),
        pytest.param(
            "with counted as (select status from app.orders as status) select * from counted",
            ["grant usage on schema app to reader;", "grant select on app.orders to reader;"],
            id="namesakes-of-tables",
        ),
        pytest.param(
            "select id from app.rows",
            [
                "grant usage on schema app to reader;",
                "grant select on app.rows to reader;",
                "-- row security hides rows of app.rows, and a gate would pass over them\n"
                "alter role reader bypassrls;",
            ],
            id="row-security",
        ),
        pytest.param("select nothing from no_such_table, nowhere.t", [], id="not-there"),
        pytest.param("select pg_ls_dir('.')", [], id="what-is-refused-anyway"),
    ],
)
def test_what_is_missing_is_told_granted_and_enough(server, text, told):
    with fresh_role(server, "reader") as reader:
        found = lacking(reader, text)
        assert [line for line in found if "schema public" not in line] == told
        with psycopg.connect(server.conninfo("hostile"), autocommit=True) as owner:
            for statement in found:
                owner.execute(statement.encode())
        assert lacking(reader, text) == []
        if told and text.startswith("select"):
            reader.execute(text.encode())


def test_granted_columns_are_enough_where_no_other_is_named(server):
    whole = "grant select on app.orders to reader;"
    with fresh_role(server, "reader") as reader:
        with psycopg.connect(server.conninfo("hostile"), autocommit=True) as owner:
            owner.execute("grant usage on schema app to reader")
            owner.execute("grant select (id, status) on app.orders to reader")
        assert lacking(reader, "select count(*), o.status from app.orders as o", "app.orders") == []
        assert lacking(reader, "select id from app.orders where email is null") == [whole]
        assert lacking(reader, "select o.* from app.orders as o") == [whole]


def test_row_security_is_nothing_to_who_bypasses_it(server):
    with fresh_role(server, "reader") as reader:
        with psycopg.connect(server.conninfo("hostile"), autocommit=True) as owner:
            owner.execute("alter role reader bypassrls")
            owner.execute("grant usage on schema app to reader; grant select on app.rows to reader")
        assert lacking(reader, "select id from app.rows") == []
        reader.execute("select id from app.rows")


@pytest.fixture
def gate_reader(server, owner):
    """Make the role twice, as an operator might, and drop it twice; nothing may be left."""
    before = (take_snapshot(owner), roles_and_grants(owner))
    made = [psql(server, MAKE) for _ in range(2)]
    assert [ran.returncode for ran in made] == [0, 0], made
    yield made
    dropped = [psql(server, DROP) for _ in range(2)]
    assert [ran.returncode for ran in dropped] == [0, 0], dropped
    assert (take_snapshot(owner), roles_and_grants(owner)) == before


def roles_and_grants(owner) -> list[tuple[object, ...]]:
    """Return everything that a role can leave, in this database and beside it."""
    return owner.execute(
        "select rolname, (select count(*) from pg_shdepend), (select count(*) from"
        " pg_db_role_setting), (select count(*) from pg_auth_members) from pg_roles order by 1"
    ).fetchall()


def test_gate_reader_runs_every_gate_and_lacks_nothing(server, gate_reader):
    first, second = (ran.stderr for ran in gate_reader)
    assert re.findall("NOTICE:  (.*)", first) == [
        "✓ Role created: gate_reader (no password yet)",
        "✓ Grants given: gate_reader",
    ]
    assert re.findall("[A-Z]+:  (.*)", second) == ["✓ Grants given: gate_reader"]
    with psycopg.connect(server.conninfo("top"), user="gate_reader") as reader:
        begin(reader)
        role = read_role(reader)
        assert (role.user, role.powers, role.sees_statistics) == ("gate_reader", (), True)
        assert missing_grants(reader, TEXTS) == ()
        run_everything(reader)


def test_gate_reader_may_read_what_the_gates_read_and_no_more(server, owner, gate_reader):
    query = (
        "select c.relname, a.privilege_type from pg_class as c cross join aclexplode(c.relacl) as a"
        " where a.grantee = 'gate_reader'::regrole order by 1, 2"
    )
    assert owner.execute(query).fetchall() == [(table, "SELECT") for table in READ]
    with psycopg.connect(server.conninfo("top"), user="gate_reader", autocommit=True) as reader:
        for statement in (
            'insert into "Customer" default values',
            "set default_transaction_read_only = off; update \"Lead\" set name = ''",
            "select rolpassword from pg_authid",
            "select * from backfill.customer_backfill",
            "select * from pg_shadow",
            "set temp_file_limit = -1",
            "set role postgres",
        ):
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
            ):
                reader.execute(statement)
        settings = "select current_setting(n) from unnest(%s::text[]) as n"
        names = ["default_transaction_read_only", "temp_file_limit", "search_path"]
        reader.execute("reset all")
        found = [value for (value,) in reader.execute(settings, [names])]
    assert found == ["on", "2GB", "public"]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        pytest.param("create role gate_reader superuser", "is a superuser", id="superuser"),
        pytest.param(
            "create role gate_reader replication createrole createdb",
            "may replicate, may create roles, may create databases",
            id="attributes",
        ),
        pytest.param(
            "create role gate_reader in role pg_monitor, pg_read_all_data",
            "is a member of pg_monitor, pg_read_all_data",
            id="memberships",
        ),
    ],
)
def test_a_role_of_that_name_with_other_rights_is_not_taken_over(server, owner, spoilt, said):
    owner.execute(spoilt)
    ran = psql(server, MAKE)
    owner.execute("drop role gate_reader")
    assert ran.returncode == 3
    assert f"ERROR:  Cannot prepare gate_reader: it {said}\n" in ran.stderr


def test_an_owner_who_is_no_superuser_may_make_it_too(server, owner):
    """Without temp_file_limit, which only a superuser may set."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as superuser:
        superuser.execute("create role manager login createrole")
        superuser.execute("grant pg_read_all_stats to manager with admin option")
        superuser.execute("create database small owner manager")
    command = [Path(server.bin_directory) / "psql", "-X", "-q", "-U", "manager"]
    command += ["-d", server.conninfo("small").replace(f"user={server.user}", "user=manager")]
    ran = subprocess.run([*command, "-f", MAKE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "WARNING:  temp_file_limit is not set: only a superuser may" in ran.stderr
    assert "NOTICE:  Table Customer is not there yet" in ran.stderr
    with psycopg.connect(server.conninfo("small"), autocommit=True) as superuser:
        superuser.execute("drop owned by gate_reader; drop role gate_reader")


def test_roles_are_no_batch():
    assert SUITE.problems == ()
    assert "roles" not in [batch.folder.name for batch in SUITE.batches]
