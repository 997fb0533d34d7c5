"""The chain of batches comes down from its top, and up again, as it once went up."""

import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.rehearsal.chain import chain_down_and_up
from batchgate.rehearsal.checks import checks_of

BASE = (
    "-- Base.\n-- irreversible: It is the base.\n\ncreate table base (id int primary key, a int);"
)
SOUND = {
    "sql/01_base/migration.sql": BASE,
    "sql/02_orders/migration.sql": "create table orders (id int primary key);",
    "sql/02_orders/rollback.sql": "drop table orders;",
    "sql/03_check/validation.sql": "select 1;",
    "sql/04_index/migration.sql": "create index base_a on base (a);\nupdate base set a = 2;",
    "sql/04_index/rollback.sql": "drop index base_a;\nupdate base set a = 1;",
    "sql/05_view/migration.sql": "create view seen as select id from orders;",
    "sql/05_view/rollback.sql": "drop view seen;",
    "sample/01.sql": "insert into base values (1, 1);",
}
TOP = "05_view"


def prove(server, root, changes, top=TOP):
    """Go the chain of a sound suite with some changes."""
    files = {path: text for path, text in {**SOUND, **changes}.items() if text is not None}
    with heights_of(server, root, files) as heights:
        return chain_down_and_up(heights, heights.suite.batch(top))


def failed(server, root, changes, top=TOP):
    """Return the message of a chain that is not as it was."""
    with pytest.raises(BatchFailed) as caught:
        prove(server, root, changes, top)
    return caught.value.message


def test_a_sound_chain_says_how_far_it_went(batchgate_server, tmp_path):
    evidence = prove(batchgate_server, tmp_path, {})
    assert evidence.notes == (
        "3 batches down to 01_base and up again",
        "not further down: 01_base is irreversible",
    )
    assert evidence.unexercised == ()


@pytest.fixture(scope="module")
def unlike(batchgate_server, tmp_path_factory):
    """Return what is said of a chain that is not as it was in many ways."""
    changes = {
        "sql/02_orders/migration.sql": "create table orders (id int primary key);\n"
        "create index orders_by_id on orders (id);",
        "sql/04_index/migration.sql": "create index base_a on base (a);\nupdate base set a = 2;\n"
        "alter table base alter a set default 5;",
        "sql/04_index/rollback.sql": "update base set a = 3;\n"
        "alter table base alter a set default 6;",
        "sql/05_view/rollback.sql": "drop view seen;\n\ndrop index orders_by_id;",
    }
    return failed(batchgate_server, tmp_path_factory.mktemp("suite"), changes)


def test_a_chain_that_is_not_as_it_was_names_its_first_batch_and_line(unlike):
    assert unlike.headline == (
        "batch 05_view: expected each height to stand on the way down and up again as at first, "
        "found 4 differences"
    )
    assert unlike.at == "sql/05_view/rollback.sql:3"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            "down to 04_index: destroyed: index public.orders_by_id (made by 02_orders, "
            "sql/02_orders/migration.sql:2) by sql/05_view/rollback.sql:3",
            id="destroyed",
        ),
        pytest.param(
            "down to 02_orders: left behind: index public.base_a "
            "(made by 04_index, sql/04_index/migration.sql:1)",
            id="left-behind",
        ),
        pytest.param(
            "down to 02_orders: changed: column public.base.a, default: none → 6 "
            "(made by 01_base, sql/01_base/migration.sql:4) by sql/04_index/rollback.sql:2",
            id="changed",
        ),
        pytest.param(
            "down to 02_orders: changed: table public.base: 1 row → 1 row, with other contents "
            '(changed: public.base {"id": 1}: a) by sql/04_index/rollback.sql:1',
            id="rows",
        ),
        pytest.param(
            'stopped at sql/04_index/migration.sql:1: relation "base_a" already exists',
            id="where-it-stopped",
        ),
    ],
)
def test_what_is_unlike_is_named_with_height_batch_and_line(unlike, matches, row):
    assert matches(row, unlike.rows), unlike.rows


def test_what_only_the_chain_sees_is_seen(batchgate_server, tmp_path, matches):
    """Alone, the first rollback restores all; once a later batch has drawn a number it does not."""
    changes = {
        "sql/02_orders/migration.sql": "create table orders (id int);\ncreate sequence numbers;",
        "sql/02_orders/rollback.sql": "drop table orders;\ndo $$ begin\n"
        "    if (select is_called from numbers) then\n"
        "        alter sequence numbers rename to kept;\n"
        "    else\n        drop sequence numbers;\n    end if;\nend $$;",
        "sql/04_index/migration.sql": "insert into orders select nextval('numbers');",
        "sql/04_index/rollback.sql": "delete from orders;",
    }
    message = failed(batchgate_server, tmp_path, changes)
    assert message.at == "sql/02_orders/rollback.sql:2"
    assert matches("down to 01_base: left behind: relation public.kept *", message.rows)


