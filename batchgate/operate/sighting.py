"""Look at a database without touching it: which batches stand, and how far its schema is theirs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Timer
from typing import NamedTuple

import psycopg

from batchgate.activity import Stage
from batchgate.catalog import Snapshot, take_snapshot
from batchgate.config import Settings
from batchgate.contract import expect_known_catalogs
from batchgate.errors import BatchFailed, BatchgateError
from batchgate.operate.departures import Drift
from batchgate.operate.drift import drift_of
from batchgate.operate.likeness import likeness
from batchgate.operate.making import make
from batchgate.operate.mentions import named_in_files
from batchgate.operate.place import Place, answered, enter, place_of
from batchgate.operate.standing import Standing, standing
from batchgate.serverwords import gate_words
from batchgate.suite import Suite
from batchgate.targets.address import Target

# Seconds for the catalogs of a database: what a view says is only told once nobody changes the
# tables that it reads.
PATIENCE = 30.0


class Unlooked(NamedTuple):
    """Why drift was not looked at, where that is written, and what to do about it."""

    why: str
    fix: str = ""
    at: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Compared:
    """The server that the batches were applied on, and whether it is of another major version."""

    version: str
    source: str
    other_major: bool
    sampled: bool


@dataclass(frozen=True)
class Sighting:
    """What was seen of a database; one of `drift` and `unlooked`, or neither if not asked for."""

    place: Place
    standing: Standing
    drift: Drift | None = None
    compared: Compared | None = None
    unlooked: Unlooked | None = None

    @property
    def as_made(self) -> bool:
        """Tell whether all is as the batches make it, as far as it was asked for."""
        sound = not self.standing.failures and not any(
            self.standing.lacking(batch) for batch in self.standing.batches
        )
        return sound and not self.unlooked and not (self.drift and self.drift.departures)


def look(target: Target, settings: Settings, suite: Suite, *, drift: bool) -> Sighting:
    """Look at a database in one read-only transaction, then at a server of our own.

    Raises TargetUnavailable or ServerUnavailable where the database is not reached or is lost.
    """
    with _reached(target) as connection:
        place = place_of(connection, target)
        with connection.transaction(force_rollback=True):
            connection.execute("set transaction isolation level repeatable read, read only")
            with Stage("asking which batches stand"):
                stands = standing(connection, suite)
            schemas = _schemas(connection)
            found = _snapshot(connection) if drift else None
        major = connection.info.server_version // 10000
    if found is None:
        return Sighting(place, stands)
    found = _unknown(stands) or found
    if isinstance(found, Unlooked):
        return Sighting(place, stands, unlooked=found)
    try:
        with Stage("applying the same batches elsewhere"):
            seen, compared = _compare(settings, suite, stands, (found, schemas), major)
    except BatchgateError as error:
        return Sighting(place, stands, unlooked=_unmade(error, _lacking(stands)))
    return Sighting(place, stands, seen, compared)


@contextmanager
def _reached(target: Target) -> Iterator[psycopg.Connection]:
    """Connect, and say so where the connection is lost."""
    with enter(target) as connection, answered(connection, target):
        yield connection


def _snapshot(connection: psycopg.Connection) -> Snapshot | Unlooked:
    """Read what stands; a reading that takes too long is given up."""
    given_up = Event()

    def give_up() -> None:
        given_up.set()
        connection.cancel_safe()

    timer = Timer(PATIENCE, give_up)
    timer.daemon = True
    timer.start()
    try:
        with Stage("reading the catalogs"):
            expect_known_catalogs(connection)
            return take_snapshot(connection)
    except BatchgateError as error:
        return _unmade(error)
    except psycopg.Error as error:
        if connection.broken:
            raise
        if given_up.is_set():
            why = f"reading the catalogs took longer than {PATIENCE:g} s"
            return Unlooked(why, "Ask again once whoever locks a table of a view is through.")
        return Unlooked(f"the catalogs could not be read: {gate_words(error, '', '', 0)}")
    finally:
        timer.cancel()


def _unknown(stands: Standing) -> Unlooked | None:
    """Say of which batch it is not known whether it stands: without it there is no likeness."""
    built = {batch.name for batch in stands.built_on()}
    for answer in stands.answers:
        if answer.failure:
            return Unlooked(f"{answer.batch.name} gave no answer whether it stands")
        if answer.stands is None and answer.batch.migration and answer.batch.name not in built:
            return Unlooked(
                f"{answer.batch.name} cannot be asked whether it stands",
                "Give its migration.sql a `-- present: <boolean SQL>`.",
            )
    return None


def _schemas(connection: psycopg.Connection) -> tuple[str, ...]:
    """Return where names without a schema are looked for, the one that they are made in first."""
    row = connection.execute("select pg_catalog.current_schemas(false)::text[]").fetchone()
    assert row is not None, "a select without a from returns a row"
    return tuple(row[0])


def _compare(
    settings: Settings,
    suite: Suite,
    stands: Standing,
    here: tuple[Snapshot, tuple[str, ...]],
    major: int,
) -> tuple[Drift, Compared]:
    found, schemas = here
    batches = stands.built_on()
    absent = [each for each in suite.batches if each.migration and each not in batches]
    with likeness(settings, suite, batches, major) as there:
        making = make(there, absent, schemas)
    ours = there.binaries
    compared = Compared(ours.version, ours.source, ours.major != major, making.sampled)
    seen = drift_of(making, found, (ours.major, major))
    departures = tuple(named_in_files(suite, settings, each) for each in seen.departures)
    return replace(seen, departures=departures), compared


def _lacking(stands: Standing) -> list[str]:
    """Return the names of what is absent though a batch that stands requires it."""
    return list(dict.fromkeys(name for each in stands.batches for name in stands.lacking(each)))


def _unmade(error: BatchgateError, lacking: Sequence[str] = ()) -> Unlooked:
    said = error.message
    first = isinstance(error, BatchFailed) and lacking
    fix = f"Apply {', '.join(lacking)} first." if first else said.fix
    return Unlooked(said.headline, fix, said.at, said.cause)
