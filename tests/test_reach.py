"""What a read-only statement can still do, seen on the server, and refused before it is run."""

from pathlib import Path

import psycopg
import pytest

from batchgate.binaries import Candidate, find_binaries, find_major
from batchgate.errors import ServerUnavailable
from batchgate.fetch import fetched
from batchgate.reach.bodies import conditions_of_data, why_body
from batchgate.reach.names import common_tables, operators, plain_names, spoken_names
from batchgate.reach.reaches import Thing, decisions, reaches, why_refused
from batchgate.reading import read_query
from batchgate.server import ThrowAwayServer

FOLDER = Path(__file__).parents[1] / "gates"
GATES = [path for path in sorted(FOLDER.glob("*.sql")) if not path.name.endswith(".red.sql")]

SETUP = """
create extension dblink;
create extension tablefunc;
create extension file_fdw;
create extension postgres_fdw;
create extension pg_trgm;
create extension pg_buffercache;
create extension hstore;
create extension pageinspect;
create extension lo;
create table t (id int primary key, set_config text, status text, lock text);
create table written (id int);
create table brin (id int) with (autovacuum_enabled = off);
insert into brin select generate_series(1, 10000);
create index brin_id on brin using brin (id) with (pages_per_range = 1);
insert into brin select generate_series(1, 100000);
create sequence counted;
create schema app;
create schema "My App";

create function takes_lock() returns int language sql as
    'select pg_advisory_lock(77); select 1';
create function says_immutable() returns int immutable language plpgsql as
    $$ begin perform pg_advisory_lock(78); return 1; end $$;
create function takes_lock_atomically() returns boolean language sql
    begin atomic select pg_try_advisory_lock(79); end;
create function by_default(a boolean default pg_try_advisory_lock(80)) returns boolean
    language sql return a;
create function runs_program() returns int language plpgsql as
    $$ begin copy (select 1) to program 'cat > /dev/null'; return 1; end $$;
create function writes_file() returns int language plpgsql as
    $$ begin copy (select 1) to '/dev/null'; return 1; end $$;
create function locks_table() returns int language plpgsql as
    $$ declare lock int; begin lock table t in access exclusive mode; return 1; end $$;
create function analyses() returns int language plpgsql as
    $$ begin analyze brin; return 1; end $$;
create function sets() returns int language sql as 'set lock_timeout = 0; select 1';
create function runs_text(words text) returns int language plpgsql as
    $$ begin execute words; return 1; end $$;
create function loops_over_text(words text) returns int language plpgsql as
    $$ declare r record; begin for r in execute words loop return 1; end loop; return 2; end $$;
create view dblink_text as select * from dblink('dbname=postgres', 'select 1') as d (a int);
create function reaches_far() returns int language plpgsql as
    $$ begin return app.deeper(); end $$;
create function app.deeper() returns int language sql as 'select 1 from dblink_text';
create view calls_reaching as select reaches_far() as a;
create function app.hidden() returns int language sql as 'select pg_catalog.setseed(0); select 1';
create function by_own_path() returns int language sql set search_path = app as
    'select hidden()';
create function "My App"."do IT"() returns boolean language sql as
    'select pg_try_advisory_lock(81)';
create function of_row(t) returns boolean language sql as 'select pg_try_advisory_lock(82)';
create function adds(boolean, int) returns boolean language sql as
    'select pg_try_advisory_lock($2)';
create aggregate locks_all (int) (sfunc = adds, stype = boolean);
create function equals(t, t) returns boolean language sql as 'select pg_try_advisory_lock(83)';
create operator app.=== (leftarg = t, rightarg = t, function = equals);
create domain checked as int check (pg_try_advisory_lock(84) or value > 0);
create type kind as enum ('a');
create function cast_kind(kind) returns int language sql as 'select pg_try_advisory_lock(85)::int';
create cast (kind as int) with function cast_kind(kind);
create function another_name(bigint) returns void language internal as 'pg_advisory_lock_int8';
create table one_row (a t);
insert into one_row values (row(1, '', '', ''));
create view selects_domain as select 1::checked as a;
create server files foreign data wrapper file_fdw;
create foreign table program_output (line text) server files options (program 'echo 1');
create foreign table file_lines (line text) server files options (filename '/dev/null');
create foreign data wrapper unheard_of;
create server elsewhere foreign data wrapper unheard_of;
create foreign table far_away (a int) server elsewhere;
create table parts (a int) partition by list (a);
create foreign table parts_1 partition of parts for values in (1) server elsewhere;

create function forgets_stable(a int) returns bigint language plpgsql as
    $$
    declare
        copy text := 'x';
        found_rows bigint;
    begin
        -- dblink_exec('x') would be refused
        select count(*) into found_rows from t where id = a and status <> 'pg_notify(1, 2)';
        if found_rows > 0 then
            return case when copy = 'x' then found_rows else -1 end;
        end if;
        return found_rows;
    end
    $$;
create function plain_sql(a int) returns int language sql as 'select lock.id from t as lock';
create function app.pg_notify(a int) returns int language sql immutable as 'select 1';
create view good as select forgets_stable(id) as a, now() as at from t;
create domain positive as int check (value > 0);
create function swallows_a_timeout() returns setof int language plpgsql as
    $$ begin raise query_canceled; return next 1; exception when query_canceled then end $$;
create function swallows_all() returns setof int language plpgsql as
    $$
    begin
        begin
            return query select 1 / 0;
        exception when division_by_zero then null;
        end;
        insert into written values (1);
        return next 1;
    exception
        when data_exception then
        when "others" then null;
    end
    $$;
create function shows_rows() returns text language sql set search_path = app set row_security = on
    as 'select current_setting(''row_security'')';
create function has_more_time() returns text language sql set statement_timeout = 0
    begin atomic select 'a'; end;
create function writes_dates() returns text language sql
    set search_path = public set timezone = 'UTC' set "DateStyle" = 'ISO' set enable_seqscan = off
    as 'select now()::text';
create function reads_numbers(word text) returns int language plpgsql as
    $$
    declare
        exception int;
    begin
        begin
            exception := word::int / 0;
        exception
            when invalid_text_representation or sqlstate '22003' then return 0;
            when SQLSTATE '22012' then
            when check_violation or too_many_rows then raise exception '%', word;
        end;
        case exception
            when 1 then return 2;
            when 2, null then return case when word is null then 3 end;
            else return 4;
        end case;
    end
    $$;
create procedure gives(a int, out b boolean) language plpgsql as
    $$ begin b := pg_try_advisory_lock(a); end $$;
create function is_given() returns boolean language plpgsql as
    $$ declare b boolean; begin call gives(86, b); return b; end $$;
create function takes$lock() returns int language sql as 'select pg_try_advisory_lock(87)::int';
create function "😀"(int) returns boolean language sql as 'select pg_try_advisory_lock($1)';
create materialized view kept as select pg_try_advisory_lock(90) as a;
select pg_advisory_unlock_all();
"""


