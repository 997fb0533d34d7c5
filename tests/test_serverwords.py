"""What the server said is passed on without the values it quotes."""

import re

import psycopg
import pytest

from batchgate.database import connect
from batchgate.findings import MASK
from batchgate.serverwords import gate_words, masked, masked_plan, shown_sql


@pytest.mark.parametrize(
    ("sqlstate", "text", "shown"),
    [
        pytest.param(
            "22P02",
            'invalid input syntax for type uuid: "ann@example.com"',
            f'invalid input syntax for type uuid: "{MASK}"',
            id="data-exception",
        ),
        pytest.param(
            "23505",
            'duplicate key value violates unique constraint "t_email_key"\n'
            "Key (email)=(ann@example.com) already exists.",
            'duplicate key value violates unique constraint "t_email_key"\n'
            f"Key (email)=({MASK}) already exists.",
            id="key",
        ),
        pytest.param(
            "23502",
            "Failing row contains (1, Ann (junior), ann@example.com).",
            f"Failing row contains ({MASK}).",
            id="row",
        ),
        pytest.param(
            "23505",
            "Key (note)=(line one\nann@example.com) is duplicated.",
            f"Key (note)=({MASK}) is duplicated.",
            id="key-of-two-lines",
        ),
        pytest.param(
            "23514",
            "Partition key of the failing row contains (email) = (ann@example.com).",
            f"Partition key of the failing row contains (email)=({MASK}).",
            id="partition-key",
        ),
        pytest.param(
            "42703",
            'column "e_mail" does not exist',
            'column "e_mail" does not exist',
            id="names-stay",
        ),
    ],
)
def test_values_are_hidden_and_names_stay(sqlstate, text, shown):
    assert masked(text, sqlstate) == shown


def test_a_statement_is_shown_by_its_first_line_without_its_values():
    assert shown_sql("  alter role app password 'hun''ter2';\nselect 1") == (
        f"alter role app password '{MASK}';"
    )
    assert (
        shown_sql("insert into t values ('an open\nstring')") == f"insert into t values ('{MASK}'"
    )


WITHHELD = "a function raised an error, whose text may quote data and is withheld"
PEOPLE = """
create table pg_temp.people (name text, email text, phone text);
insert into pg_temp.people values
    ('Ann "the Ox" O''Hara ann@example.com', 'ann@example.com', '+49 170 1234567');
create function pg_temp.told(words text, state text) returns int language plpgsql as $$
begin raise exception using message = words, errcode = state; end $$;
create function pg_temp.stopped(words text) returns int language plpgsql as $$
begin assert false, words; end $$;
create function pg_temp.ran(words text) returns int language plpgsql as $$
declare found int; begin execute words into found; return found; end $$;
create function pg_temp.misread() returns int language plpgsql as $$
declare found int; begin select no_such into found from pg_temp.people; return found; end $$;
create function pg_temp.listed(words text) returns setof int language plpgsql as $$
begin return query execute words; end $$;
create function pg_temp.looped(words text) returns int language plpgsql as $$
declare found int; begin for found in execute words loop null; end loop; return 1; end $$;
create function pg_temp.first_name() returns text immutable language plpgsql as $$
begin return (select name from pg_temp.people); end $$;
create function pg_temp.first_number() returns bigint immutable language plpgsql as $$
begin return (select replace(substr(phone, 2), ' ', '')::bigint from pg_temp.people); end $$;
create domain pg_temp.short as text constraint is_short check (length(value) < 3);
"""


