"""What a batch added or changed is damaged in one point each, and every damage can be told."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from batchgate.catalog import compare, take_snapshot
from batchgate.database import connect, create_database, drop_database
from batchgate.mutation.assertion import assertion
from batchgate.mutation.damage import Mutant
from batchgate.mutation.definitions import (
    bare,
    check_made_true,
    key_columns,
    of_column,
    of_table,
    read_index,
    with_other_action,
)
from batchgate.mutation.mutants import mutants_of, untried

RICH = """
create schema "S x";
create type "S x".mood as enum ('good', 'bad, but "fine"', 'it''s bad');
create domain word as text default 'x' not null constraint filled check (value <> '');
create type pair as (a int, b text);
create table owner (id int primary key, name text);
create table "T x" (
    id int generated always as identity primary key,
    n serial,
    "c.d" text collate "C" not null default '{a}',
    mood "S x".mood default 'good',
    doubled int generated always as (2) stored,
    w word,
    owner_id int references owner on update cascade on delete set null,
    other_id int references owner,
    closed_at timestamptz,
    check (id > 0),
    unique ("c.d", w),
    exclude (id with =)
);
create unique index "open x" on "T x" (w) where closed_at is null;
create index twin on "T x" (n, "c.d" desc nulls last) include (id);
create index loose on "T x" using gin (to_tsvector('english', coalesce("c.d", '{}')));
create table part (a int not null, b text) partition by range (a);
create table part_1 partition of part for values from (1) to (10);
create index part_b on part (b);
create view seen as select id from "T x";
create materialized view counted as select count(*) from "T x";
create function twice(a int, out b text) language plpgsql as $$ begin b := 'x'; end $$;
create procedure work(inout a int) language plpgsql as $$ begin a := 1; end $$;
create aggregate total(int) (sfunc = int4pl, stype = int);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touched before insert on "T x" for each row execute function touch();
create rule ruled as on delete to seen do instead nothing;
create policy own on "T x" using (true);
alter table "T x" enable row level security;
create statistics stat on id, n from "T x";
create operator === (leftarg = int, rightarg = int, function = int4eq);
create cast (pair as text) with inout;
create publication pub for table owner;
create collation coll from "C";
create text search configuration conf (copy = english);
grant select on "T x" to public;
comment on column "T x".mood is 'how it feels';
comment on constraint "T x_pkey" on "T x" is 'key';
comment on view seen is 'view';
"""
# A partitioned table is nothing without the columns of its key.
CANNOT_BE_MADE = {"column public.part.a dropped"}


@pytest.fixture(scope="module")
def connection(batchgate_server) -> Iterator[psycopg.Connection]:
    name = f"mutation_{uuid4().hex}"
    create_database(batchgate_server, name)
    with connect(batchgate_server, name) as session:
        yield session
    drop_database(batchgate_server, name)


def mutants_between(connection: psycopg.Connection, before: str, batch: str) -> list[Mutant]:
    with connection.transaction(force_rollback=True):
        connection.execute(before or "select 1")
        was = take_snapshot(connection)
        connection.execute(batch)
        return mutants_of(was, take_snapshot(connection))


def made(connection: psycopg.Connection, mutant: Mutant) -> None:
    for statement in mutant.statements:
        connection.execute(statement)


def test_every_mutant_is_made_is_seen_and_is_told_by_its_assertion(connection):
    with connection.transaction(force_rollback=True):
        before = take_snapshot(connection)
        connection.execute(RICH)
        after = take_snapshot(connection)
        told = 0
        for mutant in mutants_of(before, after):
            check = assertion(mutant, after.facts[mutant.key])
            connection.execute(check.encode() or b"select")
            with connection.transaction(force_rollback=True):
                if mutant.name in CANNOT_BE_MADE:
                    with pytest.raises(psycopg.Error), connection.transaction():
                        made(connection, mutant)
                    continue
                made(connection, mutant)
                if not check:
                    assert compare(after, take_snapshot(connection)), mutant.name
                else:
                    told += 1
                    with pytest.raises(psycopg.errors.RaiseException, match="not as it should be"):
                        connection.execute(check.encode())
        assert told > 60
        assert untried(before, after).keys() <= {"publication table"}


ORDERS = "create table orders (id int, code text, at date)"


@pytest.mark.parametrize(
    ("before", "batch", "names"),
    [
        pytest.param(
            ORDERS,
            "alter table orders alter code set not null, alter at set default now()",
            [
                "column public.orders.at: default dropped",
                "column public.orders.code: not null lifted",
            ],
            id="of-what-stood-before-only-what-changed",
        ),
        pytest.param(
            ORDERS,
            "create unique index recent on orders (code, at desc) where id > 0",
            [
                "index public.recent dropped",
                "index public.recent: made plain",
                "index public.recent: predicate removed",
                "index public.recent: predicate negated",
                "index public.recent: direction of code flipped",
                "index public.recent: direction of at DESC flipped",
            ],
            id="index",
        ),
        pytest.param(
            ORDERS,
            "create index coded on orders (code)",
            ["index public.coded dropped"],
            id="of-a-single-key-the-direction-is-of-no-consequence",
        ),
        pytest.param(
            ORDERS,
            "alter table orders add check (id > 0)",
            [
                "constraint orders_id_check on public.orders dropped",
                "constraint orders_id_check on public.orders made true",
                "constraint orders_id_check on public.orders made not valid",
            ],
            id="check",
        ),
        pytest.param(
            f"{ORDERS}; create table line (id int, order_id int);"
            " alter table orders add primary key (id)",
            "alter table line add foreign key (order_id) references orders on delete cascade",
            [
                "constraint line_order_id_fkey on public.line dropped",
                "constraint line_order_id_fkey on public.line:"
                " on delete no action instead of cascade",
            ],
            id="foreign-key",
        ),
        pytest.param(
            ORDERS,
            "alter table orders add primary key (id)",
            [
                "column public.orders.id: not null lifted",
                "constraint orders_pkey on public.orders dropped",
                "constraint orders_pkey on public.orders made a plain index",
            ][1:],
            id="a-key-holds-its-columns-not-null",
        ),
        pytest.param(
            "create type mood as enum ('good')",
            "alter type mood add value 'bad'",
            ["type public.mood: label bad missing"],
            id="label",
        ),
        pytest.param(
            f"{ORDERS}; create index coded on orders (code)", "drop index coded", [], id="removal"
        ),
    ],
)
def test_each_point_has_a_mutant_that_must_be_noticed(connection, before, batch, names):
    mutants = mutants_between(connection, before, batch)
    assert [mutant.name for mutant in mutants if mutant.required] == names


def test_what_a_batch_took_away_is_put_back(connection):
    before = (
        f"{ORDERS}; alter table orders alter id set not null, alter at set default now();"
        "create view seen as select id from orders; create rule no as on delete to orders"
        " do instead nothing; create function one() returns int language sql as 'select 1';"
        "create procedure work(inout a int) language plpgsql as 'begin a := 1; end'"
    )
    batch = (
        "drop view seen; drop rule no on orders; drop function one; drop procedure work;"
        "alter table orders alter id drop not null, alter at drop default, drop code"
    )
    with connection.transaction(force_rollback=True):
        connection.execute(before.encode())
        was = take_snapshot(connection)
        connection.execute(batch.encode())
        mutants = mutants_of(was, take_snapshot(connection))
        for mutant in mutants:
            made(connection, mutant)
        back = take_snapshot(connection)
    assert len(mutants) == 7
    assert not any(mutant.required for mutant in mutants)
    assert {one.class_ for one in compare(was, back)} <= {"column order"}


@pytest.mark.parametrize(
    ("before", "batch", "name"),
    [
        pytest.param(
            f"{ORDERS}; create index coded on orders (code)",
            "drop index coded",
            "index public.coded brought back",
            id="index-that-was-dropped",
        ),
        pytest.param(
            ORDERS,
            "drop table orders",
            "table public.orders brought back",
            id="table-that-was-dropped",
        ),
        pytest.param(
            ORDERS,
            "alter table orders alter id type bigint",
            "column public.orders.id: type integer as before",
            id="type-that-was-changed",
        ),
        pytest.param(
            ORDERS,
            "alter table orders enable row level security",
            "table public.orders: row security disabled",
            id="row-security",
        ),
    ],
)
def test_other_damages_are_done_and_need_not_be_noticed(connection, before, batch, name):
    mutants = mutants_between(connection, before, batch)
    assert [mutant.name for mutant in mutants if not mutant.required] == [name]


@pytest.mark.parametrize(
    ("damage", "attributes"),
    [
        pytest.param('column public."T x"."c.d": default dropped', {"default"}, id="default"),
        pytest.param('index public."open x": predicate removed', {"definition"}, id="predicate"),
        pytest.param("index public.twin: direction of n flipped", {"definition"}, id="direction"),
        pytest.param('type "S x".mood: label it\'s bad missing', {"labels"}, id="label"),
        pytest.param(
            'constraint "T x_id_check" on public."T x" made true', {"definition"}, id="check"
        ),
        pytest.param(
            'constraint "T x_owner_id_fkey" on public."T x": on delete cascade instead of set null',
            {"definition", "function"},
            id="action",
        ),
    ],
)
def test_a_damage_is_done_to_one_point(connection, damage, attributes):
    with connection.transaction(force_rollback=True):
        before = take_snapshot(connection)
        connection.execute(RICH)
        after = take_snapshot(connection)
        [mutant] = [one for one in mutants_of(before, after) if one.name == damage]
        made(connection, mutant)
        differences = compare(after, take_snapshot(connection))
    assert {difference.attribute for difference in differences} - {None} <= attributes


INDEX = (
    'CREATE UNIQUE INDEX "where (x)" ON ONLY public."T x" USING btree (a, f(b, \'{,}\') DESC)'
    " INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (closed IS NULL)"
)


def test_an_index_is_taken_apart_and_put_together_otherwise():
    index = read_index(INDEX)
    assert str(index) == INDEX.replace("ONLY ", "")
    assert str(index.plain()).startswith('CREATE INDEX "where (x)" ON public."T x" USING btree')
    assert "NULLS NOT DISTINCT" not in str(index.plain())
    assert str(index.negated()).endswith("WHERE (NOT (closed IS NULL))")
    assert str(index.unconditional()).endswith("WITH (fillfactor='70')")
    assert index.flipped(0).keys == ("a DESC", "f(b, '{,}') DESC")
    assert index.flipped(1).keys == ("a", "f(b, '{,}')")


@pytest.mark.parametrize(
    ("definition", "event", "action", "changed"),
    [
        pytest.param(
            "FOREIGN KEY (a) REFERENCES t(b) DEFERRABLE",
            "DELETE",
            "CASCADE",
            "FOREIGN KEY (a) REFERENCES t(b) ON DELETE CASCADE DEFERRABLE",
            id="none-said",
        ),
        pytest.param(
            "FOREIGN KEY (a) REFERENCES t(b) ON UPDATE CASCADE ON DELETE SET NULL (a) NOT VALID",
            "DELETE",
            "CASCADE",
            "FOREIGN KEY (a) REFERENCES t(b) ON UPDATE CASCADE ON DELETE CASCADE NOT VALID",
            id="of-a-column",
        ),
        pytest.param(
            'FOREIGN KEY ("on delete") REFERENCES t(b) ON UPDATE CASCADE ON DELETE RESTRICT',
            "UPDATE",
            "NO ACTION",
            'FOREIGN KEY ("on delete") REFERENCES t(b) ON UPDATE NO ACTION ON DELETE RESTRICT',
            id="on-update",
        ),
    ],
)
def test_a_foreign_key_is_made_to_act_otherwise(definition, event, action, changed):
    assert with_other_action(definition, event) == (action, changed)


def test_definitions_and_names_are_read_with_their_quotes():
    assert check_made_true("CHECK (((a > 0) AND b)) NO INHERIT") == "CHECK (true) NO INHERIT"
    assert key_columns('PRIMARY KEY (a, "b, c")') == ("a", '"b, c"')
    assert of_table('"a on b" on public."T on x"') == ('"a on b"', 'public."T on x"')
    assert of_column('public."T.x"."c.d"') == ('public."T.x"', '"c.d"')
    assert [bare(name) for name in ('s."T(x)"', "s.f(int)", '"a""b"')] == ["T(x)", "f", 'a"b']
