"""What a route does to tables while others wait is measured elsewhere and told in sizes of here."""

from contextlib import contextmanager

import pytest
from heights import heights_of
from likened import on_server

from batchgate.batches import apply_batch, run_file
from batchgate.cli.project import read_project
from batchgate.operate import weight
from batchgate.operate.weight import NotWeighed, weigh

GROUND = """\
-- Orders have lines.
-- present: to_regclass('orders') is not null

create table orders (id int primary key, note text);
create table line (id int primary key, order_id int, price int, day date);
create table log (id int, day date not null) partition by range (day);
create table log_1 (id int, day date not null);
create index line_day on line (day);
"""
SAMPLE = """\
insert into orders select n from generate_series(1, 20) as n;
insert into line select n, n, n, '2020-02-02' from generate_series(1, 20) as n;
insert into log_1 select n, '2020-02-02' from generate_series(1, 20) as n;
"""
HEADER = """\
-- The batch that is weighed.
-- requires: 01_add_orders
-- present: to_regclass('never') is not null

"""
HEAVY = {
    "another type rewrites": (
        "alter table line alter price type bigint;",
        [("alter table", "rewrites", "public.line", "ACCESS EXCLUSIVE")],
    ),
    "a volatile default rewrites": (
        "alter table line add code uuid default gen_random_uuid();",
        [("alter table", "rewrites", "public.line", "ACCESS EXCLUSIVE")],
    ),
    "a check that is validated scans": (
        "alter table line add constraint positive check (price > 0);",
        [("alter table", "scans", "public.line", "ACCESS EXCLUSIVE")],
    ),
    "not null scans": (
        "alter table line alter price set not null;",
        [("alter table", "scans", "public.line", "ACCESS EXCLUSIVE")],
    ),
    "an index scans": (
        "create index line_price on line (price);",
        [("create index", "scans", "public.line", "SHARE")],
    ),
    "a foreign key scans both": (
        "alter table line add foreign key (order_id) references orders (id);",
        [
            ("alter table", "scans", "public.line", "SHARE ROW EXCLUSIVE"),
            ("alter table", "scans", "public.orders", "SHARE ROW EXCLUSIVE"),
        ],
    ),
    "a partition that is attached is scanned": (
        "alter table log attach partition log_1 for values from ('2020-01-01') to ('2021-01-01');",
        [("alter table", "scans", "public.log_1", "ACCESS EXCLUSIVE")],
    ),
    "a table is read under the lock of another": (
        "begin; alter table orders add total int; update line set price = 0; commit;",
        [("update", "writes", "public.line", "ACCESS EXCLUSIVE")],
    ),
    "rows stay locked until the end": (
        "begin; update line set price = 1; commit;",
        [("update", "locks rows of", "public.line", "row locks")],
    ),
}
LIGHT = {
    "a column is added at once": "alter table line add note text;",
    "a constant default, too": "alter table line add kind text not null default 'x';",
    "a check that is not validated yet": "alter table line add check (price > 0) not valid;",
    "a table of its own": "create table other (id int primary key); insert into other select 1;",
    "rows are only added": "insert into orders select n + 1000 from generate_series(1, 9) as n;",
    "one row is changed": "update line set price = 1 where id = 7;",
    "what is new is no burden": "create table a as select * from line; create index on a (id);",
}
ONLINE = {
    "an index that is built beside": "create index concurrently line_price on line (price);",
    "a validation that lets others go on": "alter table line add constraint positive check"
    " (price > 0) not valid;\nalter table line validate constraint positive;",
    "statements of a chunk each": """\
select format(
    'update line set price = 0 where id in (select id from line where price > 0 order by id'
        ' limit %s)',
    coalesce(nullif(current_setting('batchgate.chunk', true), ''), '100')
)
from generate_series(1, (select count(*) from line) / 5)
\\gexec
""",
    "rows in chunks": """\
create table done (id int primary key);
do $$
declare
    chunk int := coalesce(nullif(current_setting('batchgate.chunk', true), ''), '100');
begin
    loop
        with changed as (
            update line set price = 0
            where id in (
                select id from line where price > 0 order by id limit chunk
            )
            returning id
        )
        insert into done select id from changed;
        exit when not found;
        commit;
    end loop;
end
$$;
""",
}


@pytest.fixture
def project(tmp_path, batchgate_server, programs, monkeypatch):
    """Give what weighs a batch of some text, on a database where the ground stands."""

    @contextmanager
    def weighing(text, *, online="", rollback="", sample=SAMPLE, own="", here=""):
        files = {
            "sql/01_add_orders/migration.sql": GROUND,
            "sql/01_add_orders/rollback.sql": "drop table orders, line, log, log_1;",
            "sql/02_weigh/migration.sql": HEADER + text,
            "sql/02_weigh/rollback.sql": rollback or "select 1;",
            "sample/01.sql": sample,
        }
        if own:
            files["sample/02.sql"] = own
        if online:
            files["sql/02_weigh/migration.online.sql"] = (
                f"-- The same.\n-- transaction: none\n\n{online}"
            )
        with heights_of(batchgate_server, tmp_path, files) as heights:
            suite = heights.suite
            ground, batch = suite.batches
            with heights.clone(ground, sample=False) as name, heights.connect(name) as session:
                session.execute(here.encode() or b"select 1")
                monkeypatch.setattr(weight, "likeness", on_server(batchgate_server, programs))
                yield lambda path: weigh(
                    session, heights.settings, suite, batch, getattr(batch, path)
                )

    return weighing