@pytest.fixture(scope="module")
def server():
    with ThrowAwayServer() as throw_away:
        address = throw_away.start(find_binaries(explicit=None, explicit_source=""))
        with psycopg.connect(address.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(SETUP)
        yield address


@pytest.fixture
def connection(server):
    """Open a session as a gate's is: read-only, with the search path of a gate."""
    with psycopg.connect(server.conninfo("postgres")) as connection:
        connection.execute("begin isolation level repeatable read read only")
        connection.execute("set local search_path = public")
        yield connection


@pytest.fixture
def other(server):
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        yield connection


LOCKS = "select count(*) from pg_locks where locktype = 'advisory' and pid = {pid}"
SLOTS = "select count(*) from pg_replication_slots"
NEXT_ID = "select pg_snapshot_xmax(pg_current_snapshot())"
T = "row(1, '', '', '')::t"


@pytest.mark.parametrize(
    ("gate", "seen"),
    [
        pytest.param("select pg_advisory_lock(1)", LOCKS, id="advisory-lock"),
        pytest.param("select takes_lock()", LOCKS, id="sql-function"),
        pytest.param("select takes_lock_atomically()", LOCKS, id="begin-atomic"),
        pytest.param("select by_default()", LOCKS, id="default-of-an-argument"),
        pytest.param("explain select says_immutable()", LOCKS, id="planned-and-not-run"),
        pytest.param("select (r.a).of_row from one_row as r", LOCKS, id="function-as-a-column"),
        pytest.param("select locks_all(id) from brin where id < 3", LOCKS, id="aggregate"),
        pytest.param(f"select {T} operator(app.===) {T}", LOCKS, id="operator"),
        pytest.param("select 1::checked", LOCKS, id="domain"),
        pytest.param("select 'a'::kind::int", LOCKS, id="cast"),
        pytest.param("select a from selects_domain", LOCKS, id="domain-in-a-view"),
        pytest.param("select another_name(9)", LOCKS, id="internal-by-another-name"),
        pytest.param('select "My App"."do IT"()', LOCKS, id="quoted"),
        pytest.param('select U&"\\0070g_advisory_lock" (10)', LOCKS, id="escaped"),
        pytest.param(
            "select U&\"!0070g_advisory_lock\" uescape '!' (10)", LOCKS, id="escaped-otherwise"
        ),
        pytest.param(
            "select U&\"!0070g_advisory_lock\" uescape E'\\x21' (10)", LOCKS, id="escaped-twice"
        ),
        pytest.param(
            "select (array[1, 2])[1:pg_try_advisory_lock(11)::int]", LOCKS, id="end-of-a-slice"
        ),
        pytest.param("select (array[1, 2])[1:takes$lock()]", LOCKS, id="slice-to-a-dollar"),
        pytest.param(
            'select (array[1, 2])[1:U&"\\0070g_try_advisory_lock"(13)::int]',
            LOCKS,
            id="slice-to-an-escaped-name",
        ),
        pytest.param(
            "select (array[1])[1:E'\\'' <-> pg_try_advisory_lock(14)::text] -- '",
            LOCKS,
            id="slice-to-a-string",
        ),
        pytest.param(
            "select E'a'\n'\\'' || pg_try_advisory_lock(15)::text is null -- '",
            LOCKS,
            id="string-that-goes-on",
        ),
        pytest.param(
            "select U&\"!0070g_advisory_lock\" uescape '!'\n'' (16)",
            LOCKS,
            id="escape-that-goes-on",
        ),
        pytest.param(
            "select U&\"!0070g_advisory_lock\" uescape E''\n'!' (17)",
            LOCKS,
            id="escaped-escape-that-goes-on",
        ),
        pytest.param('select U&"\\D83D\\DE00" (18)', LOCKS, id="surrogate-pair"),
        pytest.param("select is_given()", LOCKS, id="procedure-that-gives-back"),
        pytest.param("select PG_Advisory_Lock/* ( */ -- (\n (12)", LOCKS, id="comments-between"),
        pytest.param(
            "select ts_stat('select pg_advisory_lock(3)::text::tsvector')", LOCKS, id="ts"
        ),
        pytest.param(
            "select * from crosstab('select pg_advisory_lock(3)::text, 1, 1') as c (a text, b int)",
            LOCKS,
            id="crosstab",
        ),
        pytest.param("select runs_text('select pg_advisory_lock(4)')", LOCKS, id="dynamic"),
        pytest.param("select loops_over_text('select pg_advisory_lock(4)')", LOCKS, id="loop"),
        pytest.param(
            "select dblink_exec('{conninfo}', 'insert into written values (1)')",
            "select count(*) from written",
            id="dblink",
        ),
        pytest.param(
            "select pg_create_physical_replication_slot('left')", SLOTS, id="replication-slot"
        ),
        pytest.param("select pg_current_xact_id()", NEXT_ID, id="transaction-id"),
        pytest.param(
            "select pg_logical_emit_message(false, 'a', 'b')",
            "select pg_current_wal_insert_lsn()",
            id="write-ahead-log",
        ),
        pytest.param(
            "select analyses()",
            "select relpages from pg_class where relname = 'brin'",
            id="analyze",
        ),
        pytest.param(
            "select brin_summarize_new_values('brin_id')",
            "select md5(get_raw_page('brin_id', 2))",
            id="index",
        ),
        pytest.param(
            "select pg_terminate_backend({victim}, 60000)", "select {victim_is_gone}", id="kill"
        ),
    ],
)
def test_what_a_rollback_of_a_read_only_transaction_leaves_is_refused(
    connection, other, server, gate, seen
):
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as victim:
        names = {
            "conninfo": server.conninfo("postgres"),
            "pid": connection.info.backend_pid,
            "victim": victim.info.backend_pid,
            "victim_is_gone": "not exists (select from pg_stat_activity where pid ="
            f" {victim.info.backend_pid})",
        }
        for name, value in names.items():
            gate, seen = (text.replace(f"{{{name}}}", str(value)) for text in (gate, seen))
        assert reaches(connection, gate)
        before = other.execute(seen).fetchone()
        connection.execute(gate)
        connection.rollback()
        after = other.execute(seen).fetchone()
    other.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
    assert after != before


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param("select runs_program()", id="copy-to-program"),
        pytest.param("select writes_file()", id="copy-to-file"),
        pytest.param("select line from program_output", id="foreign-table"),
        pytest.param("select pg_read_file('postgresql.conf')", id="file"),
        pytest.param("select pg_ls_dir('.')", id="folder"),
        pytest.param("select * from pg_hba_file_rules", id="view-of-the-server"),
        pytest.param("select locks_table()", id="lock-table"),
        pytest.param("select sets()", id="set"),
        pytest.param("select set_config('statement_timeout', '0', true)", id="set-config"),
        pytest.param("select setseed(0.5)", id="setseed"),
        pytest.param("select pg_stat_reset()", id="statistics"),
        pytest.param("select pg_export_snapshot()", id="snapshot"),
        pytest.param("select pg_advisory_xact_lock(1)", id="lock-of-the-transaction"),
        pytest.param("select set_limit(0.5)", id="setting-of-an-extension"),
        pytest.param("select ts_rewrite('a', 'select ''a''::tsquery, ''b''::tsquery')", id="ts"),
    ],
)
def test_what_a_read_only_transaction_lets_pass_is_refused(connection, gate):
    assert reaches(connection, gate)
    connection.execute(gate)


