"""A statement that works on many rows while others wait for its lock is named, with a safe way."""

from dataclasses import replace

import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.locks.proof import (
    migration_holds_no_lock,
    online_holds_no_lock,
    rollback_holds_no_lock,
)

GROUND = """\
-- Orders have lines.
-- irreversible: the ground of a test

create table orders (id int primary key);
create table line (id int primary key, order_id int, price int, note varchar(10));
create table bare (id int primary key, order_id int);
create table kind (name text primary key check (name in ('one', 'two')));
create table log (id int, day date);
create table logs (id int, day date) partition by range (day);
create materialized view prices as select id, price from line;
create unique index prices_id on prices (id);
create index line_note on line (note);
"""
ROWS = """\
insert into orders select n from generate_series(1, 20) as n;
insert into line select n, n, n, n from generate_series(1, 20) as n;
insert into kind values ('one'), ('two');
insert into log select n, '2025-01-01' from generate_series(1, 20) as n;
refresh materialized view prices;
"""
FILES = {
    "migration": ("migration.sql", migration_holds_no_lock),
    "online": ("migration.online.sql", online_holds_no_lock),
    "rollback": ("rollback.sql", rollback_holds_no_lock),
}
DANGEROUS = [
    (
        "create index line_price on line (price);",
        "create index holds ShareLock on public.line (writes and DDL wait)"
        " while it reads 20 → 80 rows of public.line",
        "create index concurrently line_price on line (price);",
    ),
    (
        "alter table line alter column price set not null;",
        "alter table holds AccessExclusiveLock on public.line (reads, writes and DDL wait)"
        " while it reads 20 → 80 rows of public.line",
        "alter table public.line add constraint line_price_present"
        " check (price is not null) not valid;",
    ),
    (
        "alter table line add constraint positive check (price > 0);",
        "alter table holds AccessExclusiveLock on public.line (reads, writes and DDL wait)",
        "alter table public.line add constraint positive CHECK ((price > 0)) not valid;",
    ),
    (
        "alter table line alter column order_id type bigint;",
        "while it rewrites (column type) ",
        "Add a column of the new type",
    ),
    (
        "alter table line add column token uuid default gen_random_uuid();",
        "while it rewrites (values worked out row by row)",
        "Add the column without its default",
    ),
    (
        "alter table line add constraint line_once unique (id, price);",
        "alter table holds AccessExclusiveLock on public.line (reads, writes and DDL wait)",
        "alter table public.line add constraint line_once unique using index line_once;",
    ),
    (
        "alter table line add constraint line_order foreign key (order_id) references orders;",
        "alter table holds ShareRowExclusiveLock on public.orders (writes and DDL wait)"
        " while it reads 20 → 80 rows of public.line, 20 → 80 rows of public.orders",
        "alter table public.line validate constraint line_order;",
    ),
    (
        "vacuum full line;",
        "vacuum full holds AccessExclusiveLock on public.line (reads, writes and DDL wait)"
        " while it rewrites (vacuum full)",
        "plan a quiet hour",
    ),
    (
        "refresh materialized view prices;",
        "refresh materialized view holds AccessExclusiveLock on public.prices"
        " (reads, writes and DDL wait) while it reads 20 → 80 rows of public.line",
        "refresh materialized view concurrently prices;",
    ),
    (
        "reindex table line;",
        "reindex table holds ShareLock on public.line (writes and DDL wait)",
        "reindex table concurrently line;",
    ),
    (
        "alter table logs attach partition log for values from ('2025-01-01') to ('2026-01-01');",
        "alter table holds AccessExclusiveLock on public.log (reads, writes and DDL wait)"
        " while it reads 20 → 80 rows of public.log",
        "then ATTACH PARTITION needs no scan",
    ),
]
SAFE = """\
create index concurrently line_price on line (price);
create unique index concurrently line_once on line (id, price);
alter table line add constraint line_once unique using index line_once;
alter table line add constraint line_order foreign key (order_id) references orders not valid;
alter table line validate constraint line_order;
alter table line add constraint there check (price is not null) not valid;
alter table line validate constraint there;
alter table line alter column price set not null;
alter table line drop constraint there;
alter table line add column tax int;
alter table line add column fee int not null default 5;
alter table line add column other int references orders;
alter table line alter column note type varchar(20);
refresh materialized view concurrently prices;
reindex table concurrently line;
begin;
alter table line add column one int;
update line set one = 1 where id = 7;
commit;
do $$
begin
    if exists (select from line where price < 0) then
        raise exception 'a price is below zero';
    end if;
    alter table line drop column note;
end
$$;
update line set price = price + 1;
begin;
create table copied as select * from line;
create index on copied (price);
commit;
begin;
set transaction isolation level serializable;
alter table line add column last int;
commit;
vacuum line;
drop index concurrently line_price;
alter table bare add column empty_too int;
"""


@pytest.fixture
def judge(batchgate_server, tmp_path):
    """Judge one file of a batch, written by its parts, above a ground that has rows."""

    def run(of: str = "migration", limit: int = 0, **texts: str) -> Evidence:
        files = {"sql/01_ground/migration.sql": GROUND, "sample/01.sql": ROWS}
        for part, (name, _) in FILES.items():
            head = "-- Lines change.\n" + "-- irreversible: for the test\n" * (
                "rollback" not in texts
            )
            files[f"sql/02_change/{name}"] = f"{head}\n{texts.get(part, 'select 1;')}"
            if part not in texts and part != "migration":
                del files[f"sql/02_change/{name}"]
        with heights_of(batchgate_server, tmp_path, files) as heights:
            heights.settings = replace(heights.settings, locked_rows=limit)
            return FILES[of][1](heights, heights.suite.batch("02_change"))

    return run


