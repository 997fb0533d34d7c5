"""What somebody changed on a database is told, and what every database has otherwise is not."""

import re
from contextlib import contextmanager

import pytest
from heights import heights_of

from batchgate.binaries import Candidate, find_major
from batchgate.catalog import take_snapshot
from batchgate.errors import BatchFailed, ServerUnavailable
from batchgate.fetch import fetched
from batchgate.operate.drift import drift_of
from batchgate.operate.likeness import Likeness
from batchgate.operate.making import make
from batchgate.server import ThrowAwayServer

ORDERS = """\
-- Orders have lines.
-- irreversible: the ground of a test
-- present: to_regclass('orders') is not null

create type kind as enum ('small', 'large');
create type span as range (subtype = integer);
create domain code as text constraint code_is_short check (length(value) < 9);
create table orders (
    id int primary key,
    email varchar(40) not null,
    kind kind default 'small',
    code code,
    made_at timestamptz not null default now()
);
create table line (
    id bigserial primary key,
    order_id int constraint line_order references orders (id) on delete cascade,
    price int constraint line_price check (price > 0),
    stamp timestamptz default '2001-01-01 10:00:00.123456+00'
);
create index orders_email on orders (email);
create view large_orders as select id from orders where kind = 'large';
create materialized view prices as select order_id, price from line with no data;
create function touch() returns trigger language plpgsql as 'begin return new; end';
create trigger line_touch before update on line for each row execute function touch();
create policy line_mine on line using (price > 0);
create statistics line_stats (dependencies) on order_id, price from line;
create table log (day date primary key, note text) partition by range (day);
create table log_old partition of log for values from ('2000-01-01') to ('2001-01-01');
create table reply (day date constraint reply_day references log (day));
comment on table orders is 'what was ordered';
grant select on orders to pg_monitor;
"""
LATER = """\
-- Lines are packed, and found by order.
-- irreversible: the ground of a test
-- requires: 01_add_orders
-- present: to_regclass('line_order_id') is not null

create table packed (id int);
alter table line set (fillfactor = 70);
alter table line alter column order_id set not null;
create index line_order_id on line (order_id);
grant usage on schema public to pg_monitor;
"""
FILES = {"sql/01_add_orders/migration.sql": ORDERS, "sql/02_pack_lines/migration.sql": LATER}

