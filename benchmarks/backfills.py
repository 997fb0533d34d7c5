"""Show how the backfills grow: 10,000 and 100,000 leads side by side, in one run.

    python benchmarks/backfills.py [--leads 10000 100000] [--pg-bin DIR]

Times are of whole migration files on a throw-away server; what counts is the ratio of growth
to linear, not the milliseconds of one machine.
"""

import argparse
import os
import platform
from pathlib import Path

from batchgate.batches import run_file
from batchgate.binaries import find_binaries
from batchgate.config import Settings
from batchgate.database import connect, create_database, drop_database
from batchgate.discover import discover
from batchgate.script import Script, run_script
from batchgate.server import Server, ThrowAwayServer
from batchgate.suite import Suite

ROOT = Path(__file__).resolve().parent.parent
BACKFILLS = ("03_backfill_customers", "04_backfill_conversations_messages")


def main() -> None:
    """Measure every size and print one table."""
    arguments = _arguments()
    settings = Settings(
        root=ROOT,
        sql=ROOT / "sql",
        gates=ROOT / "gates",
        sample=ROOT / "scenarios/sample",
        reports=ROOT / "reports",
    )
    binaries = find_binaries(explicit=arguments.pg_bin, explicit_source="--pg-bin")
    with ThrowAwayServer() as started:
        server = started.start(binaries)
        times = {
            leads: _measure(server, settings, discover(settings), leads)
            for leads in arguments.leads
        }
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"PostgreSQL {binaries.version} ({binaries.source}), {machine}\n")
    _print_table(times)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leads", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pg-bin", metavar="DIR", default=None)
    return parser.parse_args()


def _measure(server: Server, settings: Settings, suite: Suite, leads: int) -> dict[str, float]:
    """Return the seconds each backfill takes over so many generated leads."""
    name = f"leads_{leads}"
    create_database(server, name)
    times: dict[str, float] = {}
    with connect(server, name) as session:
        session.execute("select set_config('generate.leads', %s, false)", [str(leads)])
        session.execute("select set_config('generate.seed', '1', false)")
        for batch in suite.up_to(suite.batch(BACKFILLS[-1])):
            assert batch.migration is not None
            ran = run_file(session, settings, batch, batch.migration)
            if not ran.succeeded:
                raise ran.failure("migration to succeed")
            if batch.name in BACKFILLS:
                times[batch.name] = ran.seconds
            if batch.number == 0:
                generated = run_script(session, Script(ROOT / "scenarios/generate.sql", ROOT))
                assert generated.error is None, generated.error
                session.execute("analyze")
    drop_database(server, name)
    return times


def _print_table(times: dict[int, dict[str, float]]) -> None:
    sizes = sorted(times)
    print("batch".ljust(38), *(f"{size:>12,} leads" for size in sizes), "growth / linear".rjust(18))
    for batch in BACKFILLS:
        first, last = times[sizes[0]][batch], times[sizes[-1]][batch]
        growth = (last / first) / (sizes[-1] / sizes[0])
        cells = [f"{times[size][batch]:>16.2f} s" for size in sizes]
        print(batch.ljust(38), *cells, f"{growth:>17.2f}×")


if __name__ == "__main__":
    main()