@pytest.fixture(scope="module")
def people(batchgate_server):
    with connect(batchgate_server, "postgres") as session:
        session.execute(PEOPLE)
        yield session


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param(
            "select email::int from pg_temp.people",
            f"invalid input syntax for type integer: {MASK} [22P02]",
            id="cast",
        ),
        pytest.param(
            "select name::int from pg_temp.people",
            f"invalid input syntax for type integer: {MASK} [22P02]",
            id="value-with-quotes-in-it",
        ),
        pytest.param(
            "select convert_to(chr(10003), 'LATIN1')",
            f"character with byte sequence {MASK} in encoding UTF8 has no equivalent in encoding"
            " LATIN1 [22P05]",
            id="encodings",
        ),
        pytest.param(
            "select convert_from('\\xff', 'UTF8')",
            f"invalid byte sequence for encoding UTF8: {MASK} [22021]",
            id="bytes",
        ),
        pytest.param(
            "select replace(phone, ' ', '')::numeric::int from pg_temp.people",
            "integer out of range [22003]",
            id="range",
        ),
        pytest.param(
            "select (email || chr(10) || name)::jsonb from pg_temp.people",
            "invalid input syntax for type json [22P02]",
            id="json",
        ),
        pytest.param(
            "select to_date(email, 'YYYY-MM') from pg_temp.people",
            f"invalid value {MASK} [22007]",
            id="two-values",
        ),
        pytest.param(
            "select pg_temp.told(email, 'P0001') from pg_temp.people",
            f"{WITHHELD} [P0001]",
            id="raise",
        ),
        pytest.param(
            "select pg_temp.told(name, '42501') from pg_temp.people",
            f"{WITHHELD} [42501]",
            id="raise-with-another-state",
        ),
        pytest.param(
            "select pg_temp.told(name, '45000') from pg_temp.people",
            f"{WITHHELD} [45000]",
            id="raise-with-a-state-of-its-own",
        ),
        pytest.param(
            "select pg_temp.stopped(name) from pg_temp.people", f"{WITHHELD} [P0004]", id="assert"
        ),
        pytest.param(
            "select pg_temp.ran(name) from pg_temp.people",
            f"syntax error at or near {MASK} [42601]",
            id="dynamic-syntax",
        ),
        pytest.param(
            "select pg_temp.ran('select 1 from \"' || phone || '\"') from pg_temp.people",
            f"relation {MASK} does not exist [42P01]",
            id="dynamic-table",
        ),
        pytest.param(
            "select split_part(name, ' ', 1)::regclass from pg_temp.people",
            f"relation {MASK} does not exist [42P01]",
            id="value-for-a-name",
        ),
        pytest.param(
            "select has_database_privilege(split_part(name, ' ', 1), 'connect')"
            " from pg_temp.people",
            f"database {MASK} does not exist [3D000]",
            id="value-for-a-database",
        ),
        pytest.param(
            "select replace(split_part(name, ' ', 1) || '.b.c', ' ', '')::regclass"
            " from pg_temp.people",
            f"cross-database references are not implemented: {MASK} [0A000]",
            id="value-with-dots",
        ),
        pytest.param(
            "select query_to_xml('select 1 from \"' || phone || '\"', true, true, '')"
            " from pg_temp.people",
            f"relation {MASK} does not exist [42P01]",
            id="statement-within-a-statement",
        ),
        pytest.param(
            "select pg_temp.listed('select 1 from \"' || phone || '\"') from pg_temp.people",
            f"relation {MASK} does not exist [42P01]",
            id="dynamic-return-query",
        ),
        pytest.param(
            "select pg_temp.looped('select 1 from \"' || phone || '\"') from pg_temp.people",
            f"relation {MASK} does not exist [42P01]",
            id="dynamic-loop",
        ),
        pytest.param(
            "select set_config(email, 'x', true) from pg_temp.people",
            f"invalid configuration parameter name {MASK} [42602]",
            id="value-for-a-setting",
        ),
        pytest.param(
            "select name::pg_temp.short from pg_temp.people",
            'value for domain short violates check constraint "is_short" [23514]',
            id="constraint",
        ),
        pytest.param(
            'select "e_mail" from pg_temp.people',
            'column "e_mail" does not exist [42703]',
            id="column-stays",
        ),
        pytest.param(
            "select pg_temp.misread()",
            'column "no_such" does not exist [42703]',
            id="column-in-a-function-stays",
        ),
        pytest.param(
            "select * from no_such_table",
            'relation "no_such_table" does not exist [42P01]',
            id="table-stays",
        ),
        pytest.param(
            "select no_such_function(1)",
            "function no_such_function(integer) does not exist [42883]",
            id="function-stays",
        ),
        pytest.param(
            "select 1 form pg_class", 'syntax error at or near "pg_class" [42601]', id="own-syntax"
        ),
        pytest.param(
            'select "ann@example.com" from pg_class',
            f'column "{MASK}" does not exist [42703]',
            id="address-for-a-name",
        ),
    ],
)
def test_a_gates_error_names_the_schema_and_no_person(people, query, shown):
    with pytest.raises(psycopg.Error) as caught:
        people.execute(query.encode(), prepare=False)
    words = gate_words(caught.value, "", "", 0)
    assert words == shown
    for value in ("ann@", "Ann", "Ox", "O'Hara", "170", "1234567"):
        assert value not in words


def test_a_plan_shows_no_value_of_a_row(people):
    query = """explain select from pg_temp.people
        where name = pg_temp.first_name() or length(email) = pg_temp.first_number()
        or phone = e'two\\nlines ''(cost=1.0..2.0 rows=3 width=4)'"""
    plan = "\n".join(line for (line,) in people.execute(query.encode()))
    assert "Ann" in plan
    assert "491701234567" in plan
    shown = masked_plan(plan)
    assert shown.partition("\n")[0] == plan.partition("\n")[0]
    assert not re.search("Ann|Ox|O'Hara|ann@|49170|lines|rows=3", shown)
    assert f"name = '{MASK}'::text" in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("Seq Scan on t1 a_2  (cost=0.00..1.50 rows=2 width=4)", None, id="estimate"),
        pytest.param("InitPlan 1 (returns $0)", None, id="sub-plan"),
        pytest.param('Filter: ("o\'4 2" IS NULL)', None, id="name-in-quotes"),
        pytest.param("Index Cond: (a = 42)", f"Index Cond: (a = {MASK})", id="number"),
        pytest.param("Filter: (a > 1.5e+20)", f"Filter: (a > {MASK})", id="large-number"),
        pytest.param("Filter: (a = 'Ann''s", f"Filter: (a = '{MASK}'", id="cut"),
    ],
)
def test_a_plan_keeps_its_shape_and_estimates(line, shown):
    assert masked_plan(line) == (shown or line)


def test_a_missing_grant_still_names_the_table(people):
    with people.transaction(force_rollback=True):
        people.execute("create table kept_secret ()")
        # One of the server's own: tests that compare all roles would see a new one come and go.
        people.execute("set local role pg_signal_backend")
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            people.execute("select from kept_secret")
    assert gate_words(caught.value, "", "", 0) == (
        "permission denied for table kept_secret [42501]"
    )


def test_a_gates_error_is_placed_in_its_file(people):
    query = "select 1,\n    no_such\nfrom pg_class"
    with pytest.raises(psycopg.Error) as caught:
        people.execute(query.encode())
    assert gate_words(caught.value, query, "gates/01.sql", 9) == (
        'column "no_such" does not exist [42703] at gates/01.sql:10'
    )


def test_an_error_of_the_driver_is_stripped_of_its_value(people):
    with pytest.raises(psycopg.DataError) as caught:
        people.execute("select '20000-01-01'::date").fetchone()
    assert "20000" not in gate_words(caught.value, "", "", 0)
