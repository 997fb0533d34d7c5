"""What a batch changes, and what its rollback leaves or destroys, is told as values."""

from contextlib import ExitStack
from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

import pytest
from heights import heights_of

from batchgate.differences import Snapshot, collapse, compare
from batchgate.errors import BatchFailed, Message
from batchgate.heights import Heights
from batchgate.particulars import Change, Particulars
from batchgate.rehearsal.application import applies, second_run
from batchgate.rehearsal.chain import chain_down_and_up
from batchgate.rehearsal.data.later import keeps_later_rows
from batchgate.rehearsal.data.rows import restores_data
from batchgate.rehearsal.evidence import Prove
from batchgate.rehearsal.failures.proof import migration_fails_cleanly
from batchgate.rehearsal.order import harmless_out_of_order
from batchgate.rehearsal.roundtrip import (
    applies_again,
    harmless_a_second_time,
    harmless_where_absent,
    restores_schema,
)
from batchgate.rehearsal.routes.proof import ends_as_migration
from batchgate.rehearsal.validation.proof import leaves_no_trace
from batchgate.schematext import schema_diff

BASE = """\
-- The base stands.
-- irreversible: It is the base.

create schema app;
create table app.orders (id int, state text default 'new', note text);
create unique index orders_id on app.orders (id);
create table app.people (email text primary key, name text);
create table app.log (words text);
create table app.parted (k int) partition by list (k);
create table app.part partition of app.parted for values in (1, 2);
create view app.seen as select 1 as one;
create sequence app.numbers;
create type app.mood as enum ('glad');
"""
ROWS = """\
insert into app.orders select n, 'new', 'n' from generate_series(1, 4) as n;
insert into app.people values ('ann@example.org', 'Ann'), ('bob@example.org', 'Bob');
insert into app.log values ('a'), ('a');
"""
SOUND = (
    """\
create table app.lines (order_id int, words text);
insert into app.lines select id, 'x' from app.orders;
drop view app.seen;
alter table app.orders alter state set default 'fresh';
update app.orders set note = 'm' where id < 4;
delete from app.log;
insert into app.parted values (1), (2);
alter type app.mood add value if not exists 'sad';
""",
    """\
drop table app.lines;
create view app.seen as select 1 as one;
alter table app.orders alter state set default 'new';
update app.orders set note = 'n';
insert into app.log values ('a'), ('a');
delete from app.parted;
""",
)
BATCHES = {
    "sound": SOUND,
    "leave": (
        "create index left_over on app.orders (note);\n"
        "alter table app.orders alter state set default 'old';\n"
        "alter type app.mood add value if not exists 'mad';",
        "drop view app.seen;",
    ),
    "lose_rows": (
        "update app.people set name = 'Zoe' where name = 'Ann';\n"
        "delete from app.people where name = 'Bob';\n"
        "insert into app.log values ('b');\n"
        "select nextval('app.numbers');",
        "select 1;",
    ),
    "twice": (
        "insert into app.orders select max(id) + 1 from app.orders;",
        "delete from app.orders where id > 4;",
    ),
    "fail": ("select 1;\nselect 1 / 0;", "select 1;"),
    "no_way_back": ("create table app.here ();", "drop table app.here, app.there;"),
    "otherwise": (
        "do $$ begin\n    if to_regclass('app.was') is null then create table app.one ();\n"
        "    else create table app.two (); end if;\nend $$;",
        "drop table app.one;\ncreate table app.was ();",
    ),
    "later": (
        "alter table app.people add column phone text;",
        "alter table app.people drop column phone;\ndelete from app.people where name <> 'Bob';",
    ),
    "drop": ("create table app.kept ();", "drop table if exists app.kept;\ndrop view app.seen;"),
    "halves": (
        "create table app.half ();\nselect nextval('app.numbers');\ncreate table app.whole ();",
        "drop table app.half, app.whole;",
    ),
}
FILES = {"sample/01.sql": ROWS, "sql/01_base/migration.sql": BASE}


class Outcome(NamedTuple):
    """What a check said and saw, whether it failed or not."""

    seen: Particulars
    message: Message | None
    notes: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def prove(batchgate_server, tmp_path_factory):
    """Let one of these batches, alone above the base, prove something.

    What stands on what another has damaged tells nothing.
    """
    with ExitStack() as stack:

        @cache
        def suite(name: str, changes: tuple[tuple[str, str], ...]) -> Heights:
            there, back = BATCHES[name]
            files = {"migration.sql": there, "rollback.sql": back}
            files = {f"sql/02_{name}/{file}": text for file, text in files.items()}
            root = tmp_path_factory.mktemp("suite")
            given = heights_of(batchgate_server, root, FILES | files | dict(changes))
            return stack.enter_context(given)

        def go(check: Prove, name: str, changes: dict[str, str] | None = None) -> Outcome:
            heights = suite(name, tuple((changes or {}).items()))
            try:
                evidence = check(heights, heights.suite.batch(f"02_{name}"))
            except BatchFailed as failure:
                return Outcome(failure.particulars, failure.message)
            return Outcome(evidence.particulars, None, evidence.notes)

        yield go


