"""Which line of a migration made what a mutant damages."""

from collections.abc import Callable, Mapping, Sequence

import psycopg
from psycopg import sql

from batchgate.catalog import Snapshot, take_snapshot
from batchgate.heights import Heights
from batchgate.mutation.assertion import sight_of
from batchgate.mutation.damage import Mutant
from batchgate.rehearsal.course import Course, leg, retrace
from batchgate.rehearsal.stage import below, shown
from batchgate.suite import Batch
from batchgate.wholes import Attributes, Key

# More of them would be looked at after every statement.
_MOST = 100

Look = Callable[[psycopg.Connection], tuple[object, ...]]


def origins(
    heights: Heights,
    batch: Batch,
    after: Snapshot,
    wanted: Sequence[Mutant],
    others: Sequence[Mutant],
) -> dict[Mutant, str]:
    """Find the lines by running the migration stepwise: of the others where that is cheap."""
    sights = {one: sight_of(one, after.facts[one.key]) for one in (*wanted, *others)}
    if all(sights[one] for one in wanted):
        queries = {one: query for one, query in sights.items() if query is not None}
        mutants = list(queries)[: max(_MOST, len(wanted))]
        places, look = _by_queries([queries[one] for one in mutants])
    else:
        # A snapshot shows as many as there are.
        mutants, places, look = list(sights), range(len(sights)), _by_snapshot(list(sights))
    changes = retrace(heights, Course(below(heights, batch), (leg(batch, "migration.sql"),)), look)
    first_line = f"{shown(heights, batch.migration)}:1"
    return {
        mutant: next((one.at for one in reversed(changes) if one.before[i] != one.after[i]), "")
        or first_line
        for mutant, i in zip(mutants, places, strict=True)
    }


def _by_queries(queries: Sequence[sql.Composed]) -> tuple[Sequence[int], Look]:
    """Return the place of each query in a look, where those that are alike stand once."""
    alike = {query.as_string(): query for query in queries}
    place = {text: number for number, text in enumerate(alike)}
    columns = [sql.SQL("({})::text").format(query) for query in alike.values()]
    whole = sql.SQL("select {}").format(sql.SQL(", ").join(columns))

    def look(session: psycopg.Connection) -> tuple[object, ...]:
        session.execute("set local search_path = ''")
        return session.execute(whole).fetchone() or ()

    return [place[query.as_string()] for query in queries], look


def _by_snapshot(mutants: Sequence[Mutant]) -> Look:
    def look(session: psycopg.Connection) -> tuple[object, ...]:
        facts = take_snapshot(session).facts
        return tuple(_seen(facts, mutant) for mutant in mutants)

    return look


def _seen(facts: Mapping[Key, Attributes], mutant: Mutant) -> object:
    """Return what a mutant damages, as a snapshot has it."""
    now = facts.get(mutant.key)
    return now if now is None or mutant.attribute is None else now.get(mutant.attribute)