@pytest.mark.parametrize(
    ("gate", "function", "path"),
    [
        pytest.param(
            "select * from calls_reaching",
            "public.dblink",
            ("public.calls_reaching", "public.reaches_far", "app.deeper", "public.dblink_text"),
            id="views-and-functions",
        ),
        pytest.param(
            "select by_own_path()",
            "pg_catalog.setseed",
            ("public.by_own_path", "app.hidden"),
            id="search-path-of-the-function",
        ),
        pytest.param(
            "select runs_program()", "public.runs_program", (), id="statement-of-a-function"
        ),
        pytest.param(
            "select query_to_xml('select 1', true, true, '')",
            "pg_catalog.query_to_xml",
            (),
            id="query-to-xml",
        ),
        pytest.param(
            "select table_to_xml('t', true, true, '')", "pg_catalog.table_to_xml", (), id="xml"
        ),
        pytest.param("select a from far_away", "public.far_away", (), id="foreign-table"),
        pytest.param("select a from parts", "public.parts_1", ("public.parts",), id="partition"),
        pytest.param("select nextval('counted')", "pg_catalog.nextval", (), id="sequence"),
        pytest.param("select lo_put(1, 0, '')", "pg_catalog.lo_put", (), id="large-object"),
        pytest.param("select lo_export(1, '/x')", "pg_catalog.lo_export", (), id="server-file"),
        pytest.param("select pg_promote()", "pg_catalog.pg_promote", (), id="promotion"),
        pytest.param(
            "select pg_wal_replay_pause()", "pg_catalog.pg_wal_replay_pause", (), id="replay"
        ),
        pytest.param("select pg_reload_conf()", "pg_catalog.pg_reload_conf", (), id="reload"),
        pytest.param("select pg_switch_wal()", "pg_catalog.pg_switch_wal", (), id="wal"),
        pytest.param("select pg_notify('a', 'b')", "pg_catalog.pg_notify", (), id="notify"),
        pytest.param(
            "select pg_buffercache_evict(1)", "public.pg_buffercache_evict", (), id="evict"
        ),
        pytest.param(
            "select distinct on (1) setseed(0)", "pg_catalog.setseed", (), id="distinct-on"
        ),
        pytest.param(
            "select * from t, dblink('x') as (values int)", "public.dblink", (), id="like-a-with"
        ),
        pytest.param(
            "with f(a) as (select dblink_exec('x')) select a from f",
            "public.dblink_exec",
            (),
            id="in-a-with",
        ),
        pytest.param("values (setseed(0))", "pg_catalog.setseed", (), id="values"),
        pytest.param("table dblink_text", "public.dblink", ("public.dblink_text",), id="table"),
    ],
)
def test_it_is_said_what_reaches_and_through_what(connection, gate, function, path):
    assert [(each.function, each.path) for each in reaches(connection, gate)] == [(function, path)]


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param("select set_config from t", id="column"),
        pytest.param("select t.set_config, (t).set_config from t", id="qualified-column"),
        pytest.param(
            "select set_config in (select 'a') from t group by set_config", id="column-in"
        ),
        pytest.param('select id as "pg_advisory_lock" from t', id="alias"),
        pytest.param("select * from unnest(array[1]) as setseed (a)", id="alias-with-columns"),
        pytest.param(
            "with recursive dblink (a) as (select 1), setseed (a) as materialized (values (1))"
            " select * from dblink, setseed",
            id="with",
        ),
        pytest.param("select 1 -- dblink_exec('x')\n /* setseed(/* nested */ 1) */", id="comments"),
        pytest.param("select 'dblink(', $$setseed(1)$$, E'\\'setseed(1)'", id="strings"),
        pytest.param(
            'select 1 as a, "setseed(0)" from (select 2) as x ("setseed(0)")', id="quoted"
        ),
        pytest.param("select a, at from good", id="view"),
        pytest.param("select forgets_stable(1)", id="volatile-by-default"),
        pytest.param("select plain_sql(1)", id="sql-function"),
        pytest.param("select app.pg_notify(1)", id="namesake"),
        pytest.param("select 1::positive, 'a=>1'::hstore -> 'a'", id="types"),
        pytest.param("select a from kept", id="materialized-view"),
        pytest.param("select line from file_lines", id="file-that-the-owner-shared"),
        pytest.param("select ts_rewrite('a'::tsquery, 'a', 'b')", id="overload-that-computes"),
        pytest.param(
            "select gen_random_uuid(), random(), clock_timestamp(), timeofday()", id="volatile"
        ),
        pytest.param("select writes_dates()", id="settings-of-a-function"),
        pytest.param("select reads_numbers('a'), reads_numbers('1')", id="errors-of-the-data"),
        pytest.param("select pg_sleep(0)", id="sleep"),
        pytest.param("select pg_total_relation_size('t'), pg_relation_size('t')", id="sizes"),
        pytest.param(
            "select * from pg_stat_user_tables, pg_locks, pg_stat_activity", id="statistics"
        ),
        pytest.param("select similarity('a', 'b'), normal_rand(1, 1, 1)", id="extensions"),
        pytest.param("select table_name from information_schema.table_constraints", id="catalogs"),
        pytest.param("select * from brin tablesample system (1)", id="sample"),
        pytest.param("select 'a' < 'b' and 1 <> 2 or -1 >= +1 and 2 ^ 2 = 4", id="operators"),
    ],
)
def test_a_sound_gate_passes_and_runs(connection, gate):
    assert reaches(connection, gate) == ()
    connection.execute(gate)