def test_a_label_that_stays_on_the_way_down_is_a_note(batchgate_server, tmp_path, matches):
    changes = {
        "sql/02_orders/migration.sql": "create type mood as enum ('glad');",
        "sql/02_orders/rollback.sql": "drop type mood;",
        "sql/04_index/migration.sql": "alter type mood add value 'sad';",
        "sql/04_index/rollback.sql": "select 'A label cannot be dropped.';",
        "sql/05_view/migration.sql": "create view seen as select 1 as one;",
    }
    evidence = prove(batchgate_server, tmp_path, changes)
    assert matches("changed: type public.mood, labels: *cannot be dropped)", evidence.notes)


def test_a_rollback_that_fails_on_the_way_down_is_named(batchgate_server, tmp_path):
    changes = {"sql/04_index/rollback.sql": "select 1;\ndrop index gone;"}
    message = failed(batchgate_server, tmp_path, changes)
    assert message.headline == (
        "batch 04_index: expected rollback to succeed on the way down, statement 2 of 2 failed"
    )
    assert message.at == "sql/04_index/rollback.sql:2"


def test_a_migration_that_fails_on_the_way_up_again_is_named(batchgate_server, tmp_path):
    changes = {
        "sql/01_base/migration.sql": f"{BASE}\ncreate sequence times;",
        "sql/05_view/migration.sql": "do $$ begin\n    if nextval('times') > 1 then\n"
        "        raise 'only once';\n    end if;\nend $$;\n"
        "create view seen as select id from orders;",
    }
    message = failed(batchgate_server, tmp_path, changes)
    assert message.headline == (
        "batch 05_view: expected migration to succeed on the way up again, statement 1 of 2 failed"
    )
    assert message.at == "sql/05_view/migration.sql:3"


def test_a_batch_that_comes_up_otherwise_is_named_at_its_own_height(
    batchgate_server, tmp_path, matches
):
    changes = {
        "sql/01_base/migration.sql": f"{BASE}\ncreate sequence times;",
        "sql/04_index/migration.sql": "select 1;\ndo $$ begin\n    if nextval('times') > 1 then\n"
        "        create table twice ();\n    end if;\nend $$;",
        "sql/04_index/rollback.sql": "drop table if exists twice;",
    }
    message = failed(batchgate_server, tmp_path, changes)
    assert message.headline.startswith("batch 04_index: expected each height to stand")
    assert message.at == "sql/04_index/migration.sql:2"
    assert matches("up again to 04_index: left behind: relation public.twice *", message.rows)


def test_without_a_floor_the_chain_comes_down_to_an_empty_database(batchgate_server, tmp_path):
    changes = {
        "sql/01_base/migration.sql": BASE.partition("\n\n")[2],
        "sql/01_base/rollback.sql": "drop table base;",
        "sample/01.sql": None,
        "sample/02.sql": "insert into base values (1, 1);",
    }
    evidence = prove(batchgate_server, tmp_path, changes)
    assert evidence.notes == (
        "4 batches down to an empty database and up again",
        "rows compared down to 02_orders, where a sample was loaded; below it the schema alone",
    )


def test_a_batch_that_needs_the_rows_of_a_later_sample_has_them(batchgate_server, tmp_path):
    changes = {
        "sample/04.sql": "insert into base values (9, 9);",
        "sql/05_view/migration.sql": "do $$ begin\n"
        "    if not exists (select from base where id = 9) then raise 'needs a row'; end if;\n"
        "end $$;\ncreate view seen as select 1 as one;",
    }
    evidence = prove(batchgate_server, tmp_path, changes)
    assert "rows compared down to 04_index" in evidence.notes[2]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ["05_view"], id="the-last"),
        pytest.param({"sql/06_check/validation.sql": "select 1;"}, ["05_view"], id="below-a-check"),
        pytest.param(
            {"sql/06_end/migration.sql": "-- End.\n-- irreversible: It is.\n\nselect 1;"},
            [],
            id="below-an-irreversible-one",
        ),
    ],
)
def test_it_is_an_item_of_the_topmost_rollback(batchgate_server, tmp_path, changes, expected):
    with heights_of(batchgate_server, tmp_path, {**SOUND, **changes}) as heights:
        owing = [
            batch.name
            for batch in heights.suite.batches
            if "chain-down-and-up" in checks_of(batch, heights.suite).get("rollback.sql", {})
        ]
    assert owing == expected


def test_the_item_is_red_where_the_chain_is_not_as_it_was(project):
    files = {"sql/02_index_orders/rollback.sql": "select 1;"}
    node = "sql/02_index_orders/rollback.sql::chain-down-and-up"
    project({}, node).assert_outcomes(passed=1)
    result = project(files, "-m", "rollback", node)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*left behind: index public.orders_currency (made by 02_index_orders, *migration.sql:5)"]
    )


def test_what_a_file_sets_for_new_sessions_holds_for_the_next_file(batchgate_server, tmp_path):
    in_this_database = (
        "do $$ begin\n    execute format('alter database %I {}', current_database());\nend $$;\n"
    )
    changes = {
        "sql/04_index/migration.sql": in_this_database.format("set shop.word = ''new''"),
        "sql/04_index/rollback.sql": in_this_database.format("reset shop.word"),
        "sql/05_view/migration.sql": "create view seen as select 1 as one;\n"
        "do $$ begin\n    if current_setting('shop.word') <> 'new' then raise 'old'; end if;\n"
        "end $$;",
    }
    assert prove(batchgate_server, tmp_path, changes).notes[0].startswith("3 batches down")