PLANTED = {
    "a missing index": (
        "drop index orders_email",
        "missing: index public.orders_email",
    ),
    "a missing table": (
        "drop table line cascade",
        "missing: relation public.line (with 4 columns, 3 constraints, 2 indexes, 1 policy,"
        " 1 sequence, 1 statistics, 5 triggers)",
    ),
    "a missing column": (
        "alter table orders drop column code",
        "missing: column public.orders.code",
    ),
    "a missing constraint": (
        "alter table line drop constraint line_price",
        "missing: constraint line_price on public.line",
    ),
    "a column that nobody asked for": (
        "alter table orders add nickname text",
        "extra: column public.orders.nickname",
    ),
    "an index that nobody asked for": (
        "create index by_day on orders (made_at)",
        "extra: index public.by_day",
    ),
    "what a route left half way": (
        "alter table line add constraint helper check (price is not null) not valid",
        "extra: constraint helper on public.line (not validated)",
    ),
    "a trigger that nobody asked for": (
        "create trigger spy before insert on orders for each row execute function touch()",
        "extra: trigger spy on public.orders",
    ),
    "another default": (
        "alter table orders alter kind set default 'large'",
        "changed: column public.orders.kind, default: 'small'::public.kind → 'large'::public.kind",
    ),
    "another type": (
        "alter table orders alter email type varchar(80)",
        "changed: column public.orders.email, type: character varying(40) → character varying(80)",
    ),
    "a column that may be null": (
        "alter table line alter order_id drop not null",
        "changed: column public.line.order_id, not null: true → false",
    ),
    "a constraint that was not validated": (
        "alter table line drop constraint line_order; alter table line add constraint line_order"
        " foreign key (order_id) references orders (id) on delete cascade not valid",
        "changed: constraint line_order on public.line, validated: true → false",
    ),
    "another way to delete": (
        "alter table line drop constraint line_order; alter table line add constraint line_order"
        " foreign key (order_id) references orders (id)",
        "changed: constraint line_order on public.line, definition: "
        "…FERENCES public.orders(id) ON DELETE CASCADE → …",
    ),
    "a disabled trigger": (
        "alter table line disable trigger line_touch",
        "changed: trigger line_touch on public.line, enabled: O → D",
    ),
    "another body of a function": (
        "create or replace function touch() returns trigger language plpgsql"
        " as 'begin return null; end'",
        "changed: routine public.touch(), body: begin return new; end → begin return null; end",
    ),
    "another view": (
        "create or replace view large_orders as select id from orders where kind = 'small'",
        "changed: view public.large_orders, definition: ",
    ),
    "a label of an enum": (
        "alter type kind add value 'huge'",
        "changed: type public.kind, labels: {small, large} → {small, large, huge}",
    ),
    "an option that a batch set": (
        "alter table line reset (fillfactor)",
        "changed: relation public.line, options: {fillfactor=70} → none",
    ),
    "what is open to everybody": (
        "grant select on line to public",
        "changed: relation public.line, privileges of everybody: none → {select}",
    ),
    "a grant that a batch made": (
        "revoke select on orders from pg_monitor",
        "changed: relation public.orders, privileges of pg_monitor: {select} → none",
    ),
    "a grant that a batch made on what was there before": (
        "revoke usage on schema public from pg_monitor",
        "changed: schema public, privileges of pg_monitor: {usage} → none",
    ),
    "one table of another owner": (
        "create role visitor; alter table log owner to visitor",
        "changed: relation public.log, owner: postgres → visitor",
    ),
    "a table that is not logged": (
        "alter table line set unlogged",
        "changed: relation public.line, persistence: p → u",
    ),
    "row security": (
        "alter table line enable row level security",
        "changed: relation public.line, row security: false → true",
    ),
    "a policy": (
        "create policy everyone on orders using (true)",
        "extra: policy everyone on public.orders",
    ),
    "a lost comment": (
        "comment on table orders is null",
        "missing: comment table public.orders",
    ),
    "an index in place of another": (
        "alter index orders_email rename to by_email",
        "missing: index public.orders_email",
    ),
    "an option of a view": (
        "alter view large_orders set (security_barrier = true)",
        "changed: relation public.large_orders, options: none → {security_barrier=true}",
    ),
}
OWNED = (
    "table orders",
    "table line",
    "table log",
    "table log_old",
    "table reply",
    "table packed",
    "view large_orders",
    "materialized view prices",
    "type kind",
    "type span",
    "domain code",
    "function touch()",
    "statistics line_stats",
)
NOISE = {
    "nothing": "select 1",
    "tables that no batch made": "create table stranger (id int references orders (id), x text);"
    " create index on stranger (x); comment on table stranger is 'x'",
    "schemas and views that no batch made": "create schema attic; create view attic.seen as"
    " select * from orders; create function attic.one() returns int language sql return 1",
    "a publication": "set local client_min_messages to error; create publication news for table"
    " orders",
    "another owner of everything": "create role boss superuser; alter database {database} owner"
    " to boss; " + "; ".join(f"alter {each} owner to boss" for each in OWNED),
    "grants to other roles": "create role app; grant select, insert on all tables in schema public"
    " to app; grant update (email) on orders to app; grant execute on function touch() to app;"
    " alter default privileges grant select on tables to app",
    "a comment": "comment on column line.price is 'in cents'",
    "columns in another order": "alter table line drop stamp; alter table line add"
    " stamp timestamptz default '2001-01-01 10:00:00.123456+00'; alter table line add x int;"
    " alter table line drop x",
    "what is tuned": "alter table orders set (autovacuum_enabled = false); alter table line set"
    " (fillfactor = 70, autovacuum_vacuum_cost_limit = 9); alter table orders alter email set"
    " statistics 500; alter table orders alter email set (n_distinct = 5); alter index"
    " orders_email set (fillfactor = 60, deduplicate_items = off); alter table orders replica"
    " identity full; alter table"
    " orders alter email set storage external; cluster orders using orders_pkey",
    "what the database is set to": "alter database {database} set work_mem = '8MB';"
    " comment on database {database} is 'x'; alter database {database} connection limit 7;"
    " grant connect on database {database} to pg_monitor",
    "rows": "insert into orders values (1, 'a'); insert into line (order_id) values (1);"
    " refresh materialized view prices; analyze",
    "partitions of today": "create table log_1 partition of log for values from ('2020-01-01') to"
    " ('2021-01-01'); create index on log_1 (note)",
    "white space in a function": "create or replace function touch() returns trigger language"
    " plpgsql as 'begin  return new; /* as it is */ end'",
    "roles": "create role somebody login; grant pg_monitor to somebody; alter role somebody set"
    " work_mem = '9MB'",
    "an event trigger": "create function watch() returns event_trigger language plpgsql as"
    " 'begin end'; create event trigger w on ddl_command_end execute function watch()",
}


