"""What a migration does to schema and data, as values."""

from collections.abc import Mapping
from dataclasses import replace

from batchgate.catalog import Difference, Kind, collapse, compare
from batchgate.particulars import Change, Particulars
from batchgate.schematext import schema_diff
from batchgate.states import LISTED, State

_LINES = 400
_DONE = {Kind.LEFT_BEHIND: "added", Kind.DESTROYED: "removed", Kind.CHANGED: "changed"}
_HOLDING_ROWS = ("table", "partitioned table")


def changes_between(before: State, after: State, written: Mapping[str, int]) -> Particulars:
    """Return what became of the schema, how many rows there were, and those that were written."""
    differences = collapse(compare(before.schema, after.schema))
    diff = schema_diff(before.schema, after.schema, differences)
    found = {"changes": len(differences), "diff": len(diff), "written": len(written)}
    room = {"changes": LISTED, "diff": _LINES, "written": LISTED}
    return Particulars(
        changes=tuple(_done(each) for each in differences[:LISTED]),
        diff=tuple(diff[:_LINES]),
        rows=_rows(before),
        written=tuple(written.items())[:LISTED],
        left_out=tuple(
            (name, number - room[name]) for name, number in found.items() if number > room[name]
        ),
    )


def _done(difference: Difference) -> Change:
    """Tell of a difference as something that a migration is there to do."""
    return replace(difference.change(), kind=_DONE[difference.kind])


def _rows(state: State) -> int:
    """Count the rows of tables; what materialized views hold follows from them."""
    facts = state.schema.facts
    return sum(
        table.rows
        for name, table in state.contents.tables.items()
        if facts.get(("relation", name), {}).get("kind") in _HOLDING_ROWS
    )
