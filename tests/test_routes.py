"""Two routes end alike, or what differs is named with its file and line."""

INDEX = "create index i{n} on orders (currency);\n"
ONLINE = "create index concurrently i{n} on orders (currency);\n"
# Random numbers and the clock: no two runs of the migration agree on `id` and `made_at`.
LOG = """\
create table log{n} (id uuid default gen_random_uuid(), made_at timestamptz default now(), w text);
insert into log{n} (w) values ('one'), ('two');
"""
DATED = "create table t{n} (made text);\ninsert into t{n} values (now()::text);\n"
NEVER = DATED.replace("now()::text", "'never'")

SCHEMA = "expected migration.online.sql to end in the schema of migration.sql, found 1 difference"
ROWS = "expected migration.online.sql to end in the rows of migration.sql, found 1 difference"
# What each batch does by either route, and what must be said of it: its own rollback and
# validation, where it needs any, are named by their files.
DEFECTS = {
    "another_definition": (
        INDEX,
        "create index concurrently i{n} on orders (currency desc);",
        {},
        [
            SCHEMA,
            "at: {online}:1",
            "row: migration.sql → migration.online.sql: index public.i{n}, definition: * → * (*"
            " DESC) by {online}:1",
        ],
    ),
    "left_out": (
        INDEX,
        "select 1;\nselect 2;",
        {},
        [SCHEMA, "at: {online}:2", "row: only after migration.sql: index * by {ordinary}:1"],
    ),
    "something_more": (
        INDEX,
        ONLINE + "alter table orders\n    add note text;\nselect 1;",
        {},
        [
            SCHEMA,
            "at: {online}:2",
            "row: only after migration.online.sql: column public.orders.note by {online}:2",
        ],
    ),
    "other_values": (
        INDEX,
        ONLINE + "update orders set currency = 'USD';",
        {},
        [ROWS, "at: {online}:2", "row: table public.orders: 1 row by either route, with other *"],
    ),
    "more_rows": (
        INDEX,
        ONLINE + "insert into orders values (2);",
        {},
        [
            ROWS,
            "row: table public.orders: 1 row after migration.sql, 2 rows after"
            " migration.online.sql by {online}:2",
        ],
    ),
    "fewer_rows_with_random_values": (
        LOG,
        LOG.replace("('one'), ", ""),
        {},
        [ROWS, "at: {online}:2", "row: table public.log{n}: 2 rows after *, 1 row after *"],
    ),
    "other_values_beside_random_ones": (
        LOG,
        LOG.replace("'two'", "'three'"),
        {},
        [ROWS, "row: table public.log{n}, column w: other values by {online}:2"],
    ),
    "not_present": (
        "-- Dated.\n-- present: exists (select from orders where id = {n} and currency <> 'never')"
        "\n\ninsert into orders values ({n}, now()::text);",
        "insert into orders values ({n}, 'never');",
        {},
        ["expected `present` to be true after migration.online.sql, found *", "at: {ordinary}:2"],
    ),
    "rollback_leaves_rows": (
        "insert into orders values ({n}, now()::text);",
        "insert into orders values ({n}, 'never');",
        {"rollback.sql": "delete from orders where id = {n} and currency <> 'never';"},
        [
            "expected rollback to restore the start after migration.online.sql, found 1 difference",
            "at: {online}:1",
        ],
    ),
    "rollback_fails": (
        DATED,
        NEVER,
        {"rollback.sql": "select 1 / count(*) from t{n} where made <> 'never';"},
        [
            "expected rollback to succeed after migration.online.sql, statement 1 of 1 failed",
            "at: {folder}/rollback.sql:1",
        ],
    ),
    "validation_fails": (
        DATED,
        NEVER,
        {
            "rollback.sql": "drop table t{n};",
            "validation.sql": "select 1;\nselect 1 / count(*) from t{n} where made <> 'never';",
        },
        [
            "expected validation to pass after migration.online.sql, statement 2 of 2 failed",
            "at: {folder}/validation.sql:2",
        ],
    ),
    "does_not_run": (
        INDEX,
        ONLINE + ONLINE,
        {},
        ["expected migration.online.sql to succeed, statement 2 of 2 failed", "at: {online}:2"],
    ),
}

SOUND_ROUTES = {
    "the_same_words": (f"begin;\n{INDEX}commit;", f"begin;\n{INDEX}commit;", "drop index i{n};"),
    "concurrently": (INDEX, ONLINE, "drop index i{n};"),
    "clock_and_random_values": (LOG, LOG, "drop table log{n};"),
}


def files_of(number: int, name: str, migration: str, online: str, **others: str) -> dict[str, str]:
    """Return the files of one batch, its number filled in."""
    files = {
        "migration.sql": migration,
        "migration.online.sql": online,
        "rollback.sql": "select 1;",
        **others,
    }
    folder = f"sql/{number:02d}_{name}"
    return {f"{folder}/{file}": text.replace("{n}", str(number)) for file, text in files.items()}


def test_a_route_that_ends_elsewhere_is_named_with_its_line(project, matches):
    changes = {}
    for number, (name, (migration, online, others, _)) in enumerate(DEFECTS.items(), start=3):
        changes |= files_of(number, name, migration, online, **others)
    result = project(changes, "-m", "routes")
    result.assert_outcomes(failed=len(DEFECTS), passed=1)
    result.stdout.no_fnmatch_line("*Traceback*")

    for number, (name, (*_, lines)) in enumerate(DEFECTS.items(), start=3):
        folder = f"sql/{number:02d}_{name}"
        named = {
            "folder": folder,
            "ordinary": f"{folder}/migration.sql",
            "online": f"{folder}/migration.online.sql",
            "n": number,
        }
        for line in lines:
            assert matches(f"*{line.format(**named)}*", result.outlines), (name, line)


def test_routes_that_end_alike_pass_and_what_no_two_runs_agree_on_is_named(project, pytester):
    changes = {}
    for number, (name, (migration, online, back)) in enumerate(SOUND_ROUTES.items(), start=3):
        changes |= files_of(number, name, migration, online, **{"rollback.sql": back})
    result = project(changes, "-k", "ends-as-migration or (online and second-run)", page=True)
    result.assert_outcomes(passed=2 * (len(SOUND_ROUTES) + 1))

    page = (pytester.path / "reports/report.html").read_text()
    assert "not compared: public.log5.id differs from run to run" in page
    assert "not compared: public.log5.made_at differs from run to run" in page
    assert "public.log5.w" not in page


def test_routes_that_change_nothing_are_no_pass(project):
    changes = files_of(3, "nothing", "select 1;", "select 1;")
    result = project(changes, "sql/03_nothing/migration.online.sql::ends-as-migration")
    result.stdout.fnmatch_lines(["*1 not exercised*"])


def test_an_online_route_that_does_more_when_run_again_is_refused(project):
    again = ONLINE.replace("concurrently", "concurrently if not exists")
    online = again + "insert into orders select max(id) + 1 from orders;"
    file = "sql/03_again/migration.online.sql"
    result = project(files_of(3, "again", INDEX, online), f"{file}::second-run")
    result.assert_outcomes(failed=1)
    headline = "batch 03_again: expected a second run to change nothing, found 1 difference"
    result.stdout.fnmatch_lines([headline, f"  at: {file}:2"])