@pytest.fixture(scope="module")
def heights(batchgate_server, tmp_path_factory):
    with heights_of(batchgate_server, tmp_path_factory.mktemp("drift"), FILES) as heights:
        yield heights


@pytest.fixture(scope="module")
def making(heights):
    return make(Likeness(heights, None), ())


@pytest.fixture(scope="module")
def database(heights):
    with heights.clone(heights.suite.batches[-1]) as name:
        yield name


@pytest.fixture
def seen(heights, making, database):
    """Tell the drift after some statements, which are taken back."""

    @contextmanager
    def after(statements):
        with heights.connect(database) as session:
            session.autocommit = False
            session.execute(statements.format(database=database, owner=session.info.user).encode())
            major = session.info.server_version // 10000
            yield drift_of(making, take_snapshot(session), (major, major))
            session.rollback()

    return after


@pytest.mark.parametrize(("statements", "line"), PLANTED.values(), ids=PLANTED)
def test_what_was_changed_is_told(seen, statements, line):
    with seen(statements) as drift:
        told = [str(each) for each in drift.departures]
    pattern = ".*".join(map(re.escape, line.split("…")))
    assert any(re.match(pattern, each) for each in told), told


@pytest.mark.parametrize("statements", NOISE.values(), ids=NOISE)
def test_what_every_database_has_of_its_own_is_no_drift(seen, statements):
    with seen(statements) as drift:
        assert [str(each) for each in drift.departures] == []


def test_one_change_is_one_difference(seen):
    with seen("alter table orders add nickname text unique") as drift:
        assert list(map(str, drift.departures)) == [
            "extra: column public.orders.nickname (with 1 constraint, 1 index)"
        ]
    with seen("drop index line_order_id") as drift:
        assert [each.batch for each in drift.departures] == ["02_pack_lines"]
    with seen("alter table line alter order_id drop not null") as drift:
        assert [each.batch for each in drift.departures] == ["02_pack_lines"]


def test_what_is_no_drift_is_counted_all_the_same(seen):
    with seen(NOISE["what is tuned"]) as drift:
        assert {each.note for each in drift.harmless} == {"tuned here"}
        assert len(drift.harmless) == 8
    with seen(NOISE["columns in another order"]) as drift:
        assert {each.note for each in drift.harmless} == {
            "seen by select *, copy and row types only"
        }
    with seen(NOISE["a comment"]) as drift:
        assert list(map(str, drift.harmless)) == [
            "extra: comment table column public.line.price (no batch's)"
        ]
    with seen(NOISE["tables that no batch made"]) as drift:
        assert drift.strangers == (("table", "public.stranger"),)
    with seen(NOISE["schemas and views that no batch made"]) as drift:
        assert drift.strangers == (("schema", "attic"),)
    with seen(NOISE["grants to other roles"]) as drift:
        assert drift.grants == {"app": 10}
    with seen(NOISE["another owner of everything"]) as drift:
        assert drift.owner == "boss"


def test_an_index_that_was_not_built_to_its_end_is_told(heights, making):
    with heights.clone(heights.suite.batches[-1]) as name, heights.connect(name) as session:
        session.execute("insert into orders values (1, 'a'), (2, 'a')")
        with pytest.raises(Exception, match="could not create unique index"):
            session.execute("create unique index concurrently once on orders (email)")
        session.execute(
            "update pg_index set indisvalid = false where indexrelid = 'line_order_id'::regclass"
        )
        told = [str(each) for each in drift_of(making, take_snapshot(session), (18, 18)).departures]
    assert told == [
        "changed: index public.line_order_id, valid: true → false",
        "extra: index public.once (invalid, as an interrupted build leaves it)",
    ]


