"""What batches make of an empty database: every object and attribute, and which batch's it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg import sql

from batchgate.batches import run_file
from batchgate.catalog import Snapshot, compare, take_snapshot
from batchgate.contract import expect_known_catalogs
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.operate.likeness import Likeness
from batchgate.rehearsal.stage import apply
from batchgate.samples import sample_of
from batchgate.suite import Batch
from batchgate.wholes import Attributes, Key

# Makes a snapshot of one server comparable with that of another.
Likening = Callable[[Snapshot], Snapshot]


@dataclass(frozen=True)
class Making:
    """What an empty database holds, and what it does once all batches stand.

    `origins` names the batch that made an object, or made an attribute of it what it is;
    `leftovers` are what batches that do not stand would make, by the name of each; `sampled` tells
    that the batches did not apply without rows and were given the sample data.
    """

    ground: Snapshot
    top: Snapshot
    origins: Mapping[tuple[Key, str | None], str] = field(default_factory=dict)
    leftovers: Mapping[Key, str] = field(default_factory=dict)
    sampled: bool = False

    def made(self, key: Key) -> Attributes | None:
        """Return what the batches made: of an object that was there before, what they changed."""
        was, stands = self.ground.facts.get(key), self.top.facts.get(key)
        if was is None or stands is None:
            return stands
        names = [name for name in was.keys() | stands.keys() if was.get(name) != stands.get(name)]
        return {name: stands.get(name) for name in names} or None

    def origin(self, key: Key, *attributes: str) -> str:
        """Return the name of the batch that made an object, or one of its attributes, what it is.

        What no batch made is one's that does not stand, or nobody's.
        """
        asked = [*((key, name) for name in attributes), (key, None)]
        found = (self.origins[each] for each in asked if each in self.origins)
        return next(found, self.leftovers.get(key, ""))

    def likened(self, liken: Likening) -> "Making":
        """Return the same with its snapshots made comparable."""
        return replace(self, ground=liken(self.ground), top=liken(self.top))


def make(there: Likeness, absent: Iterable[Batch], schemas: Sequence[str] = ("public",)) -> Making:
    """Apply the batches one by one, and look at each; then try those that are absent.

    `schemas` are where names without one are looked for, and made in the first of them. Raises
    BatchFailed where a batch does not apply, neither without rows nor with the sample data.
    """
    try:
        return _make(there.heights, absent, schemas, sample=False)
    except BatchFailed as failure:
        try:
            return _make(there.heights, absent, schemas, sample=True)
        except BatchFailed:
            # With the sample data there is more that may be wrong.
            raise failure from None


def _make(
    heights: Heights, absent: Iterable[Batch], schemas: Sequence[str], *, sample: bool
) -> Making:
    origins: dict[tuple[Key, str | None], str] = {}
    with heights.clone(None) as database, heights.connect(database) as observer:
        expect_known_catalogs(observer)
        _set_search_path(heights, observer, schemas)
        ground = top = take_snapshot(observer)
        for batch in heights.suite.batches:
            apply(heights, database, batch)
            if sample:
                _load_sample(heights, database, batch)
            before, top = top, take_snapshot(observer)
            origins.update((each, batch.name) for each in _changed(before, top))
        leftovers: dict[Key, str] = {}
        for batch in absent:
            try:
                apply(heights, database, batch)
            except BatchFailed:
                continue
            new = take_snapshot(observer).facts.keys() - top.facts.keys() - leftovers.keys()
            leftovers.update(dict.fromkeys(new, batch.name))
    return Making(ground, top, origins, leftovers, sample)


def _set_search_path(
    heights: Heights, observer: psycopg.Connection, schemas: Sequence[str]
) -> None:
    """Let the sessions to come make things where those of the other database do."""
    if schemas[:1] == ("public",):
        return
    names = [sql.Identifier(schema) for schema in schemas]
    path = sql.SQL(", ").join(names) if names else sql.Literal("")
    for schema in _not_brought(heights, schemas):
        observer.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    observer.execute(
        sql.SQL("alter database {} set search_path = {}").format(
            sql.Identifier(observer.info.dbname), path
        )
    )


def _not_brought(heights: Heights, schemas: Sequence[str]) -> list[str]:
    """Return which of the schemas neither the server nor a batch brings."""
    ground = _standing_in(heights, None, schemas)
    try:
        top = _standing_in(heights, next(reversed(heights.suite.batches), None), schemas)
    except BatchFailed:
        # They may be what it lacks.
        top = ground
    return [schema for schema in schemas if schema not in ground | top]


def _standing_in(heights: Heights, batch: Batch | None, schemas: Sequence[str]) -> set[str]:
    with (
        heights.clone(batch, sample=False) as database,
        heights.connect(database) as session,
    ):
        asked = "select nspname from pg_catalog.pg_namespace where nspname = any (%s)"
        return {name for (name,) in session.execute(asked, [list(schemas)])}


def _changed(before: Snapshot, after: Snapshot) -> Iterator[tuple[Key, str | None]]:
    """Yield the objects that came, and the attributes that changed."""
    for each in compare(before, after):
        if each.key in after.facts:
            yield each.key, each.attribute


def _load_sample(heights: Heights, database: str, batch: Batch) -> None:
    """Load what the sample has for a batch."""
    if path := sample_of(batch, heights.settings):
        with heights.connect(database) as session:
            ran = run_file(session, heights.settings, batch, path)
        if not ran.succeeded:
            raise ran.failure(f"sample data {ran.path} to load")
