"""A rollback that is not what it should be is named with batch, file and line."""

import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.rehearsal.application import second_run
from batchgate.rehearsal.roundtrip import (
    applies_again,
    harmless_a_second_time,
    harmless_where_absent,
    restores_schema,
)

BASE = """\
-- Orders stand.

create schema app;
create table app.orders (
    id int primary key,
    state text default 'new',
    amount numeric
);
create table app."Line Items" (id int primary key, order_id int references app.orders);
create view app.open_orders as select id from app.orders where state = 'new';
create function app.total() returns numeric language sql stable
as 'select sum(amount) from app.orders';
create trigger spare before update on app.orders
    for each row execute function suppress_redundant_updates_trigger();
grant select on app.orders to public;
comment on table app.orders is 'All orders';
create table app.parted (k int) partition by list (k);
create table app.part (k int);
create type app.mood as enum ('glad');
create view app.seen as select 1 as one;
create view app.swept as select 1 as one;
"""
EARLIER = """\
-- Amounts are found, and orders are fresh.

create index orders_amount on app.orders (amount);
create index orders_state on app.orders (state);
alter table app.orders alter state set default 'fresh';
"""
WRONG = (
    """\
begin;
alter table app.orders add column x int;
create index if not exists orders_amount on app.orders (amount);
create or replace function app.total() returns numeric language sql stable
as 'select 1.0';
grant insert on app.orders to public;
comment on column app."Line Items".id is 'Its number';
create sequence app.numbers;
do $$
begin
    create type app.kind as enum ('a');
end $$;
alter table app.orders disable trigger spare;
create schema extra;
alter table app.orders alter state set default 'older';
alter table app."Line Items" alter order_id set default 1;
commit;
""",
    """\
drop index if exists app.orders_amount;
alter table app.orders drop column x;
create or replace function app.total() returns numeric language sql
as 'select sum(amount) from app.orders';
alter table app.orders enable always trigger spare;
alter table app."Line Items" alter order_id set default 2;
drop view app.open_orders;
""",
)
WANDERING = (
    """\
set search_path = extra, app;
create table orders (id int);
create function app.one(orders) returns int language sql as 'select 1';
alter table app."Line Items" rename to lines;
alter table app.parted attach partition app.part for values in (1);
""",
    """\
set search_path = extra;
drop table orders cascade;
set search_path = app;
drop index orders_state;
alter table lines rename to items;
select format('drop view app.%I', name) from (values ('swept')) as n (name) \\gexec
\\ir words.sql
""",
)
BATCHES = {
    "03_do_wrong": WRONG,
    "04_wander": WANDERING,
    "05_forget_where_it_was": (
        "begin;\ncreate temporary table old as select 1 as one;\ncreate table app.now ();\ncommit;",
        "drop table old;\ndrop table app.now;",
    ),
    "06_add_check": ("alter table app.orders add check (amount > 0);", "select 1;"),
    "07_sweep_on": (
        "create table app.swept_on (id int);",
        "drop table if exists app.swept_on;\n"
        "do $$\nbegin\n    if to_regclass('app.noted') is null then\n"
        "        create table app.noted ();\n    else\n        drop type app.mood;\n"
        "    end if;\nend $$;",
    ),
    "08_add_row_each_time": (
        "alter table app.orders add column if not exists y int;\n\n"
        "insert into app.orders (id) select coalesce(max(id), 0) + 1 from app.orders;",
        "delete from app.orders where id > 2;\nalter table app.orders drop column y;",
    ),
    "09_tidy": (
        "set search_path = app;\nset statement_timeout = '1min';\n"
        "create temporary table left_over as select 1 as one;\n"
        "alter table app.orders drop column amount;\n"
        "alter type app.mood add value 'sad';\n"
        "create function app.two() returns int language sql as 'select 2';\n",
        "drop function app.two();\nalter table app.orders add column amount numeric;\n"
        "create temporary table left_over as select 1 as one;\n"
        "alter table app.orders add check (amount > 0);\n"
        "create index orders_amount on app.orders (amount);\n"
        "create or replace function app.total() returns numeric language sql stable\n"
        "as 'select  1.0 -- one';",
    ),
}
FILES = {
    "sql/01_add_orders/migration.sql": BASE,
    "sql/01_add_orders/rollback.sql": "drop schema app cascade;",
    "sql/02_add_indexes/migration.sql": EARLIER,
    "sql/02_add_indexes/rollback.sql": "drop index app.orders_amount, app.orders_state;",
    "sql/04_wander/words.sql": "select 1;\n\ndrop view app.seen;",
    "sample/01.sql": "insert into app.orders (id) values (1), (2);",
}
for name, (there, back) in BATCHES.items():
    FILES |= {f"sql/{name}/migration.sql": there, f"sql/{name}/rollback.sql": back}


@pytest.fixture(scope="module")
def heights(batchgate_server, tmp_path_factory):
    with heights_of(batchgate_server, tmp_path_factory.mktemp("suite"), FILES) as given:
        yield given


def failed(heights, check, name):
    """Return the message of a check that has to fail."""
    with pytest.raises(BatchFailed) as caught:
        check(heights, heights.suite.batch(name))
    return caught.value.message


@pytest.fixture(scope="module")
def wrong(heights):
    """Return what is said of the batch that does much wrong."""
    return failed(heights, restores_schema, "03_do_wrong")


@pytest.fixture(scope="module")
def wandering(heights):
    """Return what is said of the batch that goes by other ways."""
    return failed(heights, restores_schema, "04_wander")


def test_a_schema_that_is_not_restored_is_named_with_the_first_line(wrong):
    expected = "batch 03_do_wrong: expected rollback to restore the schema, found 11 differences"
    assert wrong.headline == expected
    assert wrong.at == "sql/03_do_wrong/migration.sql:14"