def test_the_diff_says_which_side_is_which(seen):
    with seen("alter table line alter order_id drop not null") as drift:
        assert drift.diff == (
            "--- as the batches make it",
            "+++ as it stands",
            "@@ -1,3 +1,3 @@",
            " column public.line.order_id",
            "-    not null: true",
            "+    not null: false",
            "     type: integer",
        )


def test_what_an_absent_batch_makes_is_its_leftover(heights):
    second = heights.suite.batches[-1]
    with heights.clone(second) as name, heights.connect(name) as session:
        found = take_snapshot(session)
    with heights_of(
        heights._store._server,
        heights.settings.root.parent / "less",
        {"sql/01_add_orders/migration.sql": ORDERS},
    ) as less:
        making = make(Likeness(less, None), [second])
    told = [str(each) for each in drift_of(making, found, (18, 18)).departures]
    made = "(made by 02_pack_lines, which does not stand)"
    assert f"extra: relation public.packed (with 1 column) {made}" in told
    assert f"extra: index public.line_order_id {made}" in told
    assert "changed: column public.line.order_id, not null: false → true" in told


def test_a_batch_that_needs_rows_is_given_the_sample_data(batchgate_server, tmp_path):
    needy = ORDERS.replace("Orders have", "Needy orders have") + (
        "do $$ begin perform 1 / (select count(*) from orders); end $$;\n"
    )
    files = {
        "sql/01_add_orders/migration.sql": ORDERS,
        "sql/02_pack_lines/migration.sql": LATER
        + "do $$ begin perform 1 / (select count(*) from orders); end $$;\n",
        "sample/01.sql": "insert into orders values (1, 'a');",
    }
    with heights_of(batchgate_server, tmp_path, files) as heights:
        assert make(Likeness(heights, None), ()).sampled
    with (
        heights_of(
            batchgate_server, tmp_path / "needy", {"sql/01_add_orders/migration.sql": needy}
        ) as heights,
        pytest.raises(BatchFailed, match="division by zero"),
    ):
        make(Likeness(heights, None), ())


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_what_only_differs_by_version_is_no_drift(major, heights, making, database, tmp_path):
    with heights.connect(database) as session:
        ours = session.info.server_version // 10000
        found = take_snapshot(session)
    if major == ours:
        pytest.skip("that is the version of this run")
    try:
        binaries = find_major(major, [Candidate("fetched", fetched(major))])
    except ServerUnavailable as error:
        pytest.skip(error.message.headline)
    with (
        ThrowAwayServer() as made,
        heights_of(made.start(binaries), tmp_path, FILES) as other,
    ):
        theirs = make(Likeness(other, binaries), ())
        with other.clone(other.suite.batches[-1]) as name, other.connect(name) as session:
            session.execute("alter table line alter price set default 7")
            session.execute("alter table line drop constraint line_price")
            changed = take_snapshot(session)
    assert drift_of(theirs, found, (major, ours)).departures == ()
    drift = drift_of(making, changed, (ours, major))
    assert [str(each) for each in drift.departures] == [
        "changed: column public.line.price, default: none → 7",
        "missing: constraint line_price on public.line",
    ]


def test_named_not_null_constraints_are_told_of_their_column(seen, heights):
    """From 18 on they have names, which differ by the way that a table came to be what it is."""
    with seen("select 1") as drift:
        assert drift.departures == ()
    with heights.clone(heights.suite.batches[-1]) as name, heights.connect(name) as session:
        if session.info.server_version < 180000:
            pytest.skip("before PostgreSQL 18 they have no names")
    rename = "alter table orders rename constraint orders_email_not_null to email_given"
    with seen(rename) as drift:
        assert drift.departures == ()
    with seen(
        "alter table line alter order_id drop not null;"
        " alter table line add constraint given not null order_id not valid"
    ) as drift:
        assert list(map(str, drift.departures)) == [
            "changed: column public.line.order_id, not null: true → not valid"
        ]
