"""Show what the backfills cost beside bare statements that write the same rows, and how they grow.

    python benchmarks/backfills.py [--leads 10000 100000 1000000] [--repeats 3] [--pg-bin DIR]

A backfill is its whole migration file. Its peer writes the very same rows on an equal copy of the
database: keys, links and texts were found out before and stand ready in tables, so that nothing is
left but `insert … select` and `update … from`. Both have the same indexes and the same settings,
and the peer also what the file sets for its own work; both commit, each after a checkpoint, in
turns. The peers lie under bare/. Where a batch has an online route, it takes its turn too.

The peer of messages is the one `insert … select` of the messages, as the aim has it. What else the
backfill cannot avoid, its conversations and its record, is told beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from figures import Bench, Figure, Growth, alone, at_most, growth_figure
from stage import (
    CUSTOMERS,
    HERE,
    MESSAGES,
    Ran,
    analyzed,
    copied,
    copy_rows,
    file_of,
    generated,
    largest_of,
    median_of,
    run_apart,
    serving,
    work_settings,
)

from batchgate.database import connect, create_database, drop_database
from batchgate.server import Server

BARE = HERE / "bare"
RECORDED = "select entity, id, customer_id from backfill.customer_backfill"
# Where the rows come from for the tables that the peers read, in the order they are written.
CUSTOMERS_READY = {
    "customer": 'select * from public."Customer"',
    "lead": 'select id, customer_id from public."Lead" order by created_at',
    "job": 'select id, customer_id from public."Job" order by created_at',
    "record": f"{RECORDED} where entity <> 'audit'",
}
MESSAGES_READY = {
    "conversation": 'select * from public."Conversation"',
    "message": 'select * from public."Message"',
    "conversation_record": (
        "select entity, id, lead_id, customer_id, audit_id from backfill.conversation_backfill"
        " where entity <> 'audit'"
    ),
}
# What both have to agree on, so that the peer did all of the work and no more.
WRITTEN = """
select
    (select count(*) from public."Customer"),
    (select count(customer_id) from public."Lead"),
    (select count(customer_id) from public."Job"),
    (select count(*) from public."Conversation"),
    (select count(*) from public."Message"),
    (select sum(length(content)) from public."Message")
"""


@dataclass
class Turns:
    """The runs of a batch at one number of leads: its two routes, and each of the peer's files."""

    ours: list[Ran] = field(default_factory=list)
    online: list[Ran] = field(default_factory=list)
    bare: dict[str, list[Ran]] = field(default_factory=dict)

    def of_bare(self, *names: str) -> float:
        """Return the median seconds of these files of the peer, together."""
        return sum(median_of(self.bare[name]) for name in names)


def figures(bench: Bench) -> tuple[list[Figure], list[Growth]]:
    """Measure every number of leads; the largest one's ratios are the figures."""
    turns: dict[int, tuple[Turns, Turns]] = {}
    with serving(bench) as server:
        for leads in sorted(bench.leads):
            turns[leads] = _measure(server, leads, bench.repeats)
    customers, messages = ({leads: turns[leads][place] for leads in turns} for place in (0, 1))
    grown = [
        *_growths("backfill of customers", customers),
        *_growths("backfill of messages", messages),
    ]
    lines = [*_figures_of_customers(customers), *_figures_of_messages(messages)]
    lines += [growth_figure(each) for each in grown if each.memory]
    return lines, grown


def _measure(server: Server, leads: int, repeats: int) -> tuple[Turns, Turns]:
    """Let the files of both batches take turns over so many leads."""
    generated(server, "unlinked", leads)
    customers = _take_turns(server, "unlinked", "linked", CUSTOMERS, repeats, _run_bare_customers)
    drop_database(server, "unlinked")
    analyzed(server, "linked")
    messages = _take_turns(server, "linked", "told", MESSAGES, repeats, _run_bare_messages)
    drop_database(server, "linked")
    return customers, messages


def _take_turns(
    server: Server,
    below: str,
    above: str,
    batch: str,
    repeats: int,
    run_bare: Callable[[Server, str, dict[str, str], Turns], None],
) -> Turns:
    """Run a batch's routes and its peer on copies of `below`; the customers' `above` is left."""
    turns = Turns()
    create_database(server, above, below)
    _checkpoint(server, above)
    turns.ours.append(run_apart(server, above, file_of(batch)))
    _make_ready(server, above, below, batch)
    expected = _written(server, above)
    if batch == MESSAGES:
        drop_database(server, above)
    online, settings = file_of(batch, "migration.online.sql"), work_settings(file_of(batch))
    for turn in range(repeats):
        if turn > 0:
            with copied(server, below, "ours") as name:
                turns.ours.append(run_apart(server, name, file_of(batch)))
        with copied(server, below, "bare") as name:
            run_bare(server, name, settings, turns)
            if _written(server, name) != expected:
                raise SystemExit(f"{batch}: expected the bare statements to write {expected}")
        if online.is_file():
            with copied(server, below, "online") as name:
                turns.online.append(run_apart(server, name, online))
    return turns