@pytest.mark.parametrize("gate", ["swallows_a_timeout", "swallows_all"])
def test_what_swallows_errors_would_pass_and_is_refused(connection, gate):
    (found,) = reaches(connection, f"select {gate}()")
    assert str(found) == f"public.{gate} may swallow what keeps it from an answer"
    assert connection.execute(f"select {gate}()".encode()).fetchall() == []


@pytest.mark.parametrize(
    ("conditions", "refused"),
    [
        pytest.param("others", True, id="others"),
        pytest.param("no_data_found or Others", True, id="one-of-two"),
        pytest.param("no_data_found or TOO_MANY_ROWS", False, id="rows"),
        pytest.param("no_data_found then when lock_not_available", True, id="second"),
        pytest.param("no_data_found then x := 1; when others", True, id="after-a-statement"),
        pytest.param("sqlstate '57014'", True, id="code"),
        pytest.param("sqlstate '22000' or sqlstate '21000'", False, id="codes"),
        pytest.param("sqlstate 'P0000'", True, id="category-with-assertions"),
        pytest.param("sqlstate $$22012$$ or sqlstate '57'\n'014'", True, id="code-in-parts"),
        pytest.param("serialization_failure", True, id="recovery"),
        pytest.param("data_exception", False, id="data"),
    ],
)
def test_only_errors_of_the_data_may_be_caught(conditions, refused):
    body = f"declare x int; begin x := 1 / 0; exception when {conditions} then end"
    assert why_body(body, "plpgsql") == (
        "may swallow what keeps it from an answer" if refused else ""
    )
    assert (
        why_body(f"begin case 1 when 1 then x(); when {conditions} then end; end", "plpgsql") == ""
    )