WRONGS = [
    pytest.param(
        "destroyed: index app.orders_amount (made by 02_add_indexes, sql/02_add_indexes/"
        "migration.sql:3) by sql/03_do_wrong/rollback.sql:1",
        id="drops-the-index-of-an-earlier-batch",
    ),
    pytest.param(
        "changed: routine app.total(), volatility: * (made by 01_add_orders, "
        "sql/01_add_orders/migration.sql:11) by sql/03_do_wrong/rollback.sql:3",
        id="brings-a-function-back-with-another-volatility",
    ),
    pytest.param(
        "changed: relation app.orders, acl: * (made by 01_add_orders, *) by "
        "sql/03_do_wrong/migration.sql:6; the rollback does not restore it",
        id="forgets-a-grant",
    ),
    pytest.param(
        'left behind: comment *app."Line Items".id (made by 03_do_wrong, '
        "sql/03_do_wrong/migration.sql:7)",
        id="forgets-a-comment",
    ),
    pytest.param(
        "left behind: relation app.numbers*(made by 03_do_wrong, *migration.sql:8)",
        id="forgets-a-sequence",
    ),
    pytest.param(
        "left behind: type app.kind (made by 03_do_wrong, *migration.sql:9)",
        id="forgets-an-enum-made-in-a-block",
    ),
    pytest.param(
        "changed: trigger spare on app.orders, enabled: * by *rollback.sql:5",
        id="enables-a-trigger-otherwise",
    ),
    pytest.param(
        "destroyed: relation app.open_orders (with 1 column) (made by 01_add_orders, "
        "sql/01_add_orders/migration.sql:10) by *rollback.sql:7",
        id="drops-a-view-of-an-earlier-batch",
    ),
    pytest.param(
        "left behind: schema extra (made by 03_do_wrong, *migration.sql:14)",
        id="leaves-a-schema",
    ),
    pytest.param(
        "changed: column app.orders.state, default: 'fresh'::text → 'older'::text (made by "
        "01_add_orders, *; set by 02_add_indexes, sql/02_add_indexes/migration.sql:5) by "
        "*migration.sql:15; the rollback does not restore it",
        id="forgets-a-default-that-an-earlier-batch-set",
    ),
    pytest.param(
        'changed: column app."Line Items".order_id, default: none → 2 * by *rollback.sql:6',
        id="sets-a-default-that-was-not",
    ),
]


@pytest.mark.parametrize("row", WRONGS)
def test_what_is_wrong_is_named_with_its_maker_and_its_line(wrong, matches, row):
    assert matches(row, wrong.rows), wrong.rows


WAYS = [
    pytest.param(
        "destroyed: index app.orders_state (made by 02_add_indexes, *) by *rollback.sql:4",
        id="by-a-search-path",
    ),
    pytest.param(
        'destroyed: relation app."Line Items" * by sql/04_wander/migration.sql:4; the rollback '
        "does not bring it back",
        id="by-a-rename",
    ),
    pytest.param("left behind: relation app.items * by *", id="by-a-name"),
    pytest.param("*inheritance app.part *migration.sql:5)", id="by-a-partition"),
    pytest.param("destroyed: relation app.swept * by *rollback.sql:6", id="by-gexec"),
    pytest.param("destroyed: relation app.seen * by sql/04_wander/words.sql:3", id="by-a-file"),
]


@pytest.mark.parametrize("row", WAYS)
def test_what_is_wrong_is_named_whatever_way_it_came(wandering, matches, row):
    assert matches(row, wandering.rows), wandering.rows


def test_a_rollback_that_needs_the_session_of_its_migration_fails(heights):
    message = failed(heights, restores_schema, "05_forget_where_it_was")
    assert message.at == "sql/05_forget_where_it_was/rollback.sql:1"
    assert message.cause == 'table "old" does not exist [42P01]'


def test_what_applies_again_otherwise_is_named_with_its_line(heights, matches):
    message = failed(heights, applies_again, "06_add_check")
    assert message.at == "sql/06_add_check/migration.sql:1"
    assert matches("left behind: constraint orders_amount_check1 *", message.rows)


def test_a_second_rollback_that_harms_is_named_with_its_line(heights, matches):
    message = failed(heights, harmless_a_second_time, "07_sweep_on")
    assert message.at == "sql/07_sweep_on/rollback.sql:2"
    assert matches("destroyed: type app.mood (made by 01_add_orders, *", message.rows)


def test_a_rollback_that_harms_where_the_batch_never_ran_is_named_with_its_line(heights, matches):
    message = failed(heights, harmless_where_absent, "07_sweep_on")
    assert message.at == "sql/07_sweep_on/rollback.sql:2"
    assert matches("left behind: relation app.noted *", message.rows)


def test_a_second_run_that_adds_a_row_is_named_with_its_line_and_key(heights, matches):
    message = failed(heights, second_run, "08_add_row_each_time")
    assert message.at == "sql/08_add_row_each_time/migration.sql:3"
    assert matches('changed: table app.orders: * rows → * rows (*"id": 4*', message.rows)


def test_what_is_of_no_consequence_is_a_note_that_says_its_class(heights, matches):
    """So are temporary tables and settings that a migration leaves in its session."""
    batch = heights.suite.batch("09_tidy")
    notes = restores_schema(heights, batch).notes
    assert matches("changed: column order app.orders, *", notes)
    assert matches("changed: type app.mood, labels: * (labels of an enum *)", notes)
    assert matches("changed: routine app.total(), body: * (white space *)", notes)


def test_a_second_rollback_that_is_refused_is_a_note(heights):
    evidence = harmless_a_second_time(heights, heights.suite.batch("09_tidy"))
    assert evidence.notes == ("refused: function app.two() does not exist",)
