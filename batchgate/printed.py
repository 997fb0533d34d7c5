"""Read what a script printed: some print their failure and exit with 0 all the same."""

import re

from batchgate.psqloutput import Output, ScriptRun

_SEVERITY = re.compile(r"^[A-Z]+:  ")
_FAILURE = re.compile(r"^\W*(?:FAIL(?:ED|S|URES?)?\b|[✗❌])(?P<rest>.*)")
_NOTHING = re.compile(r"^\W*0\b")


def printed_failures(run: ScriptRun) -> list[str]:
    """Return the lines, notices and cells that say that something failed.

    An error that the script went on after is one; a count of none that failed is not.
    """
    return [line for output in run.outputs for line in _failures(output)]


def _failures(output: Output) -> list[str]:
    lines = output.text.splitlines()
    if output.kind == "error":
        return lines[:1]
    if output.kind == "table":
        return [line for line in lines[1:-1] if _row_failed(line.split(" | "))]
    return [line for line in lines if _cell_failed(_SEVERITY.sub("", line))]


def _row_failed(cells: list[str]) -> bool:
    """Tell whether a cell says so, unless the next one counts none."""
    following = [*cells[1:], ""]
    return any(
        _cell_failed(cell) and not _NOTHING.match(next_cell)
        for cell, next_cell in zip(cells, following, strict=True)
    )


def _cell_failed(text: str) -> bool:
    match = _FAILURE.match(text)
    return bool(match) and not _NOTHING.match(match["rest"] if match else "")
