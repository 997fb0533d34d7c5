"""The rows that a gate found, as the page shows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from batchgate.report.words import grouped
from batchgate.run import GateResult
from batchgate.verdict import counted

_COLUMNS = 12
_NUMBER = re.compile(r"[-+]?\d[\d.,]*\s?%?")


@dataclass(frozen=True)
class Table:
    """Rows to show, already masked; `cut` says what is not shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    caption: str


def table_of(gate: GateResult) -> Table | None:
    """Return the rows that a gate shows, or None."""
    if not gate.sample:
        return None
    columns = gate.sample[0].columns[:_COLUMNS]
    rows = tuple(row.cells[:_COLUMNS] for row in gate.sample)
    cut = len(gate.sample[0].columns) - _COLUMNS
    caption = _caption(gate) + (f", {counted(cut, 'more column')} not shown" if cut > 0 else "")
    return Table(
        columns=columns,
        rows=rows,
        numeric=tuple(_is_numeric(cells) for cells in zip(*rows, strict=True)),
        caption=caption,
    )


def _is_numeric(cells: Sequence[str]) -> bool:
    told = [cell for cell in cells if cell != "NULL"]
    return bool(told) and all(_NUMBER.fullmatch(cell) for cell in told)


def _caption(gate: GateResult) -> str:
    shown = len(gate.sample)
    if gate.figures:
        return counted(shown, "figure")
    if gate.count is not None and gate.count > shown:
        return f"{shown} of {grouped(gate.count)} rows"
    return counted(shown, "row")
