"""Copies of rows are new rows that refer to each other as their originals do."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from batchgate.copies import copy_rows

Connection = psycopg.Connection[Any]

BASE = """
create type color as enum ('red', 'green');
create domain code as varchar(6);
create table country (iso char(2) primary key, name text unique);
create table "User" (
    id int generated always as identity primary key,
    "Email" text,
    iso char(2) references country,
    boss int references "User",
    twice int generated always as (id * 2) stored unique
);
create unique index on "User" (lower("Email"));
create table post (
    id uuid primary key default gen_random_uuid(),
    author int not null references "User",
    slug text,
    place smallint unique,
    unique (author, slug)
);
create table tag (name code primary key);
create table post_tag (post uuid references post, tag code references tag, primary key (post, tag));
create table one_one (id int primary key references "User");
create table log (id bigint, at timestamptz, primary key (id, at)) partition by range (at);
create table log_old partition of log for values from ('2024-01-01') to ('2025-01-01');
create table log_rest partition of log default;
create table day (at date primary key, x float8);
create table doc (data jsonb);
create unique index on doc ((data ->> 'key'));
create table parent (id int primary key);
create table child (words text) inherits (parent);
create table loose (words text);
create table object (id numeric primary key, f float8 unique, w interval unique, b bytea unique);
create table empty (id int primary key);
create table change_log (words text);
create function note_change() returns trigger language plpgsql as
    $$ begin insert into change_log values (tg_table_name); return new; end $$;
create trigger noted after insert on "User" for each row execute function note_change();
insert into country values ('DE', 'Germany'), ('FR', 'France');
insert into "User" ("Email", iso) values ('A@x.example', 'DE'), ('b@x.example', null);
update "User" set boss = 1 where id = 2;
insert into post (author, slug, place) select id, 's', id from "User";
insert into tag values ('abcdef'), ('x');
insert into post_tag select p.id, t.name from post as p cross join tag as t;
insert into one_one select id from "User";
insert into log values (1, '2024-05-05 00:00+00'), (2, '2026-05-05 00:00+00');
insert into day values ('2024-01-01', 'NaN'), ('2024-01-03', null);
insert into doc values ('{"key": "a", "n": [1]}'), ('{"key": 7}');
insert into parent values (1);
insert into child values (2, 'two');
insert into object values (7.5, 1.5, '1 day', 'x');
insert into loose values ('same'), ('same'), (null);
truncate change_log;
"""
COUNTS = {
    'public."User"': 2,
    "public.child": 1,
    "public.country": 2,
    "public.day": 2,
    "public.doc": 2,
    "public.log": 2,
    "public.loose": 3,
    "public.object": 1,
    "public.one_one": 2,
    "public.parent": 1,
    "public.post": 2,
    "public.post_tag": 4,
    "public.tag": 2,
}


@pytest.fixture(scope="module")
def address(batchgate_server: Any) -> Iterator[dict[str, Any]]:
    server, name = batchgate_server, f"copies_{uuid4().hex}"
    address = {"host": server.host, "port": server.port, "user": server.user}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(**address, dbname=name) as connection:
                connection.execute(BASE)
            yield address | {"dbname": name}
        finally:
            maintenance.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


@pytest.fixture
def connection(address: dict[str, Any]) -> Iterator[Connection]:
    with psycopg.connect(**address) as connection:
        connection.execute("begin")
        yield connection
        connection.rollback()


def value(connection: Connection, query: str) -> Any:
    (found,) = connection.execute(query).fetchone() or (None,)
    return found


def test_every_row_is_copied_as_often_as_asked_and_again(connection: Connection) -> None:
    first = copy_rows(connection)
    assert (dict(first.added), dict(first.refused)) == (COUNTS, {})
    second = copy_rows(connection, 3)
    assert dict(second.refused) == {}
    assert dict(second.added) == {name: 6 * count for name, count in COUNTS.items()}


def test_copies_refer_to_copies(connection: Connection) -> None:
    copy_rows(connection, 2)
    # What was not checked on the way in is checked now.
    for table, name in connection.execute(
        "select conrelid::regclass::text, conname from pg_constraint where contype = 'f'"
        " and conparentid = 0"
    ).fetchall():
        connection.execute(
            sql.SQL("alter table {table} drop constraint {name}").format(
                table=sql.SQL(table), name=sql.Identifier(name)
            )
        )
    dangling = """
        select count(*) from post_tag as p
        where not exists (select from post where id = p.post)
            or not exists (select from tag where name = p.tag)
    """
    assert value(connection, dangling) == 0
    assert value(connection, "select count(distinct author) from post") == 6
    assert value(connection, 'select count(distinct boss) from "User"') == 3
    assert (
        value(connection, "select count(*) from post_tag group by post having count(*) <> 2")
        is None
    )


def test_triggers_stay_silent_and_sequences_where_they_stand(connection: Connection) -> None:
    before = value(connection, 'select last_value from "User_id_seq"')
    copy_rows(connection)
    assert value(connection, "select count(*) from change_log") == 0
    assert value(connection, 'select last_value from "User_id_seq"') == before
    assert value(connection, "show session_replication_role") == "origin"
    # There is room for the numbers that come next.
    connection.execute('insert into "User" ("Email") select g::text from generate_series(1, 50) g')


def test_copies_stay_in_the_partition_of_their_original(connection: Connection) -> None:
    copy_rows(connection)
    assert value(connection, "select count(*) from log_old") == 2


REFUSED = [
    pytest.param(
        "create table paint (c color primary key); insert into paint values ('red');"
        " create table wall (id int primary key, c color references paint);"
        " insert into wall values (1, 'red')",
        "public.paint",
        "no column of its key (c) can be given another value",
        "select count(distinct c) from wall",
        id="key-of-an-enum",
    ),
    pytest.param(
        "create table small (n smallint primary key);"
        " insert into small values (-32768), (32767);"
        " create table wall (id int primary key, n smallint references small);"
        " insert into wall values (1, 32767)",
        "public.small",
        "smallint out of range",
        "select count(distinct n) from wall",
        id="no-room-for-numbers",
    ),
    pytest.param(
        "create table few (id int primary key check (id < 10)); insert into few values (1);"
        " create table wall (id int primary key, few int references few);"
        " insert into wall values (1, 1)",
        "public.few",
        'new row for relation "few" violates check constraint "few_id_check"',
        "select count(distinct few) from wall",
        id="forbidden-by-a-check",
    ),
]


@pytest.mark.parametrize(("made", "table", "reason", "kept"), REFUSED)
def test_a_table_that_refuses_is_named_and_still_referred_to(
    connection: Connection, made: str, table: str, reason: str, kept: str
) -> None:
    connection.execute(made)
    copies = copy_rows(connection, 3)
    assert dict(copies.refused) == {table: reason}
    assert copies.added["public.wall"] == 3
    assert value(connection, kept) == 1


def test_a_database_without_rows_has_nothing_to_copy(connection: Connection) -> None:
    connection.execute("drop schema public cascade")
    copies = copy_rows(connection)
    assert (dict(copies.added), dict(copies.refused)) == ({}, {})