def told(changes: tuple[Change, ...], **expected: str) -> Change:
    """Return the change whose values are like those expected; there is one."""
    found = [
        each
        for each in changes
        if all(fnmatchcase(asdict(each)[name], value) for name, value in expected.items())
    ]
    assert len(found) == 1, changes
    return found[0]


def test_a_migration_tells_what_it_adds_removes_and_changes(prove):
    seen, message, _ = prove(applies, "sound")
    assert message is None
    assert [(each.kind, each.sort, each.name) for each in seen.changes] == [
        ("added", "relation", "app.lines"),
        ("removed", "relation", "app.seen"),
        ("changed", "column", "app.orders.state"),
        ("changed", "type", "app.mood"),
    ]
    lines, _, state, mood = seen.changes
    assert lines.parts == "with 2 columns"
    assert (state.attribute, state.before, state.after) == (
        "default",
        "'new'::text",
        "'fresh'::text",
    )
    assert (mood.before, mood.after) == ("{glad}", "{glad, sad}")
    assert mood.note == "labels of an enum cannot be dropped"
    assert seen.left_out == ()


def test_a_migration_shows_the_lines_of_both_schemas_that_differ(prove):
    diff = prove(applies, "sound").seen.diff
    assert diff[:2] == ("--- before", "+++ after")
    head = diff.index("+column app.lines.order_id")
    assert diff[head : head + 4] == (
        "+column app.lines.order_id",
        "+    type: integer",
        "+column app.lines.words",
        "+    type: text",
    )
    head = diff.index(" column app.orders.state")
    assert diff[head : head + 4] == (
        " column app.orders.state",
        "-    default: 'new'::text",
        "+    default: 'fresh'::text",
        "     type: text",
    )
    assert "-relation app.seen" in diff


def test_a_migration_counts_the_rows_that_stood_and_those_it_wrote(prove, batchgate_server):
    seen = prove(applies, "sound").seen
    assert seen.rows == 8
    # Before, a session's counters reach the others in their own time.
    counted = int(batchgate_server.version.partition(".")[0]) >= 15
    assert dict(seen.written) == (
        {"app.lines": 4, "app.orders": 3, "app.log": 2, "app.parted": 2} if counted else {}
    )


def test_the_legs_there_and_back_are_timed(prove):
    assert [each.name for each in prove(applies, "sound").seen.legs] == ["apply"]
    legs = prove(applies_again, "sound").seen.legs
    assert [each.name for each in legs] == ["apply", "roll back", "apply again"]
    assert all(each.seconds > 0 and not each.failed for each in legs)


@pytest.mark.parametrize(
    ("check", "name", "expected"),
    [
        pytest.param(applies, "fail", [("apply", True)], id="a-migration"),
        pytest.param(
            applies_again,
            "no_way_back",
            [("apply", False), ("roll back", True)],
            id="a-rollback",
        ),
        pytest.param(
            applies_again,
            "otherwise",
            [("apply", False), ("roll back", False), ("apply again", False)],
            id="another-schema",
        ),
    ],
)
def test_what_fails_on_the_way_tells_the_legs_that_were_gone(prove, check, name, expected):
    seen, message, _ = prove(check, name)
    assert message is not None
    assert [(each.name, each.failed) for each in seen.legs] == expected


def test_what_applies_otherwise_again_is_told_beside_its_legs(prove):
    differences = prove(applies_again, "otherwise").seen.differences
    assert {(each.kind, each.name) for each in differences} == {
        ("left behind", "app.two"),
        ("left behind", "app.was"),
        ("destroyed", "app.one"),
    }


def test_a_schema_that_is_not_restored_is_told_as_values_with_their_lines(prove):
    seen, message, _ = prove(restores_schema, "leave")
    differences, folder = seen.differences, "sql/02_leave"
    assert message.headline.endswith("found 3 differences")
    index = told(differences, kind="left behind", sort="index", name="app.left_over")
    assert index.at == f"{folder}/migration.sql:1"
    view = told(differences, kind="destroyed", sort="relation", name="app.seen")
    assert (view.at, view.parts) == (f"{folder}/rollback.sql:1", "with 1 column")
    state = told(differences, kind="changed", name="app.orders.state", attribute="default")
    assert (state.before, state.after) == ("'new'::text", "'old'::text")
    assert state.at == f"{folder}/migration.sql:2"
    assert differences[-1].note == "labels of an enum cannot be dropped"
    assert len(differences) == 4


