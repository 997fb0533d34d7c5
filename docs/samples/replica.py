"""A primary and its standby that hold this repository's schema, for the sample of a replica."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from batchgate.batches import apply_batch
from batchgate.binaries import find_binaries
from batchgate.config import Settings
from batchgate.database import connect, create_database
from batchgate.discover import discover
from batchgate.script import Script, run_script
from batchgate.server import Server

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "junk_removal"
READER = "gate_reader"
LEADS = 4000
_FIRST_PORT = 5433


def looked_at(project: Path, weeks: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Let week after week pass on both servers; return each time the options that name them.

    In the last week the standby has received what it does not replay yet.
    """
    with _pair() as pair:
        _fill(pair.primary, project)
        targets = tuple(
            f"--dsn={name}=host=localhost port={server.port} dbname={NAME} user={READER}"
            for name, server in (("replica", pair.standby), ("primary", pair.primary))
        )
        for number, week in enumerate(weeks, 1):
            before, _, behind = week.partition("-- Behind: ")
            pair.run(before, dbname=NAME)
            pair.catch_up()
            if number == len(weeks):
                pair.set_standby(recovery_min_apply_delay="1h")
                pair.run(f"-- {behind}", dbname=NAME)
            yield targets


@contextmanager
def _pair() -> Iterator[Any]:
    """Start the pair that the plugin's tests use, where clients reach it by the loopback, too."""
    ports = _free_ports(2)
    listening = [{"listen_addresses": "localhost", "port": str(port)} for port in ports]
    binaries = find_binaries(explicit=None, explicit_source="")
    started = import_module("replicas").primary_and_standby
    with started(binaries, primary=listening[0], standby=listening[1]) as pair:
        yield pair


def _free_ports(number: int) -> list[int]:
    """Return the first ports above PostgreSQL's own that nobody listens on."""
    free: list[int] = []
    port = _FIRST_PORT
    while len(free) < number:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("localhost", port)):
                free.append(port)
        port += 1
    return free


def _fill(server: Server, project: Path) -> None:
    """Apply every batch, bring in the leads with all that is theirs, and make the gates' login."""
    settings = Settings(
        root=project,
        sql=project / "sql",
        gates=project / "gates",
        sample=project / "scenarios/sample",
        reports=project / "reports",
    )
    create_database(server, NAME)
    with connect(server, NAME) as session:
        for batch in discover(settings).batches:
            if batch.migration:
                apply_batch(session, settings, batch)
        session.execute("select set_config('pipeline.leads', %s, false)", [str(LEADS)])
        session.execute((ROOT / "benchmarks/pipeline.sql").read_bytes())
        session.execute("vacuum (analyze)")
        made = run_script(session, Script(project / "sql/roles/gate_reader.sql", project))
        if made.error:
            raise SystemExit(f"{made.error.at}: {made.error.cause}")