def refusal(judge, of: str = "migration", **texts: str):
    with pytest.raises(BatchFailed) as refused:
        judge(of, **texts)
    return refused.value.message


def test_every_dangerous_statement_is_named_with_its_lock_its_line_and_a_safe_way(judge):
    for group in (DANGEROUS[:4], DANGEROUS[4:7], DANGEROUS[7:]):
        message = refusal(judge, migration="\n".join(statement for statement, _, _ in group))
        assert message.headline == (
            "batch 02_change: expected no lock that others wait for during work that grows with"
            f" the rows, found {len(group)} statements that hold one"
        )
        assert message.at == "sql/02_change/migration.sql:4"
        assert len(message.rows) == len(group)
        for line, (row, (_, words, fix)) in enumerate(zip(message.rows, group, strict=True), 4):
            assert row.startswith(f"sql/02_change/migration.sql:{line}: ")
            assert words in row
            assert fix in message.fix


def test_work_after_a_lock_of_the_same_transaction_is_named_with_both_lines(judge):
    late = "begin;\nalter table line add column tax int;\nupdate line set tax = 1;\ncommit;"
    message = refusal(judge, migration=late)
    assert message.rows == (
        "sql/02_change/migration.sql:6: update holds AccessExclusiveLock on public.line"
        " (reads, writes and DDL wait) since sql/02_change/migration.sql:5"
        " while it writes 20 → 80 rows of public.line",
    )
    assert message.fix.startswith("Commit before it, or do it first")


def test_every_safe_form_is_let_pass(judge):
    evidence = judge(migration=SAFE)
    assert evidence.unexercised == ()
    assert any(
        "create index concurrently: ShareUpdateExclusiveLock" in note for note in evidence.notes
    )


def test_a_line_says_what_a_statement_locks_and_does(judge):
    notes = judge(migration="alter table bare add x int;\nupdate line set price = 1;").notes
    assert notes[0] == (
        "sql/02_change/migration.sql:4: alter table: AccessExclusiveLock on public.bare"
        " (reads, writes and DDL wait)"
    )
    assert notes[1].startswith(
        "sql/02_change/migration.sql:5: update: writes 20 → 80 rows of public.line; these rows"
        " stay locked until the commit: writers to the same rows wait; WAL up to "
    )


def test_with_an_online_route_the_migration_is_for_small_tables_only(judge):
    plain, beside = (
        "create index a on line (price);",
        "create index concurrently a on line (price);",
    )
    (note,) = judge(migration=plain, online=beside).notes
    assert note.startswith("for small tables only, see migration.online.sql: sql/02_change/")
    assert judge("online", migration=plain, online=beside).unexercised == ()


def test_the_online_route_itself_may_not(judge):
    plain = "create index a on line (price);"
    message = refusal(judge, "online", migration=plain, online=plain)
    assert message.at == "sql/02_change/migration.online.sql:4"


def test_a_rollback_owes_the_same_unless_the_batch_has_an_online_route(judge):
    texts = {"migration": "drop index line_note;"}
    texts["rollback"] = "\ncreate index line_note on line (note);"
    message = refusal(judge, "rollback", **texts)
    assert message.at == "sql/02_change/rollback.sql:4"
    (note,) = judge("rollback", online="drop index concurrently line_note;", **texts).notes
    assert note.startswith("plan a quiet hour: sql/02_change/rollback.sql:4: create index holds")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "create index bare_order on bare (order_id);",
            "create index holds ShareLock on public.bare (writes and DDL wait) and goes through"
            " public.bare: it has no row in this data",
            id="no-rows",
        ),
        pytest.param(
            "do $$ begin update line set price = 1; commit; alter table line add tax int; end $$;",
            "do holds AccessExclusiveLock on public.line (reads, writes and DDL wait) at some"
            " time, and commits in between: not seen whether it works then",
            id="commits-in-between",
        ),
    ],
)
def test_what_cannot_be_judged_is_no_pass(judge, text, words):
    assert judge(migration=text).unexercised == (f"sql/02_change/migration.sql:4: {words}",)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("alter table kind alter column name type varchar(9);", id="refused"),
        pytest.param(
            "do $$ begin if (select count(*) from log) > 20 then raise 'many'; end if; end $$;\n"
            "alter table kind alter column name type varchar(9);",
            id="stopped",
        ),
    ],
)
def test_where_growth_cannot_be_measured_a_whole_table_read_is_enough(judge, text):
    message = refusal(judge, migration=text)
    assert "of public.kind (growth not measured: " in message.rows[0]


def test_a_file_that_fails_is_named_by_its_failure(judge):
    message = refusal(judge, migration="alter table nowhere add x int;")
    assert message.headline == (
        "batch 02_change: expected migration.sql to go through, statement 1 of 1 failed"
    )


def test_rows_up_to_the_limit_are_let_pass(judge):
    (note,) = judge(migration="create index a on line (price);", limit=80).notes
    assert "create index: ShareLock on public.line (writes and DDL wait); reads 20 → 80" in note


def test_the_limit_is_an_option_and_each_file_has_its_item(project):
    lines = "insert into orders select n, 'EUR' from generate_series(1, 20) as n;"
    files = {"sql/02_index_orders/migration.online.sql": None, "scenarios/sample/01.sql": lines}
    chosen = ("-m", "locks", "-k", "02_index_orders")
    result = project(files, *chosen, "--locked-rows", "79")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["FAILED sql/02_index_orders/migration.sql::no-lock-while-working - batch 02_index_*"]
    )


def test_a_limit_that_is_no_number_is_refused(project):
    result = project({"pytest.ini": "[pytest]\nbatchgate_locked_rows = few\n"})
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*batchgate_locked_rows: expected a number*found few"])
