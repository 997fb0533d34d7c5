"""What a round trip of 200 migrations costs, beside a staircase of dumps.

    python benchmarks/roundtrips.py [--migrations 200] [--repeats 3] [--pg-bin DIR]

A generated chain (tables, columns, indexes, constraints, types, views, functions, triggers, grants,
comments, rows) is gone up, down by its rollbacks and up again, as the check chain-down-and-up does:
each height is compared with what stood there at first, in schema and in rows. The staircase is what
one writes without such a tool: before each migration a dump of schema and rows, then up and down,
a dump again, compared, then up. Both run every file three times on one throw-away server; psql is
given two files at once, pg_dump is run once for schema and rows. They take turns, and of each the
median counts. Then one rollback is made to forget something, and the check has to name its line.
"""

import subprocess
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter

from figures import Bench, Figure, Growth, bench_of, faster, machine, parser, table, unmeasured

from batchgate.config import Settings
from batchgate.database import create_database, drop_database
from batchgate.discover import discover
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.chain import chain_down_and_up, walk_chain
from batchgate.rehearsal.walk import chain_of
from batchgate.server import Server, ThrowAwayServer
from batchgate.stores import Databases

MIGRATIONS, QUICK = 200, 20
REACH = "≥ 5 × faster"
# What stands in a dump and is no part of the schema or the rows: a random word of newer versions
# against injection, and the places of sequences, which no rollback gives back.
_PASSED_OVER = ("\\restrict", "\\unrestrict", "SELECT pg_catalog.setval(")