def told(burdens):
    return [(each.statement, each.does, each.table, each.lock) for each in burdens]


@pytest.mark.parametrize(("text", "burdens"), HEAVY.values(), ids=HEAVY)
def test_work_while_others_wait_is_told(project, text, burdens):
    with project(text) as weighed:
        assert told(weighed("migration")) == burdens


@pytest.mark.parametrize("text", LIGHT.values(), ids=LIGHT)
def test_work_that_keeps_nobody_waiting_is_not_told(project, text):
    with project(text) as weighed:
        assert weighed("migration") == []


@pytest.mark.parametrize("text", ONLINE.values(), ids=ONLINE)
def test_an_online_route_is_no_burden(project, text):
    with project("select 1;", online=text) as weighed:
        assert weighed("online") == []


def test_sizes_are_those_of_the_database(project):
    here = "insert into line select n, n from generate_series(1, 5000) as n; analyze line;"
    with project("create index on line (price);", here=here) as weighed:
        (burden,) = weighed("migration")
    assert burden.rows == 5000
    assert 200_000 < burden.size_bytes < 900_000
    assert (burden.locked, burden.stops) == ("public.line", "writes and DDL")
    assert burden.at == "sql/02_weigh/migration.sql:5"
    assert not burden.of_rows


def test_a_partitioned_table_is_as_large_as_its_partitions(project):
    here = (
        "create table log_2 partition of log for values from ('2020-01-01') to ('2021-01-01');"
        "insert into log select n, '2020-02-02' from generate_series(1, 3000) as n; analyze log_2;"
    )
    with project("alter table log add check (id > 0);", here=here) as weighed:
        found = {each.table: each.rows for each in weighed("migration")}
    assert found.get("public.log", 3000) == 3000


def test_a_table_that_nobody_has_counted_has_no_rows_to_tell(project):
    here = "set track_counts = off; insert into line select n from generate_series(1, 500) as n;"
    with project("create index on line (price);", here=here) as weighed:
        (burden,) = weighed("migration")
    assert burden.rows is None
    assert burden.size_bytes > 16_000


def test_without_rows_to_try_it_on_a_scan_is_told_all_the_same(project):
    with project("alter table line alter price set not null;", sample="select 1;") as weighed:
        assert told(weighed("migration")) == HEAVY["not null scans"][1]


def test_a_rollback_is_weighed_where_its_batch_stands(project):
    text = "create table packed (id int); create index line_price on line (price);"
    back = "drop table packed; drop index line_price; create index again on line (price);"
    with project(text, rollback=back) as weighed:
        assert told(weighed("rollback")) == [("create index", "scans", "public.line", "SHARE")]


def test_a_rollback_that_its_own_rows_keep_from_going_through_is_weighed_without(project):
    text = "create table packed (id int);"
    back = "alter table packed add check (id is null); create index again on line (price);"
    own = "insert into packed values (-1);"
    with project(text, rollback=back, own=own) as weighed:
        assert told(weighed("rollback"))[-1] == ("create index", "scans", "public.line", "SHARE")


def test_a_rollback_is_weighed_over_rows_that_its_batch_has_on_record(project):
    text = "create table made as select id from line; update line set price = 1;"
    back = (
        "begin; update line set price = 0 where id in (select id from made); drop table made;"
        " commit;"
    )
    with project(text, rollback=back) as weighed:
        assert told(weighed("rollback")) == HEAVY["rows stay locked until the end"][1]


def test_rows_of_the_sample_that_are_in_the_way_are_left_out(project):
    refuses = "do $$ begin if exists (select from line) then raise 'rows'; end if; end $$;\n"
    with project(f"{refuses}alter table line alter price set not null;") as weighed:
        assert told(weighed("migration")) == HEAVY["not null scans"][1]
    with project("create index on line (price);", sample="select 1 / 0;") as weighed:
        assert told(weighed("migration")) == HEAVY["an index scans"][1]


def test_what_does_not_apply_is_not_weighed(project):
    with project("select 1 / 0;") as weighed, pytest.raises(NotWeighed) as raised:
        weighed("migration")
    assert str(raised.value) == (
        "batch 02_weigh: expected to measure what migration.sql does to tables, it could not be"
        " measured\n"
        "  at: sql/02_weigh/migration.sql:5\n"
        "  cause: on a throw-away server statement 1 of 1 failed\n"
        "         division by zero [22012]\n"
        "  fix: Look whether the batch applies here at all: its README lists the known causes."
    )


def test_nothing_is_written_to_the_database(project):
    with project("create index on line (price);") as weighed:
        weighed("migration")
        assert told(weighed("migration")) == told(weighed("migration"))


def test_without_a_server_nothing_is_weighed(operated):
    project = read_project([f"--pg-bin={operated.folder}"])
    batch = project.batch("1")
    with operated.session() as session, pytest.raises(NotWeighed, match="could not be measured"):
        weigh(session, project.settings, project.suite, batch, batch.migration)


def test_the_sample_of_this_project_is_weighed_on_a_server_of_its_own(operated):
    project = read_project()
    with operated.session() as session:
        for name in ("01_add_orders", "02_fill_currency"):
            apply_batch(session, project.settings, project.suite.batch(name))
        batch = project.suite.batch("04_index_orders")
        burdens = weigh(session, project.settings, project.suite, batch, batch.migration)
        assert told(burdens) == [("create index", "scans", "public.orders", "SHARE")]
        assert weigh(session, project.settings, project.suite, batch, batch.online) == []
        assert run_file(session, project.settings, batch, batch.online).succeeded