def _written(server: Server, name: str) -> tuple[Any, ...] | None:
    with connect(server, name) as session:
        return session.execute(WRITTEN).fetchone()


def _make_ready(server: Server, above: str, below: str, batch: str) -> None:
    """Fill the tables that the peer reads with what the batch wrote."""
    of_customers = batch == CUSTOMERS
    with connect(server, below) as session:
        file = "customers_ready.sql" if of_customers else "messages_ready.sql"
        session.execute((BARE / file).read_bytes())
    for table, query in (CUSTOMERS_READY if of_customers else MESSAGES_READY).items():
        copy_rows(server, above, query, below, f"ready.{table}")
    analyzed(server, below)


def _run_bare_customers(server: Server, name: str, settings: dict[str, str], turns: Turns) -> None:
    ran = run_apart(server, name, BARE / "customers.sql", settings)
    turns.bare.setdefault("customers", []).append(ran)


def _run_bare_messages(server: Server, name: str, settings: dict[str, str], turns: Turns) -> None:
    for each in ("conversations", "messages", "messages_record"):
        _checkpoint(server, name)
        ran = run_apart(server, name, BARE / f"{each}.sql", settings)
        turns.bare.setdefault(each, []).append(ran)


def _checkpoint(server: Server, name: str) -> None:
    with connect(server, name) as session:
        session.execute("checkpoint")


def _figures_of_customers(turns: dict[int, Turns]) -> list[Figure]:
    leads = max(turns)
    measured = turns[leads]
    ours, bare = median_of(measured.ours), measured.of_bare("customers")
    return [
        at_most(
            1.3,
            f"backfill of customers, {leads:,} leads",
            "the bare INSERT and UPDATE statements it cannot avoid",
            "≤ 1.3 ×",
            ours,
            bare,
            _beside(measured, bare),
        )
    ]


def _figures_of_messages(turns: dict[int, Turns]) -> list[Figure]:
    leads = max(turns)
    measured = turns[leads]
    ours, bare = median_of(measured.ours), measured.of_bare("messages")
    all_bare = measured.of_bare("conversations", "messages", "messages_record")
    rest = all_bare - bare
    said = (
        f"conversations and record, which it cannot avoid either, take {rest:.1f} s more,"
        f" {all_bare / bare:.2f} × together"
    )
    return [
        at_most(
            1.3,
            f"backfill of messages, {leads:,} leads",
            "bare INSERT … SELECT of the same messages",
            "≤ 1.3 ×",
            ours,
            bare,
            f"{said}; {_beside(measured, bare)}",
        ),
        at_most(
            1.3,
            f"backfill of messages, {leads:,} leads",
            "bare INSERT … SELECT of messages, conversations and record",
            "≤ 1.3 ×, wider than the aim",
            ours,
            all_bare,
            _beside(measured, all_bare),
        ),
    ]


def _beside(measured: Turns, bare: float) -> str:
    """Tell how far the runs lie apart, and what the online route took."""
    times = sorted(each.seconds for each in measured.ours)
    said = f"turns of {', '.join(f'{each:.1f}' for each in times)} s"
    if not measured.online:
        return f"{said}; no online route"
    online = median_of(measured.online)
    return f"{said}; the online route takes {online:.1f} s, {online / bare:.2f} ×"


def _growths(what: str, turns: dict[int, Turns]) -> list[Growth]:
    grown = []
    for name, runs in (
        (what, {leads: each.ours for leads, each in turns.items()}),
        (f"{what}, online route", {leads: each.online for leads, each in turns.items()}),
    ):
        if all(runs.values()):
            points = {leads: median_of(each) for leads, each in runs.items()}
            grown.append(Growth(name, points, {leads: largest_of(runs[leads]) for leads in runs}))
    names = {name for each in turns.values() for name in each.bare}
    points = {leads: each.of_bare(*names) for leads, each in turns.items()}
    grown.append(Growth(f"{what}, bare statements", points))
    return grown


if __name__ == "__main__":
    alone(figures, __doc__)
