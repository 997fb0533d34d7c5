"""How a file ends that nothing befalls, and what of that differs from run to run."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from batchgate.catalog import collapse, compare
from batchgate.contents import (
    ContentsDifference,
    TableContents,
    change_of_rows,
    compare_contents,
)
from batchgate.particulars import Change
from batchgate.reading import read_query
from batchgate.rehearsal.failures.faults import Scene
from batchgate.rehearsal.failures.sendings import Go, Sending, send_file
from batchgate.script import Script
from batchgate.states import Differing, State, take_state

# What is left of a dropped column, and is seen by nothing that counts columns.
_ORDER, _SLOTS = "column order", "dropped slots"


class Figure(NamedTuple):
    """One thing that is told of a column."""

    column: str
    what: str


Sums = Mapping[Figure, str]


def differences(before: State, after: State, *, exactly: bool = True) -> list[Differing]:
    """List what differs between two states, but for numbers drawn from a sequence.

    What is undone by statements, rather than by the server, need not be so exactly.
    """
    found = compare(before.schema, after.schema)
    schema = (one for one in found if not one.soft or (exactly and one.attribute != _SLOTS))
    contents = compare_contents(before.contents, after.contents)
    told: list[Differing] = list(collapse(schema))
    told += (one for one in contents if not one.advanced)
    return told


class _Columns(NamedTuple):
    """The columns of a table that hold other values, of those that do not from run to run."""

    table: str
    names: str

    def __str__(self) -> str:
        return f"changed: table {self.table}: {self.names}"

    def change(self, at: str = "") -> Change:
        """Return this as plain values."""
        return change_of_rows(self.table, self.names, at)


class _Twice(NamedTuple):
    """What two undisturbed runs have in common: of some tables the steady figures alone."""

    end: State
    loose: Mapping[str, Sums]


class Undisturbed:
    """The state that a file ends in, to hold others against.

    It is run twice, and the second time every sequence moves on in between, as it does where a
    statement fails after it drew a number: what differs then, such as random keys and the
    clock, tells nothing of a third run.
    """

    def __init__(self, scenes: Callable[[], AbstractContextManager[Scene]], script: Script) -> None:
        self._scenes = scenes
        self._script = script

    def differences(self, observer: psycopg.Connection, state: State) -> list[Differing]:
        """List what differs from this end in a database that an observer sees."""
        end = self._twice.end
        schema = (one for one in compare(end.schema, state.schema) if not one.soft)
        found: list[Differing] = list(collapse(schema))
        for one in compare_contents(end.contents, state.contents):
            if not one.advanced and (told := self._differs(observer, one)):
                found.append(told)
        return found

    def steady(self, state: State) -> object:
        """Return what two states have in common that differ only as two runs would."""
        tables = {
            name: table.rows if name in self._twice.loose else table
            for name, table in state.contents.tables.items()
        }
        schema = {key: value for key, value in state.schema.facts.items() if key[0] != _ORDER}
        return schema, tables

    def _differs(self, observer: psycopg.Connection, one: ContentsDifference) -> Differing | None:
        if one.identity not in self._twice.loose:
            return one
        before, after = one.before, one.after
        if not (isinstance(before, TableContents) and isinstance(after, TableContents)):
            return one
        if before.rows != after.rows:
            return one
        steady, sums = self._twice.loose[one.identity], _sums(observer, one.identity)
        columns = sorted({figure.column for figure in steady if sums.get(figure) != steady[figure]})
        return _Columns(one.identity, ", ".join(columns)) if columns else None

    @cached_property
    def _twice(self) -> _Twice:
        with self._scenes() as first, self._scenes() as second:
            ends = []
            for scene, nudged in ((first, False), (second, True)):
                with scene.connect() as session:
                    send_file(session, self._script, _Nudge(scene, session, nudged))
                ends.append(take_state(scene.observer))
            end, other = ends
            unlike = (
                one.identity
                for one in compare_contents(end.contents, other.contents)
                if not one.of_sequence
            )
            return _Twice(end, {name: _common(first, second, name) for name in unlike})


class _Nudge:
    """Draws a number from every sequence between the transactions of a file."""

    def __init__(self, scene: Scene, session: psycopg.Connection, nudged: bool) -> None:
        self.scene, self.session, self.nudged = scene, session, nudged

    def __call__(self, sending: Sending, go: Go) -> None:
        if self.nudged and self.session.info.transaction_status is TransactionStatus.IDLE:
            self.scene.observer.execute(read_query("nudge_sequences.sql"))
        go(sending.text)


def _common(first: Scene, second: Scene, table: str) -> Sums:
    ours, others = _sums(first.observer, table), _sums(second.observer, table)
    return {name: ours[name] for name in ours.keys() & others.keys() if ours[name] == others[name]}


def _sums(observer: psycopg.Connection, table: str) -> Sums:
    """Sum up what each column of a table holds; of what is no table there is nothing to say."""
    asked = "select pg_catalog.parse_ident(%s) where pg_catalog.to_regclass(%s) is not null"
    named = observer.execute(asked, (table, table)).fetchone() if "." in table else None
    if named is None:
        return {}
    query = sql.SQL(read_query("column_sums.sql").decode()).format(table=sql.Identifier(*named[0]))
    sums: dict[Figure, str] = {}
    for column, contents, nulls in observer.execute(query):
        sums |= {Figure(column, "contents"): contents, Figure(column, "nulls"): nulls}
    return sums
