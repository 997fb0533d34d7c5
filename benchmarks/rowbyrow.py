"""Show how much faster the backfills are than the script that an application would run.

    python benchmarks/rowbyrow.py [--leads 10000 100000] [--repeats 3] [--pg-bin DIR]

The script is the one that the batch's own description tells of, over psycopg: it reads the leads
and groups them in memory; for each group it looks for a customer and makes one; it links each lead,
then that lead's jobs. From the audit rows it makes a conversation for each lead, then message after
message. Each is a statement of its own and a trip to the server, all in one transaction. It is
given what helps it: prepared statements, no record to keep, audit rows in one read, and an index on
the group key, without which each look for a customer would read the whole table.

Both start from equal copies, each in a process of its own; what they make is compared by number.
From 100,000 leads on the script would take too long: it is measured up to there, and said how it
grew until then.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from figures import Bench, Figure, Growth, alone, faster
from stage import (
    CUSTOMERS,
    MESSAGES,
    Ran,
    analyzed,
    copied,
    file_of,
    generated,
    largest_of,
    median_of,
    run_apart,
    serving,
)

from batchgate.database import connect, create_database, drop_database
from batchgate.server import Server

APPLICATION = Path(__file__).resolve().parent / "application.py"
# An hour of round trips says nothing that a few minutes do not.
MOST_LEADS = 100_000
# To look for a customer by what its metadata says must not read all customers each time.
KEY_INDEX = """create index on public."Customer" ((metadata ->> 'groupKey'))"""
MADE = {
    CUSTOMERS: (
        'select (select count(*) from "Customer"), count(distinct customer_id),'
        ' (select count(customer_id) from "Job") from "Lead"'
    ),
    MESSAGES: (
        'select (select count(*) from "Conversation"), count(*), max(created_at),'
        ' sum(length(content)) from "Message"'
    ),
}
WHAT = {CUSTOMERS: "backfill of customers", MESSAGES: "backfill of messages"}


@dataclass
class Turns:
    """The runs of one batch and of the script, and how many statements the script sent."""

    ours: list[Ran] = field(default_factory=list)
    script: list[Ran] = field(default_factory=list)
    trips: int = 0


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure every number of leads that the script gets through in minutes."""
    sizes = sorted({min(leads, MOST_LEADS) for leads in bench.leads})
    turns: dict[str, dict[int, Turns]] = {batch: {} for batch in WHAT}
    with serving(bench, most=sizes[-1]) as server:
        for leads in sizes:
            for batch, measured in _measure(server, leads, bench.repeats).items():
                turns[batch][leads] = measured
    lines, grown = [], []
    for batch, what in WHAT.items():
        growth = Growth(
            f"{what}, row by row",
            {leads: median_of(each.script) for leads, each in turns[batch].items()},
            {leads: largest_of(each.script) for leads, each in turns[batch].items()},
        )
        grown.append(growth)
        lines.append(_figure(what, turns[batch], growth, max(bench.leads)))
    return lines, grown


def _figure(what: str, turns: dict[int, Turns], growth: Growth, asked: int) -> Figure:
    leads = max(turns)
    measured = turns[leads]
    ours, script = median_of(measured.ours), median_of(measured.script)
    said = [
        f"{measured.trips:,} trips of {script / measured.trips * 1000:.2f} ms over a local socket;"
        f" at {50 * ours / measured.trips * 1000:.1f} ms a trip it would be 50 ×"
    ]
    if len(turns) > 1:
        said.append(f"row by row grew {growth.beside_linear:.2f} × linear")
    if asked > leads:
        said.append(
            f"for {asked:,} leads, linear, row by row takes {script * asked / leads / 60:.0f} min"
        )
    return faster(
        50,
        f"{what}, {leads:,} leads",
        "row by row, as an application's script",
        "≥ 50 × faster",
        ours,
        script,
        "; ".join(said),
    )


def _measure(server: Server, leads: int, repeats: int) -> dict[str, Turns]:
    """Let both take turns over so many leads, for one batch after the other."""
    generated(server, "unlinked", leads)
    measured = {CUSTOMERS: _take_turns(server, "unlinked", CUSTOMERS, repeats)}
    create_database(server, "linked", "unlinked")
    run_apart(server, "linked", file_of(CUSTOMERS))
    drop_database(server, "unlinked")
    analyzed(server, "linked")
    measured[MESSAGES] = _take_turns(server, "linked", MESSAGES, repeats)
    drop_database(server, "linked")
    return measured


def _take_turns(server: Server, below: str, batch: str, repeats: int) -> Turns:
    turns = Turns()
    for _ in range(repeats):
        with copied(server, below, "ours") as name:
            turns.ours.append(run_apart(server, name, file_of(batch)))
            expected = _made(server, name, batch)
        with copied(server, below, "script") as name:
            if batch == CUSTOMERS:
                with connect(server, name) as session:
                    session.execute(KEY_INDEX)
            _run_script(server, name, batch, turns)
            found = _made(server, name, batch)
        if found != expected:
            raise SystemExit(f"{batch}: expected {expected} row by row, found {found}")
    return turns


def _run_script(server: Server, name: str, batch: str, turns: Turns) -> None:
    command = [sys.executable, str(APPLICATION), server.conninfo(name), batch]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    turns.trips = told.pop("trips")
    turns.script.append(Ran(**told))


def _made(server: Server, name: str, batch: str) -> psycopg.rows.TupleRow | None:
    with connect(server, name) as session:
        return session.execute(MADE[batch]).fetchone()


if __name__ == "__main__":
    alone(figures, __doc__)
