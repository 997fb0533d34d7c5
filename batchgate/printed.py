"""Read what a script printed: some print their failure and exit with 0 all the same.

A failure is what says so of itself: a line or a cell that begins with a word such as FAIL or
`not ok`, a claim such as `passed` with false beside it, a count of failures above none. Prose
that only mentions failures, and figures that someone would have to compare, are none.
"""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from batchgate.findings import MASK
from batchgate.psqloutput import Output, ScriptRun

_SEVERITY = re.compile(r"^[A-Z]+\d?:  ")
# Shouted, or followed by a colon; what TAP expects to fail is no failure.
_FAILURE = re.compile(
    r"^\W*(?:FAIL(?:ED|S|URES?)?\b|NOT OK\b|not ok\b(?!.*# ?(?:TODO|SKIP))|[✗✘❌]"
    r"|(?:ERRORS?|MISSING|MISMATCH(?:ES)?|INVALID|WRONG|BROKEN)\s*(?:[:!–—-]|$)"
    r"|(?i:fail(?:ed|ure)?)\s*[:!])(?P<rest>.*)"
)
_AT_THE_END = re.compile(
    r"(?:[:=→>|…]|\.\.|\s[-–—])\s*\W?(?:FAIL(?:ED|URE)?|NOT OK)\W*(?:$|[:–—-])"
)
_COUNTED = re.compile(
    r"\b[1-9]\d* (?:(?:of|out of|/) \d+ )?(?:(?:tests?|checks?|assertions?|validations?) )?"
    r"(?:failed|failures?)(?=\W*$|[,;.)])"
    r"|\b(?:failed|failures|violations)\s*[:=]\s*[1-9]",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:ok|pass(?:ed)?|success)\s*[:=]\s*(?:f|false)\b", re.IGNORECASE)
_PASSED = re.compile(r"^\W*(?:[✓✔✅]|PASS(?:ED)?\b|OK\b|ok\b)")
_NOTHING = re.compile(r"^\W*(?:0\b|none\W*$)", re.IGNORECASE)
_CLAIM = re.compile(
    r"(?:(?:is|all|test|tests|check|checks|validation)_)*"
    r"(?:ok|pass|passes|passed|success|successful|succeeded|holds)",
    re.IGNORECASE,
)
_OFFENCES = re.compile(
    r"(?:failures|violations|mismatches|(?:failure|violation|mismatch)_count"
    r"|(?:failed|failing)_(?:tests|checks|rows))",
    re.IGNORECASE,
)
# Such a count may be any figure to read; one that rose from none because of a damage is not.
_SUSPECTS = re.compile(
    r"missing|fail|violat|mismatch|invalid|orphan|wrong|bad|error|duplicate", re.IGNORECASE
)
_COUNT = re.compile(r"[1-9]\d*")
_ROW_COUNT = re.compile(r"\n\(\d+ rows?\)$")
_FALSE = ("f", "false")
_TRUE = ("t", "true")


class Failure(NamedTuple):
    """One thing that was printed and says that something failed, and the line that printed it."""

    text: str
    at: str


class _Cell(NamedTuple):
    """One cell of a printed table: where it stands, and what it says."""

    row: int
    heading: str
    text: str


def printed_failures(run: ScriptRun) -> list[str]:
    """Return the lines, notices and cells that say that something failed."""
    return [failure.text for failure in failures_in(run)]


def failures_in(run: ScriptRun, spoken: str = "") -> list[Failure]:
    """Return the lines, notices and cells that say that something failed, with their places.

    An error that the script went on after is one; a count of none that failed is not. Cells
    may be people's data: those that do not stand in the script itself, `spoken`, are masked.
    """
    return [failure for output in run.outputs for failure in _failures(output, spoken)]


def turned_failures(run: ScriptRun, clean: ScriptRun, spoken: str = "") -> list[Failure]:
    """Return the failures that a clean run did not print.

    A cell that was true and is false is one too, and a count of what should not be that rose.
    """
    known = {failure.text for failure in failures_in(clean, spoken)}
    before = dict(_cells_of(clean))
    turned = [
        Failure(f"{cell.heading}={cell.text}", place[0])
        for place, cell in _cells_of(run)
        if place in before and _turned(before[place], cell)
    ]
    found = [each for each in failures_in(run, spoken) if each.text not in known]
    return found or turned


def claims(run: ScriptRun) -> list[str]:
    """Return the places of what was printed and says that something passed."""
    return [
        output.at
        for output in run.outputs
        if any(
            _PASSED.match(_SEVERITY.sub("", part))
            for line in output.text.splitlines()
            for part in (line, *line.split(" | "))
        )
    ]


def _failures(output: Output, spoken: str) -> Iterator[Failure]:
    lines = output.text.splitlines()
    if output.kind == "error":
        yield from (Failure(line, output.at) for line in lines[:1])
    elif _is_table(output):
        headings = lines[0].split(" | ")
        for line in lines[1:-1]:
            cells = line.split(" | ")
            if failing := set(_failing(headings, cells)):
                yield Failure(_shown(headings, cells, failing, spoken), output.at)
    else:
        for line in lines:
            if _says_failure(_SEVERITY.sub("", line)):
                yield Failure(line, output.at)


def _is_table(output: Output) -> bool:
    """Tell rows from what a COPY wrote to the output."""
    return output.kind == "table" and bool(_ROW_COUNT.search(output.text))


def _says_failure(line: str) -> bool:
    if _PASSED.match(line):
        return bool(_DENIED.match(line))
    counted = _COUNTED.search(line) or _DENIED.search(line) or _AT_THE_END.search(line)
    return _begins_so(line) or bool(counted)


def _begins_so(text: str) -> bool:
    match = _FAILURE.match(text)
    return bool(match) and not _NOTHING.match(match["rest"] if match else "")


def _failing(headings: list[str], cells: list[str]) -> Iterator[int]:
    """Yield the places of cells that say so, unless the next one counts none."""
    for place, cell in enumerate(cells):
        following = cells[place + 1] if place + 1 < len(cells) else ""
        heading = headings[place].strip() if len(headings) == len(cells) else ""
        if (
            (_begins_so(cell) and not _NOTHING.match(following))
            or (_CLAIM.fullmatch(heading) and cell in _FALSE)
            or (_OFFENCES.fullmatch(heading) and _COUNT.fullmatch(cell))
        ):
            yield place


def _shown(headings: list[str], cells: list[str], failing: set[int], spoken: str) -> str:
    named = [
        (heading, cell if place in failing or not cell or cell in spoken else MASK)
        for place, (heading, cell) in enumerate(zip_longest(headings, cells, fillvalue=""))
    ]
    return " | ".join(f"{heading}={cell}" if heading else cell for heading, cell in named)


def _cells_of(run: ScriptRun) -> Iterator[tuple[tuple[str, int, int], _Cell]]:
    """Yield what stands in the tables that were printed, by statement, row and column."""
    for output in run.outputs:
        lines = output.text.splitlines() if _is_table(output) else [""]
        headings = lines[0].split(" | ")
        for row, line in enumerate(lines[1:-1]):
            for column, cell in enumerate(line.split(" | ")):
                heading = headings[column] if column < len(headings) else ""
                yield (output.at, row, column), _Cell(row, heading, cell)


def _turned(before: _Cell, after: _Cell) -> bool:
    suspect = bool(_SUSPECTS.search(after.heading))
    falls = before.text in _TRUE and after.text in _FALSE and not suspect
    rises = before.text == "0" and bool(_COUNT.fullmatch(after.text)) and suspect
    return falls or rises
