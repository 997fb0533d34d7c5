"""What IF NOT EXISTS and IF EXISTS pass by is said, and another definition or name is an error."""

import pytest
from sound import SOUND

MADE = """\
create schema s;
create table t (id int primary key, a text, b int);
insert into t values (1, 'x', 1), (2, 'x', 1);
create index i on t (a);
create table s.other (id int);
create index other_idx on s.other (id);
create sequence q;
create materialized view m as select a from t;
create type e as enum ('a', 'b');
create extension citext version '1.4';
create table "Mixed" (id int, "Col" int constraint "Con" check ("Col" > 0));
create index "Mixed_idx" on "Mixed" (id);
create table parted (a int, b int) partition by range (a);
create table part partition of parted for values from (0) to (10);
create view v as select 1 as one;
create function f(text) returns boolean language sql as 'select false';
"""
FIRST, SECOND = "sql/01_first/migration.sql", "sql/02_second/migration.sql"
HIDES = "batch 02_second: expected IF NOT EXISTS and IF EXISTS to hide nothing, found "
BY = f"(made by 01_first, {FIRST}:"
PROJECT = {
    **{path: None for path in SOUND if path != "pytest.ini"},
    FIRST: MADE,
    "sql/01_first/rollback.sql": "select 1;",
    SECOND: "select 1;",
    "sql/02_second/rollback.sql": "select 1;",
}

# Each stands on a line of its own; what it must be told by follows it.
OTHER_DEFINITIONS = [
    (
        "create index if not exists i on t (b);",
        "index public.i, definition: stands CREATE INDEX i ON public.t USING btree (a) → this batch"
        f" means CREATE INDEX i ON public.t USING btree (b) {BY}4)",
    ),
    ("create unique index if not exists i on t (a);", "* means CREATE UNIQUE INDEX i ON *"),
    (
        "create index concurrently if not exists i on t (a) where b > 0;",
        "* means * WHERE (b > 0) *",
    ),
    (
        "create index if not exists t on t (a);",
        f"public.t: stands table → this batch means index {BY}2)",
    ),
    (
        "create index if not exists other_idx on s.other (id desc);",
        "index s.other_idx, * (id DESC) *",
    ),
    ("create index if not exists part on part (a);", "public.part: stands table * means index *"),
    (
        "create table if not exists t (id int primary key, a varchar(9), b int);",
        "column public.t.a, type: stands text → this batch means character varying(9)"
        " (table public.t made by 01_first, *",
    ),
    (
        "create table if not exists v (one int);",
        "public.v: stands view → this batch means table *",
    ),
    (
        "alter table t add column if not exists b int default 3, add column if not exists c int;",
        "column public.t.b, default: stands none → this batch means 3 *",
    ),
    (
        'alter table "Mixed" add if not exists "Col" int not null;',
        'column public."Mixed"."Col", not null: stands false → this batch means true *',
    ),
    (
        "create sequence if not exists q increment 10;",
        "sequence public.q, increment: stands 1 → this batch means 10 *",
    ),
    (
        "create materialized view if not exists m as select a from t where b > 0;",
        "view public.m, definition: stands SELECT *a * → this batch means * WHERE (*b > 0);*",
    ),
    (
        "create extension if not exists citext;",
        "extension citext, version: stands 1.4 → this batch means 1.*",
    ),
    (
        "alter type e add value if not exists 'b' before 'a';",
        "type public.e, labels: stands {a, b} → this batch means {b, a} *",
    ),
    (
        "create table if not exists part partition of parted for values from (0) to (9);",
        "inheritance public.part, bound: stands * → this batch means * TO (9) *",
    ),
    (
        "do $$ begin execute 'create index if not exists i on t (b)'; end $$;",
        "index public.i, definition: *",
    ),
    (
        "do $$ begin create type e as enum ('a'); exception when others then null; end $$;",
        "type public.e, labels: stands {a, b} → this batch means {a} *",
    ),
]


def test_another_definition_is_shown_with_its_line_and_its_maker(project):
    statements = [statement for statement, _ in OTHER_DEFINITIONS]
    result = project({**PROJECT, SECOND: "\n".join(statements)}, f"{SECOND}::no-silent-no-ops")
    result.assert_outcomes(failed=1)
    rows = [
        f"  row: {SECOND}:{line}: {row}" for line, (_, row) in enumerate(OTHER_DEFINITIONS, start=1)
    ]
    found = f"{len(rows)} differences"
    result.stdout.fnmatch_lines([f"{HIDES}{found}", f"  at: {SECOND}:1", *rows], consecutive=True)
    result.stdout.fnmatch_lines(
        ["  fix: IF NOT EXISTS compares names alone. Drop what stands (drop *"]
    )


SAME = {
    "create index if not exists i on t (a);": "index public.i stood already, with the same",
    "create index concurrently if not exists i on t (a);": "index public.i stood already, with",
    "create table if not exists t (id int primary key, a text, b int);": "table public.t stood",
    "create table if not exists t (id int primary key, a text);": "with more columns: b (made by",
    "create table if not exists t (id int primary key, a text, b int, c int);": "put right further",
    "alter table t add column if not exists c int, alter c set default 1;": "",
    "alter table t add if not exists c int default 1, alter c drop default;": "column public.t.c",
    "create schema if not exists s;": "schema s stood already, with the same definition (made by",
    "create sequence if not exists q;": "sequence public.q stood already, with the same definition",
    "create materialized view if not exists m as select a from t;": "materialized view public.m",
    "create extension if not exists citext version '1.4';": "extension citext stood already, with",
    "alter type e add value if not exists 'b' after 'a';": "label public.e stood already, with",
    "drop index if exists mixed_nothing;": "mixed_nothing",
    "drop function if exists f(int), g(int);": "g(pg_catalog.int4) does not exist, skipping",
    "drop table if exists s.t;": "does not exist, skipping",
    "do $$ begin if f('i') then create index i on t (a); end if; end $$;": "index public.i stood",
    "do $$ begin if f('i') then create index i on t (b); else create index i on t (a); end if;"
    " exception when duplicate_table then null; end $$;": "",
}