def test_what_is_of_no_consequence_is_told_where_nothing_else_is(prove):
    seen, message, notes = prove(restores_schema, "sound")
    assert message is None
    change = told(seen.differences, kind="changed", sort="type", attribute="labels")
    assert change.note in notes[0]


def test_rows_that_are_not_restored_are_told_by_key_and_column_without_a_value(prove):
    seen, message, _ = prove(restores_data, "lose_rows")
    differences, folder = seen.differences, "sql/02_lose_rows"
    assert message.headline.endswith("found 3 differences")
    changed = told(differences, kind="changed", sort="row")
    assert changed.attribute == "name"
    assert changed.name == 'app.people {"email": "••••"}'
    assert changed.at == f"{folder}/migration.sql:1"
    assert told(differences, kind="destroyed", sort="row").at == f"{folder}/migration.sql:2"
    loose = told(differences, kind="left behind", sort="rows of a table")
    assert loose.name == "1 row of app.log (no key)"
    drawn = told(differences, sort="sequence", attribute="position")
    assert (drawn.name, drawn.note) == ("app.numbers", "numbers once drawn are not given back")
    values = str([asdict(each) for each in differences])
    assert not any(value in values for value in ("ann@", "bob@", "Ann", "Zoe", "Bob"))


def test_a_second_run_that_adds_a_row_is_told_with_its_table_and_key(prove):
    (change,) = prove(second_run, "twice").seen.differences
    assert (change.kind, change.sort, change.name) == ("changed", "rows of a table", "app.orders")
    assert (change.attribute, change.before, change.after) == ("contents", "5 rows", "6 rows")
    assert change.at == "sql/02_twice/migration.sql:1"


def test_rows_written_since_that_a_rollback_takes_are_told(prove):
    differences = prove(keeps_later_rows, "later").seen.differences
    lost = [each for each in differences if each.sort == "row"]
    assert {each.kind for each in lost} == {"destroyed"}
    assert any(each.name.endswith("(written since)") for each in lost)
    assert {each.at for each in lost} == {"sql/02_later/rollback.sql:2"}


@pytest.mark.parametrize("check", [harmless_where_absent, harmless_a_second_time])
def test_what_a_rollback_harms_where_its_batch_does_not_stand_is_told(prove, check):
    back = (
        "drop table if exists app.kept;\ndo $$ begin\n    if to_regclass('app.noted') is null then"
        "\n        create table app.noted ();\n    else drop view app.seen; end if;\nend $$;"
    )
    differences = prove(check, "drop", {"sql/02_drop/rollback.sql": back}).seen.differences
    kind = "left behind" if check is harmless_where_absent else "destroyed"
    assert told(differences, kind=kind).at == "sql/02_drop/rollback.sql:2"


def test_what_a_validation_leaves_is_told(prove):
    leaving = {"sql/02_sound/validation.sql": "select 1;\ncreate table app.trace ();"}
    (change,) = prove(leaves_no_trace, "sound", leaving).seen.differences
    assert (change.kind, change.name) == ("left behind", "app.trace")
    assert change.at == "sql/02_sound/validation.sql:2"


def test_what_a_rollback_takes_of_later_batches_is_told(prove):
    above = {
        "sql/03_above/migration.sql": "-- Above.\n-- present: to_regclass('app.seen') is not null\n"
        "\ncreate or replace view app.seen as select 1 as one, 2 as two;",
        "sql/03_above/rollback.sql": "drop view app.seen;",
    }
    differences = prove(harmless_out_of_order, "drop", above).seen.differences
    assert told(differences, kind="destroyed", sort="relation").name == "app.seen"
    ended = told(differences, sort="batch")
    assert (ended.name, ended.attribute) == ("03_above", "present")
    assert (ended.before, ended.after) == ("true", "false")


def test_what_differs_in_a_chain_is_told(prove):
    seen, message, _ = prove(chain_down_and_up, "leave")
    differences = seen.differences
    assert message.headline.endswith("found 3 differences")
    assert told(differences, kind="destroyed").at == "sql/02_leave/rollback.sql:1"
    assert told(differences, note="labels*").sort == "type"


def test_what_differs_between_two_routes_is_told(prove):
    online = {"sql/02_sound/migration.online.sql": SOUND[0] + "create table app.more ();\n"}
    (change,) = prove(ends_as_migration, "sound", online).seen.differences
    assert (change.kind, change.name) == ("left behind", "app.more")
    assert change.at == "sql/02_sound/migration.online.sql:9"
    other = {"sql/02_sound/migration.online.sql": SOUND[0].replace("'m'", "'o'")}
    change = prove(ends_as_migration, "sound", other).seen.differences[0]
    assert (change.sort, change.name) == ("rows of a table", "app.orders")
    assert (change.before, change.after) == ("4 rows", "4 rows, with other contents")


