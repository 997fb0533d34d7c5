"""IF NOT EXISTS and IF EXISTS are found wherever they stand, with the names that they guard."""

import pytest

from batchgate.rehearsal.noops.guards import guards_of
from batchgate.rehearsal.noops.handmade import handmade_guards
from batchgate.rehearsal.noops.reading import names_in

LONG = "a" * 70


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param(
            'create unique index concurrently if not exists "X.y" on only S.T (a)',
            [(True, "index", ("X.y",), ("s", "t"))],
            id="index",
        ),
        pytest.param(
            "create temp table if not exists a.B (c numeric(3, 2))",
            [(True, "table", ("a", "b"), ())],
            id="table",
        ),
        pytest.param(
            "create schema if not exists authorization bob",
            [(True, "schema", ("bob",), ())],
            id="schema-of-a-role",
        ),
        pytest.param(
            "create user mapping if not exists for public server s",
            [(True, "user mapping", ("public",), ("s",))],
            id="user-mapping",
        ),
        pytest.param(
            "alter table if exists only t add column if not exists A numeric(1, 2) default f(1, 2),"
            " add if not exists b int[] default array[1, 2], drop if exists c cascade,"
            " drop constraint if exists d, alter e drop identity if exists",
            [
                (False, "table", ("t",), ()),
                (True, "column", ("a",), ("t",)),
                (True, "column", ("b",), ("t",)),
                (False, "column", ("c",), ("t",)),
                (False, "constraint", ("d",), ("t",)),
                (False, "identity", ("e",), ("t",)),
            ],
            id="several-actions",
        ),
        pytest.param(
            "alter type t add value if not exists 'it''s' before 'x'",
            [(True, "label", ("it's", "x"), ("t",))],
            id="label",
        ),
        pytest.param(
            'drop table if exists a, "B"."c d" cascade',
            [(False, "table", ("a",), ()), (False, "table", ("B", "c d"), ())],
            id="drop-several",
        ),
        pytest.param(
            "drop function if exists f(int, numeric(1, 2)), s.g()",
            [(False, "function", ("f",), ()), (False, "function", ("s", "g"), ())],
            id="drop-functions",
        ),
        pytest.param(
            "drop trigger if exists x on s.t",
            [(False, "trigger", ("x",), ("s", "t"))],
            id="trigger",
        ),
        pytest.param(
            f"drop index if exists {LONG}", [(False, "index", ("a" * 63,), ())], id="long-name"
        ),
        pytest.param(
            r'drop table if exists U&"d\0061ta"', [(False, "table", ("data",), ())], id="escaped"
        ),
        pytest.param("create table t (a text default 'if not exists x')", [], id="in-a-string"),
        pytest.param("create table t (a int) /* if not exists t */", [], id="in-a-comment"),
        pytest.param("select 1 as if, not exists (select)", [], id="no-definition"),
        pytest.param("drop cast if exists (a as b)", [], id="nameless"),
    ],
)
def test_guards_are_read_with_their_names(statement, found):
    guards = guards_of(statement)
    assert [(guard.makes, guard.class_, guard.name, guard.on) for guard in guards] == found


@pytest.mark.parametrize(
    ("statement", "alone"),
    [
        pytest.param(
            "create index concurrently if not exists x on t (a)",
            ["create index  if not exists x on t (a)"],
            id="not-concurrently",
        ),
        pytest.param(
            "alter table t add if not exists a int -- one\n , drop b, add if not exists c int",
            ["alter table t add if not exists a int", "alter table t add if not exists c int"],
            id="one-action",
        ),
    ],
)
def test_a_guard_knows_the_statement_that_makes_it_alone(statement, alone):
    assert [guard.alone for guard in guards_of(statement)] == alone


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param(
            "begin\n create type s.e as enum ('a');\n"
            "exception when duplicate_object then null; end",
            [("type", ("s", "e"), 2)],
            id="caught",
        ),
        pytest.param(
            "begin\nif not exists (select from pg_class where relname = 'x') then\n"
            "  create index x on t (a);\n  alter table t add check (a > 0);\nend if; end",
            [("index", ("x",), 3)],
            id="asked-for",
        ),
        pytest.param(
            "begin if f('t.c') then alter table t add c int, add primary key (c); end if; end",
            [("column", ("c",), 1)],
            id="column",
        ),
        pytest.param(
            "begin if g() then create index x on t (a); end if; end", [], id="asked-for-another"
        ),
        pytest.param("begin create index x on t (a); end", [], id="unconditional"),
        pytest.param(
            "begin create index on t (a); exception when others then null; end", [], id="nameless"
        ),
    ],
)
def test_what_a_block_guards_by_hand_is_read_with_its_line(body, found):
    guards = handmade_guards(f"do\n$x${body}$x$")
    assert [(each.guard.class_, each.guard.name, each.line) for each in guards] == found
    quoted = body.replace("'", "''")
    assert [each.line for each in handmade_guards(f"do\n'{quoted}'")] == [
        line for *_, line in found
    ]


def test_the_names_of_an_identity_are_told_apart():
    assert names_in('"C" on public."a.b"') == [("C",), ("on",), ("public", "a.b")]