def test_the_same_definition_is_a_note(project, pytester):
    text = "begin;\nset local client_min_messages = error;\ncommit;\n" + "\n".join(SAME)
    result = project({**PROJECT, SECOND: text}, f"{SECOND}::no-silent-no-ops", page=True)
    result.assert_outcomes(passed=1)
    page = (pytester.path / "reports/report.html").read_text()
    for line, note in enumerate(SAME.values(), start=4):
        assert any(
            f"{SECOND}:{line}: " in each and note in each for each in page.splitlines()
        ) is bool(note), note


OTHER_NAMES = [
    (
        "drop index if exists Mixed_idx;",
        'index "mixed_idx" does *; index public."Mixed_idx" stands',
    ),
    ('alter table "Mixed" drop column if exists Col;', '*; column public."Mixed"."Col" stands'),
    (
        'alter table "Mixed" drop constraint if exists con;',
        '*; constraint "Con" on public."Mixed" *',
    ),
    ("alter table if exists Mixed add d int;", '*; table public."Mixed" stands'),
    ("drop table if exists other;", "*; table s.other stands"),
    ("do $$ begin drop index if exists other_idx; end $$;", "*; index s.other_idx stands"),
]


def test_a_name_that_is_written_otherwise_is_shown(project):
    text = "set client_min_messages = warning;\n" + "\n".join(each for each, _ in OTHER_NAMES)
    result = project({**PROJECT, SECOND: text}, f"{SECOND}::no-silent-no-ops")
    rows = [f"  row: {SECOND}:{line}: {row}" for line, (_, row) in enumerate(OTHER_NAMES, start=2)]
    found = f"{len(rows)} differences"
    result.stdout.fnmatch_lines([f"{HIDES}{found}", f"  at: {SECOND}:2", *rows], consecutive=True)


# One batch each: its files, the one that is looked into, and what must be said of it.
CASES = {
    "rollback_makes_nothing": (
        {
            "migration.sql": "create index c1 on t (b);",
            "rollback.sql": "\\set name c1\nselect 1;\ncreate index if not exists :name on t (a);",
        },
        "rollback.sql",
        ["1 difference", "at: {file}:3", "row: {file}:3: *stands * (b) → this batch means * (a) *"],
    ),
    "rollback_looks_elsewhere": (
        {
            "migration.sql": "create table s.c2 ();",
            "rollback.sql": "drop table if exists public.c2;\ndrop table if exists s.t;",
        },
        "rollback.sql",
        ["1 difference", "row: {file}:1: *not exist, skipping; table s.c2 stands"],
    ),
    "online_by_gexec": (
        {
            "migration.online.sql": "select format('create index concurrently if not exists %I"
            " on t (b)', 'i')\n\\gexec\n"
        },
        "migration.online.sql",
        ["1 difference", "row: {file}:1: *stands * (a) → this batch means * (b) *"],
    ),
    "invalid": (
        {
            "migration.sql": "create index c4 on t (b);\nupdate pg_index set indisvalid = false"
            " where indexrelid = 'c4'::regclass;\ncreate index if not exists c4 on t (b);"
        },
        "migration.sql",
        [
            "1 difference",
            "row: *index public.c4, valid: stands false → * means true (* this file, *",
        ],
    ),
}


def test_whatever_the_file_its_guards_are_looked_into(project, matches):
    changes = dict(PROJECT)
    for number, (name, (files, _, _)) in enumerate(CASES.items(), start=3):
        folder = f"sql/{number:02d}_{name}"
        both = {"migration.sql": "select 1;", "rollback.sql": "select 1;", **files}
        changes |= {f"{folder}/{file}": text for file, text in both.items()}
    result = project(changes, "-m", "noops")
    result.assert_outcomes(failed=len(CASES), passed=4 + len(CASES) + 1)
    for number, (name, (_, file, lines)) in enumerate(CASES.items(), start=3):
        path = f"sql/{number:02d}_{name}/{file}"
        for line in lines:
            assert matches(f"*{line.format(file=path)}", result.outlines), line
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "create index if not exists i on t (nowhere);",
            "batch 02_second: expected migration.sql to succeed, statement 1 of 1 failed",
            id="does-not-run",
        ),
        pytest.param(
            "create temp table x ();\ncreate temp table if not exists x (a int);",
            "*1 not exercised*",
            id="temporary",
        ),
    ],
)
def test_what_could_not_be_looked_into_is_no_pass(project, text, line):
    result = project({**PROJECT, SECOND: text}, f"{SECOND}::no-silent-no-ops")
    result.stdout.fnmatch_lines([line])


def test_a_file_without_a_guard_is_not_even_run(project):
    changes = {FIRST: "select 1 / 0;", SECOND: "-- if not exists\nselect 'there and back';"}
    project({**PROJECT, **changes}, "-m", "noops").assert_outcomes(passed=4)