def test_every_name_of_an_error_is_one_of_the_server(other):
    known = set(conditions_of_data())
    if other.info.server_version < 150000:
        known.remove("sql_json_item_cannot_be_cast_to_target_type")
    assert {"division_by_zero", "no_data_found", "unterminated_c_string"} <= known
    handlers = " ".join(f"when {name} then" for name in sorted(known))
    other.execute(f"do $$ begin exception {handlers} end $$".encode())


@pytest.mark.parametrize(
    ("function", "setting"),
    [("shows_rows", "row_security"), ("has_more_time", "statement_timeout")],
)
def test_a_function_that_changes_what_it_runs_under_is_refused(connection, function, setting):
    (found,) = reaches(connection, f"select {function}()")
    assert str(found) == f"public.{function} sets {setting} for itself"


@pytest.fixture(scope="module")
def own_operators(server):
    """Open a session where each operator of a type of one's own takes a lock."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("create database own_operators")
    with psycopg.connect(server.conninfo("own_operators"), autocommit=True) as connection:
        connection.execute("""
            create type own as (a int);
            create function harmless(own, own) returns boolean language plpgsql
                as 'begin return true; end';
            create operator @@@ (leftarg = own, rightarg = own, function = harmless, negator = !@@);
            create function compares(own, own) returns boolean language sql
                as 'select pg_try_advisory_lock(1)';
            create function likes(own, text) returns boolean language sql
                as 'select pg_try_advisory_lock(1)';
            create operator !@@ (leftarg = own, rightarg = own, function = compares);
            """)
        for sign in ("=", "<>", "<", "<=", ">", ">="):
            made = f"create operator {sign} (leftarg = own, rightarg = own, function = compares)"
            connection.execute(made.encode())
        for sign in ("~~", "!~~", "~~*", "!~~*", "~", "!~"):
            made = f"create operator {sign} (leftarg = own, rightarg = text, function = likes)"
            connection.execute(made.encode())
        connection.execute("set search_path = public")
        yield connection


@pytest.mark.parametrize(
    "condition",
    [
        "x like 'a'",
        "x not like 'a'",
        "x ilike any (array['a'])",
        "x not ilike 'a'",
        "x similar to 'a'",
        "x not similar to 'a'",
        "x in (x)",
        "x not in (select x)",
        "x between x and x",
        "x not between symmetric x and x",
        "x is distinct from x",
        "case x when x then true end",
        "nullif(x, x) is null",
        "not (x @@@ x)",
        "exists (select from (select x) as a join (select x) as b using (x))",
        "exists (select from (select x) as a natural join (select x) as b)",
    ],
)
def test_an_operator_that_a_word_calls_is_found(own_operators, condition):
    things = "select row(g)::own as x from generate_series(1, 2) as g"
    gate = f"select from ({things}) as t where {condition}"
    found = {each.function for each in reaches(own_operators, gate)}
    assert found == {"pg_catalog.pg_try_advisory_lock"}
    own_operators.execute(gate.encode())
    (locked,) = own_operators.execute("select pg_advisory_unlock(1)").fetchone()
    own_operators.execute("select pg_advisory_unlock_all()")
    assert locked


def test_an_operator_that_no_word_calls_is_not_looked_for(own_operators):
    assert reaches(own_operators, "select 1 + 1") == ()


@pytest.mark.parametrize(("encoding", "length"), [("LATIN1", 60), ("SQL_ASCII", 30)])
def test_a_name_is_found_in_any_encoding(server, encoding, length):
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        made = f"create database in_{encoding} template template0 encoding {encoding} locale 'C'"
        connection.execute(made.encode())
    place = f"{server.conninfo('postgres')} dbname=in_{encoding.lower()} client_encoding=utf8"
    with psycopg.connect(place, autocommit=True) as connection:
        name = "é" * length
        connection.execute(f"create schema {name}_".encode())
        connection.execute(
            f"create function {name}_.{name}() returns boolean language sql"
            " as 'select pg_try_advisory_lock(1)'".encode()
        )
        assert len(reaches(connection, f"select {name}_.{name}()")) == 1
        connection.execute(f"set search_path = {name}_".encode())
        assert len(reaches(connection, f"select {name}()")) == 1


@pytest.mark.parametrize("path", GATES, ids=lambda path: path.stem)
def test_the_gates_of_this_project_pass(connection, path):
    assert reaches(connection, path.read_text()) == ()


def test_what_is_too_deep_is_refused(connection, other):
    other.execute("create view deep_0 as select 1 as a")
    for number in range(1, 20):
        other.execute(f"create view deep_{number} as select a from deep_{number - 1}".encode())
    connection.rollback()
    assert reaches(connection, "select a from deep_5") == ()
    (found,) = reaches(connection, "select a from deep_19")
    assert found.why == "is too deep to be looked into"
    other.execute("drop view deep_0 cascade")


def test_strings_that_end_elsewhere_than_they_seem_to_are_refused(connection):
    connection.execute("set local standard_conforming_strings = off")
    hidden = r"select '\' || pg_advisory_lock(1)::text --'"
    assert [each.function for each in reaches(connection, hidden)] == [
        "standard_conforming_strings"
    ]
    connection.execute("set local standard_conforming_strings = on")
    assert reaches(connection, "select 1") == ()


def test_nothing_is_left_in_the_session(connection):
    for _ in range(8):
        reaches(connection, "select a from good")
    assert connection.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)
    assert connection.info.transaction_status.name == "INTRANS"


def test_a_thing_says_itself(connection):
    (found,) = reaches(connection, "select takes_lock()")
    assert str(found) == (
        "pg_catalog.pg_advisory_lock takes a lock that survives ROLLBACK, through public.takes_lock"
    )


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        pytest.param(
            {"own": False, "volatile": True}, "is volatile, and not known here", id="newer"
        ),
        pytest.param({"own": False}, "", id="newer-and-stable"),
        pytest.param({"language": "c", "volatile": True}, "C and volatile", id="c"),
        pytest.param({"language": "c"}, "", id="c-and-stable"),
        pytest.param({"language": "c", "of": "pg_net"}, "sends requests", id="extension"),
        pytest.param({"language": "c", "volatile": True, "of": "pgcrypto"}, "", id="harmless"),
        pytest.param({"language": "c", "of": "dblink", "callable": False}, "", id="not-callable"),
        pytest.param(
            {"language": "plpython3u", "trusted": False}, "may do anything", id="untrusted"
        ),
        pytest.param({"language": "plperl"}, "is not looked into", id="unread"),
    ],
)
def test_a_function_is_judged_by_what_is_known_of_it(facts, why):
    plain = {
        "own": True,
        "of": None,
        "arguments": 0,
        "language": "sql",
        "trusted": True,
        "volatile": False,
        "callable": True,
        "same": None,
        "body": None,
        "settings": [],
    }
    found = why_refused(Thing(0, "function", 1, "s", "f", {**plain, **facts}, ()))
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_every_volatile_function_of_the_server_has_been_decided(major):
    try:
        binaries = find_major(major, [Candidate("fetched", fetched(major))])
    except ServerUnavailable as error:
        pytest.skip(error.message.headline)
    query = """
        select p.proname from pg_proc as p join pg_type as r on r.oid = p.prorettype
        where p.oid < 16384 and p.provolatile = 'v'
            and not ('internal'::regtype = any (p.proargtypes) or r.typname ~ '(trigger|handler)$')
        """
    with ThrowAwayServer() as throw_away:
        address = throw_away.start(binaries)
        with psycopg.connect(address.conninfo("postgres")) as connection:
            names = {name for (name,) in connection.execute(query)}
            there = {name for (name,) in connection.execute("select proname from pg_proc")}
            decided = {name for of, name, _ in decisions() if of == "server"}
            assert sorted(names - decided) == []
            assert {"pg_advisory_lock", "lo_export", "nextval"} <= names & there
            assert reaches(connection, "select pg_advisory_lock(1)")
            assert reaches(connection, "select random(), now()") == ()


def test_every_decision_is_taken_once_and_has_a_reason():
    lines = [line.split("\t") for line in read_query("reach.tsv").decode().splitlines()]
    assert lines[0] == ["of", "function", "arguments", "verdict", "why"]
    assert {len(line) for line in lines} == {5}
    assert {line[3] for line in lines[1:]} == {"refused", "passes"}
    assert all(line[4] for line in lines)
    assert len(decisions()) == len(lines) - 1


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        pytest.param('select a, b from "T" as x, s.u y, lateral f(z) w', ["T", "s.u"], id="from"),
        pytest.param(
            "select a from t join u on t.a = u.b, v where w in (x)", ["t", "u", "v"], id="join"
        ),
        pytest.param("select extract(day from a), trim(both from b) from c", ["c"], id="extract"),
        pytest.param(
            "select a is distinct from b from (c join d using (e))", ["c", "d"], id="distinct"
        ),
        pytest.param(
            "select (select 1 from (select a from only t) as x, u)", ["t", "u"], id="nested"
        ),
        pytest.param("table t union all table only s.u", ["t", "s.u"], id="table"),
        pytest.param("select a from t order by b, c", ["t"], id="order"),
        pytest.param(
            "select exists (select from t where a = any (select b from u))", ["t", "u"], id="exists"
        ),
    ],
)
def test_relations_are_told_from_other_names(sql, read):
    found = [f"{n.schema}.{n.name}" if n.schema else n.name for n in spoken_names(sql) if n.reads]
    assert found == read


def test_a_list_of_names_is_told_from_a_statement():
    assert [name.name for name in plain_names('"Lead", s."Job"')] == ["Lead", "Job"]
    assert plain_names("select a from b") == ()
    assert plain_names("to_regclass('a') is null") == ()


def test_names_of_with_and_operators_are_found():
    sql = "with a as (select 1), b (c) as not materialized (select 2) select a <-> b"
    assert common_tables(sql) == {"a", "b"}
    assert {"<->", "<", "->"} <= operators(sql)
    assert "<>" in operators("a != b")


def test_a_name_is_cut_as_the_server_cuts_it(connection):
    long = "a" * 70
    name = connection.execute(f"select 1 as {long}".encode()).description[0].name
    assert [each.name for each in spoken_names(f"{long}(1)")] == [name]


def test_asking_goes_by_one_query_a_round(connection, monkeypatch):
    asked = []
    execute = psycopg.Cursor.execute
    monkeypatch.setattr(
        psycopg.Cursor,
        "execute",
        lambda self, query, *rest, **more: (
            asked.append(query) or execute(self, query, *rest, **more)
        ),
    )
    reaches(connection, "select 1 from t")
    assert len(asked) == 2
