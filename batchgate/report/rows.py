"""The table of tests, as pytest-html keeps it for its script to draw."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from batchgate.report.entries import KINDS, Entry
from batchgate.verdict import time_text

# Each is sorted by a value of its own, and not by what it shows: a test by its place.
HEADER = (
    '<th class="sortable" data-column-type="rank" scope="col"><button>Result</button></th>',
    '<th class="sortable" data-column-type="testId" scope="col"><button>Test</button></th>',
    '<th class="sortable" data-column-type="duration" scope="col"><button>Time</button></th>',
)


def rows_of(table: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return the rows of pytest-html's table, every text in them escaped.

    What tests said is not among it: pytest-html would draw it anew with the rows, at each click.
    """
    return [_row(each) for each in table]


def labels_of(table: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """Return how many rows each of pytest-html's categories has, and what it is called here.

    Its script asks for a box of each of them.
    """
    numbers = Counter(each.kind for each in table)
    return {kind: {"label": _label(kind, table), "value": numbers[kind]} for kind in KINDS}


def _label(kind: str, table: Sequence[Entry]) -> str:
    return " or ".join(dict.fromkeys(each.word for each in table if each.kind == kind)) or kind


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "testId": entry.id,
        "result": entry.kind,
        "rank": f"{entry.rank} {entry.word}",
        # It is sorted by the whole number that it begins with.
        "duration": f"{round(entry.seconds * 1_000_000)} µs",
        "extras": [],
        "log": "",
        "resultsTableRow": _cells(entry),
    }


def _cells(entry: Entry) -> list[str]:
    word = escape(entry.word.capitalize())
    result = f'<button aria-expanded="false">{word}</button>' if entry.text else word
    phase = f" <small>in {escape(entry.phase)}</small>" if entry.phase else ""
    headline = f'<p class="bg-said">{escape(entry.headline)}</p>' if entry.headline else ""
    name = f"<wbr>::{escape(entry.name)}" if entry.name else ""
    return [
        f'<td class="col-result {entry.tone}">{result}</td>',
        f'<td class="col-testId"><bdi><span>{escape(entry.file)}</span>{name}</bdi>{phase}'
        f"{headline}</td>",
        f'<td class="col-duration">{time_text(entry.seconds)}</td>',
    ]