# What a batch makes, and how it is undone; {n} is its number, {t} that of the newest table and
# {u} that of the one before. Of four batches one makes a table, as in a project with a table for
# every few migrations.
TABLE = (
    "create table shop.thing_{n} (\n    id bigint generated always as identity primary key,\n"
    "    code text not null unique,\n    name text not null,\n    note text,\n"
    "    amount numeric(10, 2) not null default 0,\n    quantity integer not null default 1,\n"
    "    open boolean not null default true,\n    data jsonb not null default '{{}}',\n"
    "    made_at timestamptz not null default now(),\n"
    "    changed_at timestamptz not null default now()\n);\n\n"
    "create index thing_{n}_made_at on shop.thing_{n} (made_at desc);",
    "drop table shop.thing_{n};",
)
KINDS = (
    (
        "alter table shop.thing_{t} add column extra_{n} text not null default 'none';",
        "alter table shop.thing_{t} drop column extra_{n};",
    ),
    (
        "create index thing_{t}_name_{n} on shop.thing_{t} (lower(name), made_at desc);",
        "drop index shop.thing_{t}_name_{n};",
    ),
    (
        "alter table shop.thing_{t}\n    add constraint thing_{n}_positive check (amount >= 0);",
        "alter table shop.thing_{t} drop constraint thing_{n}_positive;",
    ),
    (
        "create type shop.state_{n} as enum ('new', 'paid', 'sent');\n\n"
        "alter table shop.thing_{t} add column state_{n} shop.state_{n} not null default 'new';",
        "alter table shop.thing_{t} drop column state_{n};\n\ndrop type shop.state_{n};",
    ),
    (
        "create function shop.total_{n}(lowest numeric) returns numeric\nlanguage sql\nstable\n"
        "as $$ select sum(amount) from shop.thing_{t} where amount > lowest $$;",
        "drop function shop.total_{n}(numeric);",
    ),
    (
        "create view shop.open_{n} as\nselect id, name, amount from shop.thing_{t} where open;",
        "drop view shop.open_{n};",
    ),
    (
        "grant select, insert on shop.thing_{t} to public;",
        "revoke select, insert on shop.thing_{t} from public;",
    ),
    (
        "comment on table shop.thing_{t} is 'Things of batch {n}.';\n\n"
        "comment on column shop.thing_{t}.name is 'What it is called.';",
        "comment on column shop.thing_{t}.name is null;\n\n"
        "comment on table shop.thing_{t} is null;",
    ),
    (
        "alter table shop.thing_{t} add column owner_{n} bigint\n"
        "    references shop.thing_{u} (id) on delete set null;",
        "alter table shop.thing_{t} drop column owner_{n};",
    ),
    (
        "create function shop.touch_{n}() returns trigger\nlanguage plpgsql\n"
        "as $$ begin new.changed_at := now(); return new; end $$;\n\n"
        "create trigger touch_{n} before update on shop.thing_{t}\n"
        "    for each row execute function shop.touch_{n}();",
        "drop trigger touch_{n} on shop.thing_{t};\n\ndrop function shop.touch_{n}();",
    ),
    (
        "alter table shop.thing_{t}\n    alter column amount set default 1,\n"
        "    alter column note set storage external;",
        "alter table shop.thing_{t}\n    alter column amount set default 0,\n"
        "    alter column note set storage extended;",
    ),
    (
        "create unique index thing_{t}_open_{n} on shop.thing_{t} (name) where open;",
        "drop index shop.thing_{t}_open_{n};",
    ),
    (
        "insert into shop.thing_{t} (code, name) values ('a{n}', 'first'), ('b{n}', 'second');",
        "delete from shop.thing_{t} where code in ('a{n}', 'b{n}');",
    ),
)


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure both on one chain."""
    return measured(bench, QUICK if bench.quick else MIGRATIONS), []


def measured(bench: Bench, migrations: int) -> list[Figure]:
    """Measure both on one chain of so many migrations, in turns."""
    what, against = f"round trips of {migrations} migrations", "pg_dump staircase"
    if lacking := [name for name in ("pg_dump", "psql") if not bench.binaries.tool(name)]:
        missing = f"no {lacking[0]} beside the server's programs"
        return [unmeasured(what, against, REACH, missing)]
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder, ThrowAwayServer() as started:
        server = started.start(bench.binaries)
        settings = _project(Path(folder), migrations)
        for _ in range(bench.repeats):
            seconds["ours"].append(_timed(lambda: _rehearse(server, settings)))
            seconds["theirs"].append(_timed(lambda: _staircase(server, settings, bench)))
        _planted(server, settings, migrations // 2)
    said = {name: f"{min(each):.1f}–{max(each):.1f} s" for name, each in seconds.items()}
    note = (
        f"PostgreSQL {bench.binaries.version}, {3 * migrations} files each; ours {said['ours']}, "
        f"theirs {said['theirs']}; a planted defect was named by its line"
    )
    ours, theirs = median(seconds["ours"]), median(seconds["theirs"])
    return [faster(5, what, against, REACH, ours, theirs, note)]


def _timed(run: Callable[[], None]) -> float:
    started = perf_counter()
    run()
    return perf_counter() - started


def _project(root: Path, migrations: int) -> Settings:
    """Write a chain of migrations with their rollbacks."""
    texts = [("create schema shop;", "drop schema shop;")]
    tables = [1, 1]
    kinds = cycle(KINDS)
    for number in range(1, migrations):
        makes_table = number % 4 == 1
        tables += [number] if makes_table else []
        names = {"n": number, "t": tables[-1], "u": tables[-2]}
        there, back = TABLE if makes_table else next(kinds)
        texts.append((there.format(**names), back.format(**names)))
    for number, (there, back) in enumerate(texts):
        batch = root / "sql" / f"{number:03d}_step"
        batch.mkdir(parents=True)
        (batch / "migration.sql").write_text(f"begin;\n\n{there}\n\ncommit;\n")
        (batch / "rollback.sql").write_text(f"begin;\n\n{back}\n\ncommit;\n")
    folders = {name: root / name for name in ("sql", "gates", "sample", "reports")}
    return Settings(root=root, **folders)


def _heights(server: Server, settings: Settings, name: str) -> Heights:
    return Heights(Databases(server, name), settings, discover(settings), lambda application: None)


def _rehearse(server: Server, settings: Settings) -> None:
    """Go the chain as chain-down-and-up does."""
    heights = _heights(server, settings, "chain")
    walk = walk_chain(heights, chain_of(heights.suite))
    heights.close()
    assert not walk.found, walk.found[0]
    assert walk.stopped is None
    assert len(walk.legs) == 3 * len(heights.suite.batches), "every file must have run"


def _staircase(server: Server, settings: Settings, bench: Bench) -> None:
    """Go up the same chain with a dump before and after each round trip."""
    name = "staircase"
    create_database(server, name)
    conninfo = server.conninfo(name)
    for batch in discover(settings).batches:
        before = _dump(conninfo, bench)
        _run_files(conninfo, bench, batch.migration, batch.rollback)
        if _dump(conninfo, bench) != before:
            raise SystemExit(f"the staircase found {batch.name} not to be restored")
        _run_files(conninfo, bench, batch.migration)
    drop_database(server, name)


def _run_files(conninfo: str, bench: Bench, *paths: Path | None) -> None:
    given = [part for path in paths for part in ("-f", str(path))]
    psql = [str(bench.binaries.tool("psql")), "-q", "-X", "-v", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, *given, "-d", conninfo], check=True, capture_output=True)


def _dump(conninfo: str, bench: Bench) -> str:
    command = [str(bench.binaries.tool("pg_dump")), "-d", conninfo]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = dumped.splitlines()
    return "\n".join(line for line in lines if not line.startswith(_PASSED_OVER))


def _planted(server: Server, settings: Settings, around: int) -> str:
    """Make one rollback forget a comment; return what the rehearsal says of it."""
    comments = [
        batch
        for batch in discover(settings).batches
        if batch.rollback and "is null" in batch.rollback.read_text()
    ]
    batch = min(comments, key=lambda batch: abs(batch.number - around))
    assert batch.rollback is not None
    text = batch.rollback.read_text()
    line = next(line for line in text.splitlines() if line.startswith("comment on table"))
    batch.rollback.write_text(text.replace(line, ""))
    heights = _heights(server, settings, "planted")
    try:
        chain_down_and_up(heights, heights.suite.batches[-1])
    except BatchFailed as failure:
        named = failure.message
    else:
        raise SystemExit("the planted defect was not seen")
    finally:
        heights.close()
    if f"{batch.name}/migration.sql:" not in named.at:
        raise SystemExit(f"the planted defect of {batch.name} was attributed to {named.at}")
    return str(named)


def main() -> None:
    """Run this benchmark by itself."""
    options = parser(str(__doc__))
    options.add_argument("--migrations", type=int, help=f"how many ({MIGRATIONS})")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        bench = bench_of(arguments, Path(folder))
        print(f"PostgreSQL {bench.binaries.version} ({bench.binaries.source}), {machine()}\n")
        print(
            table(measured(bench, arguments.migrations or (QUICK if bench.quick else MIGRATIONS)))
        )


if __name__ == "__main__":
    main()
