"""Contents of two routes held side by side, but for what differs between two runs of one route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.contents import (
    LARGE_OBJECTS,
    Contents,
    ContentsDifference,
    TableContents,
    change_of_rows,
    compare_contents,
    take_contents,
)
from batchgate.reading import read_query
from batchgate.states import Offence

_NAMES = read_query("named_relation.sql")
_COLUMNS = sql.SQL(
    "select e.key, sum(hashtextextended(e.value::text, 0))::text from {} as t"
    " cross join lateral jsonb_each(to_jsonb(t.*)) as e group by e.key"
)
_ROWS = sql.SQL(
    "select 'rows', sum(hashtextextended((to_jsonb(t.*) - %s::text[])::text, 0))::text from {} as t"
)


class Sessions(NamedTuple):
    """Where the migration ran, where it ran once more, and where the online route ran."""

    first: psycopg.Connection
    again: psycopg.Connection
    online: psycopg.Connection


@dataclass
class Judged:
    """What two routes disagree on, by table or sequence, and what could not be compared."""

    offences: list[tuple[str, Offence]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge_contents(differences: Sequence[ContentsDifference], sessions: Sessions) -> Judged:
    """Tell what the routes disagree on from what no two runs of the migration agree on."""
    first, again = take_contents(sessions.first), take_contents(sessions.again)
    unsteady = {each.identity for each in compare_contents(first, again)}
    judged = Judged()
    for difference in differences:
        if difference.identity not in unsteady:
            judged.offences.append(_as_a_whole(difference))
        elif difference.of_sequence or not _can_be_judged(difference.identity, first, again):
            judged.notes.append(f"not compared: {difference.identity} differs from run to run")
        else:
            _judge_table(judged, difference, sessions)
    return judged


def _can_be_judged(name: str, first: Contents, again: Contents) -> bool:
    """Tell whether two runs agree at least on the number of rows, and whether there are columns."""
    return name != LARGE_OBJECTS and first.tables[name].rows == again.tables[name].rows


def _judge_table(judged: Judged, difference: ContentsDifference, sessions: Sessions) -> None:
    """Compare a table by its row count and by the columns that are the same in every run."""
    table, before, after = difference.identity, difference.before, difference.after
    counts = {each.rows for each in (before, after) if isinstance(each, TableContents)}
    if len(counts) > 1:
        judged.offences.append(_as_a_whole(difference))
        return
    first, again, online = (_figures(session, table, _COLUMNS) for session in sessions)
    unsteady = sorted(_differing(first, again))
    judged.notes += [f"not compared: {table}.{name} differs from run to run" for name in unsteady]
    other = sorted(_differing(first, online) - set(unsteady))
    judged.offences += [(table, _of_column(table, name)) for name in other]
    if not other:
        first, again, online = (_figures(session, table, _ROWS, unsteady) for session in sessions)
        if first == again != online:
            told = Offence(f"table {table}: the same values, in other rows", difference.change())
            judged.offences.append((table, told))


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _figures(
    session: psycopg.Connection, table: str, query: sql.SQL, *given: list[str]
) -> dict[str, str]:
    """Ask a query of one table; what is no table, such as large objects, gives no figures."""
    with session.cursor(row_factory=tuple_row) as cursor:
        names = cursor.execute(_NAMES, {"name": table}).fetchone()
        if names is None:
            return {}
        return dict(cursor.execute(query.format(sql.Identifier(*names)), given or None).fetchall())


def _as_a_whole(difference: ContentsDifference) -> tuple[str, Offence]:
    return difference.identity, Offence(_in_words(difference), difference.change())


def _of_column(table: str, name: str) -> Offence:
    return Offence(f"table {table}, column {name}: other values", change_of_rows(table, name))


def _in_words(difference: ContentsDifference) -> str:
    what = "sequence" if difference.of_sequence else "table"
    before, after = difference.before or "absent", difference.after or "absent"
    if str(before) == str(after):
        return f"{what} {difference.identity}: {before} by either route, with other contents"
    return (
        f"{what} {difference.identity}: {before} after migration.sql, "
        f"{after} after migration.online.sql"
    )
