"""Half a batch does not say that it stands, wherever its file is cut off."""

import pytest
from heights import heights_of

from batchgate.errors import BatchFailed
from batchgate.rehearsal.failures.proof import (
    migration_fails_cleanly,
    online_fails_cleanly,
    rollback_fails_cleanly,
)

GROUND = """\
-- Orders can be kept.
-- irreversible: the ground of a test

create table orders (id int primary key, currency text);
"""
SAMPLE = "insert into orders select n, 'EUR' from generate_series(1, 29) as n;\n"
PROVE = {
    "migration.sql": migration_fails_cleanly,
    "migration.online.sql": online_fails_cleanly,
    "rollback.sql": rollback_fails_cleanly,
}
HEADER = "-- Orders change.\n-- present: {}\n"
DECLARED = HEADER + "-- transaction: none\n\n"
STOP = "\\set ON_ERROR_STOP on\n"
FIRST, LAST, MARK = (f"to_regclass('{name}')" for name in ("notes", "orders_currency", "mark"))
VALID = f"exists (select from pg_catalog.pg_index where indexrelid = {LAST} and indisvalid)"

ROUTE = """\
create table notes ();
create index orders_currency on orders (currency);
"""
ONLINE = """\
create table if not exists notes ();
drop index concurrently if exists orders_currency;
create index concurrently orders_currency on orders (currency);
"""
# Data that is changed last leaves no trace in the schema: so what is under way has a mark.
MARKED = """\
create table if not exists mark ();
create table if not exists notes ();
update orders set currency = 'USD' where currency = 'EUR';
drop table if exists mark;
"""
UNDO = "begin;\ndrop index if exists orders_currency;\ndrop table if exists notes;\ncommit;\n"
UNMARK = """\
begin;
drop table if exists mark, notes;
update orders set currency = 'EUR';
commit;
"""


@pytest.fixture
def prove(batchgate_server, tmp_path):
    """Prove that the failures of one file of a batch are clean."""

    def run(file, files):
        written = {"sql/01_ground/migration.sql": GROUND, "sample/01.sql": SAMPLE}
        written |= {f"sql/02_try/{name}": text for name, text in files.items()}
        with heights_of(batchgate_server, tmp_path, written) as heights:
            return PROVE[file](heights, heights.suite.batch("02_try"))

    return run


def both_routes(present: str) -> dict[str, str]:
    """Return a batch with an online route, which asks so whether it stands."""
    migration = f"{HEADER.format(present)}\nbegin;\n{ROUTE}commit;\n"
    return {"migration.sql": migration, "migration.online.sql": STOP + ONLINE, "rollback.sql": UNDO}


def in_between(present: str, route: str, undo: str) -> dict[str, str]:
    """Return a batch whose only route commits in between, and asks so whether it stands."""
    return {"migration.sql": DECLARED.format(present) + route, "rollback.sql": undo}


TOO_EARLY = [
    pytest.param(
        "migration.online.sql",
        both_routes(f"{FIRST} is not null"),
        "after the failure of statement 2 of 3 (sql/02_try/migration.online.sql:3)"
        ", compared with its end:",
        "destroyed: index public.orders_currency",
        "Ask in `present` for what the file makes last",
        id="what-is-made-first",
    ),
    pytest.param(
        "migration.online.sql",
        both_routes(f"{FIRST} is not null and {LAST} is not null"),
        "after an interruption halfway through statement 3 of 3 (sql/02_try/migration.online.sql:4)"
        ", compared with its end:",
        "changed: index public.orders_currency, valid: true → false",
        "to_regclass('name') and indisvalid",
        id="an-index-that-is-not-valid",
    ),
    pytest.param(
        "migration.sql",
        in_between(f"{FIRST} is not null", MARKED, UNMARK),
        "after the failure of statement 3 of 4 (sql/02_try/migration.sql:7)"
        ", compared with its end:",
        "changed: table public.orders: 29 rows → 29 rows, with other contents",
        "Ask in `present` for what the file makes last",
        id="a-migration-that-commits-in-between",
    ),
]


@pytest.mark.parametrize(("file", "files", "cut", "missing", "fix"), TOO_EARLY)
def test_a_present_that_is_true_too_early_is_named(prove, file, files, cut, missing, fix):
    with pytest.raises(BatchFailed) as failure:
        prove(file, files)
    message = failure.value.message
    assert message.headline == (
        f"batch 02_try: expected `present` to be false while {file} is unfinished, found true"
    )
    assert message.at == "sql/02_try/migration.sql:2"
    assert message.rows[0] == cut
    assert missing in message.rows
    assert fix in message.fix


@pytest.mark.parametrize(
    ("file", "files"),
    [
        pytest.param("migration.online.sql", both_routes(VALID), id="a-valid-index"),
        pytest.param(
            "migration.sql",
            in_between(f"{FIRST} is not null and {MARK} is null", MARKED, UNMARK),
            id="a-mark-that-goes-last",
        ),
        # Who goes on after an error has run all of it: that is no cut.
        pytest.param("migration.sql", in_between(VALID, ONLINE, UNDO), id="a-file-that-goes-on"),
        pytest.param(
            "migration.online.sql",
            both_routes("true") | {"migration.sql": f"begin;\n{ROUTE}commit;\n"},
            id="nothing-to-ask",
        ),
        pytest.param(
            "rollback.sql",
            both_routes(f"{FIRST} is not null")
            | {
                "rollback.sql": f"-- Notes go.\n-- transaction: none\n\n{STOP}"
                "drop index if exists orders_currency;\ndrop table if exists notes;\n"
            },
            id="a-rollback",
        ),
    ],
)
def test_a_present_that_waits_for_the_end_is_left_in_peace(prove, file, files):
    assert prove(file, files).unexercised == ()