def test_what_a_failure_leaves_halfway_is_told(prove):
    seen, message, _ = prove(migration_fails_cleanly, "halves")
    assert message.headline.endswith("to leave everything as it was, found 2 differences")
    assert [(each.kind, each.sort, each.name) for each in seen.differences] == [
        ("left behind", "relation", "app.half"),
        ("left behind", "rows of a table", "app.half"),
    ]


@pytest.mark.parametrize(
    ("check", "name"),
    [
        pytest.param(second_run, "halves", id="refused"),
        pytest.param(restores_data, "twice", id="restored"),
        pytest.param(harmless_where_absent, "halves", id="harmless"),
    ],
)
def test_what_is_sound_tells_of_no_difference(prove, check, name):
    seen, message, _ = prove(check, name)
    assert (seen.differences, message) == ((), None)


def test_of_very_many_differences_some_are_told_and_the_rest_counted(prove):
    many = {
        "sql/02_leave/migration.sql": "do $$ begin for n in 1..250 loop\n"
        "    execute format('create table app.t%s (id int)', n);\nend loop; end $$;",
        "sql/02_leave/rollback.sql": "select 1;",
    }
    seen, message, _ = prove(restores_schema, "leave", many)
    assert message.rows[-1] == "… and 230 more"
    assert (len(seen.differences), seen.left_out) == (200, (("differences", 50),))
    assert [bool(each.at) for each in seen.differences] == [True] * 20 + [False] * 180
    seen = prove(applies, "leave", many).seen
    assert (len(seen.changes), len(seen.diff)) == (200, 400)
    assert [name for name, _ in seen.left_out] == ["changes", "diff"]
    assert dict(seen.left_out)["changes"] == 50


@pytest.mark.parametrize(
    ("check", "name"),
    [
        pytest.param(applies, "sound", id="changes"),
        pytest.param(restores_data, "lose_rows", id="differences"),
    ],
)
def test_what_is_told_arrives_as_it_was_sent(prove, check, name):
    """Workers send no subclass of str, such as an enum's member."""
    seen = prove(check, name).seen
    assert Particulars.from_dict(seen.as_dict()) == seen
    told = [asdict(each) for each in (*seen.changes, *seen.differences)]
    texts = [text for each in told for text in each.values()]
    assert {type(text) for text in (*texts, *seen.diff)} == {str}


def test_a_schema_diff_shows_no_secret_and_nothing_unseen():
    def snapshot(password: str | None, options: list[str], name: str) -> Snapshot:
        return Snapshot(
            {
                ("role password", "me"): {"password hash": password},
                ("foreign server", "far"): {"options": options, "type": name},
            }
        )

    was = snapshot("1a2b", ["password=tops3cret", "host=here"], "a")
    stands = snapshot("3c4d", ["password=tops3cret", "host=there"], "b\u202e\nc")
    diff = schema_diff(was, stands, collapse(compare(was, stands)))
    assert diff == [
        "--- before",
        "+++ after",
        "@@ -1,5 +1,5 @@",
        " foreign server far",
        "-    options: {password=••••, host=here}",
        "-    type: a",
        "+    options: {password=••••, host=there}",
        "+    type: b\\u202e c",
        " role password me",
        "-    password hash: set",
        "+    password hash: set otherwise",
    ]


def test_a_schema_diff_of_nothing_is_empty():
    assert schema_diff(Snapshot({}), Snapshot({}), []) == []


def test_a_schema_diff_leaves_out_what_is_usual_unless_it_changed():
    def snapshot(**attributes: object) -> Snapshot:
        return Snapshot({("constraint", "c on t"): {"definition": "CHECK (a)", **attributes}})

    usual = snapshot(validated=True, local=True, deferrable=False, type="c")
    assert schema_diff(Snapshot({}), usual, compare(Snapshot({}), usual)) == [
        "--- before",
        "+++ after",
        "@@ -0,0 +1,2 @@",
        "+constraint c on t",
        "+    definition: CHECK (a)",
    ]
    other = snapshot(validated=False, local=True, deferrable=False, type="c")
    assert schema_diff(other, Snapshot({}), compare(other, Snapshot({})))[3:] == [
        "-constraint c on t",
        "-    definition: CHECK (a)",
        "-    validated: false",
    ]
    assert schema_diff(usual, other, compare(usual, other))[3:] == [
        " constraint c on t",
        "     definition: CHECK (a)",
        "-    validated: true",
        "+    validated: false",
    ]
