"""What comes or goes with its whole is no news of its own, and no secret is told."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from batchgate.catalog import take_snapshot
from batchgate.differences import Difference, Kind, Snapshot, collapse, compare
from batchgate.particulars import Change
from batchgate.wholes import wholes_of

BASE = """
create schema depot;
create type depot.state as enum ('new');
create table depot."Bin" (id integer unique, "Label" text);
create function depot.touch() returns trigger language plpgsql as 'begin return new; end';
"""


@pytest.fixture(scope="module")
def session(batchgate_server: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(batchgate_server.conninfo("postgres")) as connection:
        connection.execute(BASE)
        yield connection
        connection.rollback()


def told(session: psycopg.Connection, statements: str) -> list[str]:
    """Return the collapsed lines of what the statements leave behind; they are undone."""
    with session.transaction(force_rollback=True):
        before = take_snapshot(session)
        session.execute(statements.encode())
        return [str(each) for each in collapse(compare(before, take_snapshot(session)))]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(
            'create table depot."Box" (id integer, note text, check (id > 0), unique (note));'
            ' create index on depot."Box" (note, id); comment on table depot."Box" is \'x\';'
            ' comment on column depot."Box".note is \'x\'; create policy mine on depot."Box";'
            ' create sequence depot.box_id owned by depot."Box".id;'
            ' create trigger touch before update on depot."Box" for each row'
            " execute function depot.touch()",
            [
                'left behind: relation depot."Box" (with 2 columns, 2 constraints, 2 comments,'
                " 2 indexes, 1 policy, 1 sequence, 1 trigger)"
            ],
            id="a table",
        ),
        pytest.param(
            'drop table depot."Bin"',
            ['destroyed: relation depot."Bin" (with 2 columns, 1 constraint, 1 index)'],
            id="a table that is gone",
        ),
        pytest.param(
            'alter table depot."Bin" add "Of" integer check ("Of" > 0) references depot."Bin" (id)'
            ' unique; create index on depot."Bin" (lower("Label"), "Of")',
            ['left behind: column depot."Bin"."Of" (with 3 constraints, 2 indexes, 4 triggers)'],
            id="a column",
        ),
        pytest.param(
            'alter table depot."Bin" add constraint named unique ("Label")',
            ['left behind: constraint named on depot."Bin" (with 1 index)'],
            id="a constraint",
        ),
        pytest.param(
            "create domain depot.code as text check (value <> ''); create schema attic;"
            " create view attic.bins as select 1 as one; create type attic.pair as (a integer);"
            " comment on column attic.pair.a is 'x'; create function attic.f(jsonb) returns"
            " integer language sql return 1; comment on function attic.f(jsonb) is 'x'",
            [
                "left behind: schema attic (with 2 columns, 1 routine, 1 type, 2 comments, 1 view)",
                "left behind: type depot.code (with 1 constraint)",
            ],
            id="a schema beside another",
        ),
        pytest.param(
            "create foreign data wrapper far; create server away foreign data wrapper far;"
            " create user mapping for public server away",
            [
                "left behind: foreign data wrapper far",
                "left behind: foreign server away (with 1 user mapping)",
            ],
            id="a server",
        ),
        pytest.param(
            'alter table depot."Bin" alter "Label" set default \'x\'',
            ['changed: column depot."Bin"."Label", default: none → \'x\'::text'],
            id="what is only changed",
        ),
    ],
)
def test_parts_are_counted_with_their_whole(
    session: psycopg.Connection, statements: str, expected: list[str]
) -> None:
    assert told(session, statements) == expected


def test_every_part_can_still_be_had(session: psycopg.Connection) -> None:
    after = take_snapshot(session)
    differences = compare(Snapshot({}), after)
    roots = collapse(differences)
    parts = [part for root in roots for part in root.parts]
    assert len(roots) + len(parts) == len(differences)
    assert set(differences) == {*roots, *parts}
    assert all(part.key in after.facts for part in parts)


def test_a_part_whose_whole_differs_otherwise_stands_for_itself() -> None:
    facts = {("relation", "a.b"): {"kind": "table"}, ("column", "a.b.c"): {}}
    was, stands = Snapshot({}), Snapshot(facts)
    came = compare(was, stands)
    went = [Difference(Kind.DESTROYED, *key, wholes=wholes_of(facts, key)) for key in facts]
    found = collapse([*came[:1], went[1]])
    assert [str(each) for each in found] == [
        "left behind: relation a.b",
        "destroyed: column a.b.c",
    ]


def test_a_difference_can_be_kept_in_a_set() -> None:
    was = Snapshot({("relation", "a.b"): {"acl": ["x=r/y"]}})
    stands = Snapshot({("relation", "a.b"): {"acl": []}})
    assert len({*compare(was, stands), *compare(was, stands)}) == 1
    assert compare(was, stands)[0].key == ("relation", "a.b")


def test_secrets_are_not_told_even_as_a_hash() -> None:
    snapshots = [
        Snapshot({("role password", "me"): {"password hash": value}})
        for value in (None, "1a2b", "3c4d")
    ]
    lines = [
        str(compare(snapshots[was], snapshots[stands])[0])
        for was, stands in ((0, 1), (1, 2), (2, 0))
    ]
    assert lines == [
        "changed: role password me, password hash: none → set",
        "changed: role password me, password hash: set → set otherwise",
        "changed: role password me, password hash: set → none",
    ]


def test_columns_that_come_are_no_other_order() -> None:
    def order(*columns: str) -> Snapshot:
        return Snapshot({("column order", "a.b"): {"columns": [*columns], "dropped slots": 0}})

    assert compare(order("a", "b"), order("a", "b", "c")) == []
    assert [each.attribute for each in compare(order("a", "b"), order("b", "c", "a"))] == [
        "columns"
    ]


def changed(before: Any, after: Any, attribute: str = "body") -> Difference:
    """Return the difference of a routine that has one attribute."""
    was, stands = (
        Snapshot({("routine", "a.f()"): {attribute: value, "language": "c"}})
        for value in (before, after)
    )
    (difference,) = compare(was, stands)
    return difference


def test_a_difference_becomes_plain_values() -> None:
    change = changed(["a", None], {"b": True}, "settings").change("sql/02/rollback.sql:3")
    assert change == Change(
        kind="changed",
        sort="routine",
        name="a.f()",
        attribute="settings",
        before="{a, none}",
        after="{b: true}",
        at="sql/02/rollback.sql:3",
    )


def test_a_whole_becomes_plain_values_with_its_parts_counted() -> None:
    facts = {("relation", "a.b"): {"kind": "table"}, ("column", "a.b.c"): {"type": "integer"}}
    (whole,) = collapse(compare(Snapshot({}), Snapshot(facts)))
    assert whole.change() == Change(
        kind="left behind", sort="relation", name="a.b", parts="with 1 column"
    )


def test_long_values_are_cut_to_where_they_begin_to_differ() -> None:
    change = changed("x" * 500 + "before" + "y" * 500, "x" * 500 + "after").change()
    assert change.before.startswith("…xxx")
    assert "xbeforey" in change.before
    assert change.before.endswith("y…")
    assert change.after.endswith("xafter")
    assert len(change.before) == 160
    short = changed("x" * 160, "y").change()
    assert (short.before, short.after) == ("x" * 160, "y")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param("one", "two\n\tthree", "two three", id="lines"),
        pytest.param("one", "a\u202eb\x1b[1m", "a\\u202eb\\x1b[1m", id="unseen"),
        pytest.param(
            "x" * 300,
            "x" * 300 + " postgresql://me:tops3cret@host/" + "y" * 300,
            "*x postgresql://me:••••@host/y*",
            id="a-password-in-a-long-value",
        ),
        pytest.param(
            "x" * 300 + " postgresql://me:tops3cretA@host/",
            "x" * 300 + " postgresql://me:tops3cretB@host/z",
            "*postgresql://me:••••@host/z",
            id="a-password-where-two-values-begin-to-differ",
        ),
    ],
)
def test_values_are_shown_on_a_line_with_nothing_unseen_and_no_password(
    matches: Any, before: str, after: str, shown: str
) -> None:
    difference = changed(before, after)
    assert matches(shown, [difference.change().after])
    assert "tops3cret" not in str(difference)


def test_a_name_is_shown_on_a_line_and_cut() -> None:
    name = "a\nb\u202e" + "c" * 300
    difference = Difference(Kind.LEFT_BEHIND, "relation", name)
    shown = difference.change().name
    assert shown.startswith("a b\\u202ecc")
    assert len(shown) == 160
