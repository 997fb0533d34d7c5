"""Rehearse a long chain of migrations, and dump the schema after each step instead, side by side.

    python benchmarks/chain.py [--migrations 200] [--pg-bin DIR]

Both go the same generated chain on one throw-away server: up, down by its rollbacks, and up again,
every file in a session of its own, and compare every height with what stood there at first: the
rehearsal by catalog snapshots and by the rows, the other by the text of `pg_dump -s`. Once it is
down on a floor that is what it was, the rehearsal looks at the second way up from its top alone.
Then one rollback is made to forget something, and the rehearsal has to name its file and line.
"""

import argparse
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from time import perf_counter

from batchgate.batches import run_file
from batchgate.binaries import Binaries, find_binaries
from batchgate.config import Settings
from batchgate.database import connect, create_database, drop_database
from batchgate.discover import discover
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.chain import chain_down_and_up, walk_chain
from batchgate.rehearsal.walk import chain_of
from batchgate.server import Server, ThrowAwayServer
from batchgate.stores import Databases

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


def main() -> None:
    """Measure both on one chain and print one table."""
    arguments = _arguments()
    binaries = find_binaries(explicit=arguments.pg_bin, explicit_source="--pg-bin")
    if not (binaries.directory / "pg_dump").is_file():
        raise SystemExit(f"expected pg_dump in {binaries.directory}, found none: name another")
    with tempfile.TemporaryDirectory() as folder, ThrowAwayServer() as started:
        server = started.start(binaries)
        settings = _project(Path(folder), arguments.migrations)
        times = {
            "rehearsal": _timed(lambda: _rehearse(server, settings)),
            "pg_dump -s": _timed(lambda: _staircase(server, settings, binaries)),
        }
        named = _planted(server, settings, arguments.migrations // 2)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"PostgreSQL {binaries.version} ({binaries.source}), {machine}\n")
    _print_table(arguments.migrations, times)
    print(f"\nA rollback that forgets a comment is named by the rehearsal:\n{named}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--migrations", type=int, default=200)
    parser.add_argument("--pg-bin", metavar="DIR", default=None)
    return parser.parse_args()


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


def _timed(measured: Callable[[], int]) -> tuple[float, int]:
    started = perf_counter()
    steps = measured()
    return perf_counter() - started, steps


def _rehearse(server: Server, settings: Settings) -> int:
    """Go the chain as chain-down-and-up does; return how many files were run."""
    suite = discover(settings)
    heights = Heights(Databases(server, "rehearsal"), settings, suite, lambda application: None)
    walk = walk_chain(heights, chain_of(suite))
    heights.close()
    assert not walk.found, walk.found[0]
    assert walk.stopped is None
    return len(walk.legs)


def _staircase(server: Server, settings: Settings, binaries: Binaries) -> int:
    """Go the same chain with a dump after each step; return how many files were run."""
    dumps = list(_dumps(server, settings, binaries))
    top = len(dumps) // 3
    for height, again in [(top - step, top + step) for step in range(1, top + 1)] + [
        (step, 2 * top + step) for step in range(1, top + 1)
    ]:
        assert dumps[height] == dumps[again], f"height {height} is not what it was"
    return len(dumps) - 1


def _dumps(server: Server, settings: Settings, binaries: Binaries) -> Iterator[str]:
    name = "staircase"
    create_database(server, name)
    yield _dump(server, name, binaries)
    batches = discover(settings).batches
    there = [(batch, batch.migration) for batch in batches]
    back = [(batch, batch.rollback) for batch in reversed(batches)]
    for batch, path in (*there, *back, *there):
        assert path is not None
        with connect(server, name) as session:
            ran = run_file(session, settings, batch, path)
        assert ran.succeeded, ran.run.error
        yield _dump(server, name, binaries)
    drop_database(server, name)


def _dump(server: Server, name: str, binaries: Binaries) -> str:
    """Dump a schema; newer versions wrap it in a random word against injection."""
    command = [binaries.directory / "pg_dump", "-s", "-d", server.conninfo(name)]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(
        line for line in dumped.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


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
    suite = discover(settings)
    heights = Heights(Databases(server, "planted"), settings, suite, lambda application: None)
    try:
        chain_down_and_up(heights, suite.batches[-1])
    except BatchFailed as failure:
        named = failure.message
    else:
        raise SystemExit("the planted defect was not seen")
    finally:
        heights.close()
    if f"{batch.name}/migration.sql:" not in named.at:
        raise SystemExit(f"the planted defect of {batch.name} was attributed to {named.at}")
    return str(named)


def _print_table(migrations: int, times: dict[str, tuple[float, int]]) -> None:
    print(f"{migrations} migrations up, down and up again".ljust(40), "files  seconds  ms a file")
    for name, (seconds, files) in times.items():
        print(f"{name:<40} {files:>5} {seconds:>8.1f} {seconds / files * 1000:>10.1f}")
    (ours, our_files), (theirs, their_files) = times.values()
    assert our_files == their_files == 3 * migrations, "both must have run every file"
    print(f"\nThe rehearsal is {theirs / ours:.1f} times faster.")


if __name__ == "__main__":
    main()
