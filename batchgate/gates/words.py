"""How a gate's result is said to whoever has to act on it."""

from batchgate.errors import GateFailed
from batchgate.findings import Row, State
from batchgate.gates.rows import SAMPLE
from batchgate.run import GateResult
from batchgate.verdict import counted


def refusal(result: GateResult, samples: int = SAMPLE) -> GateFailed:
    """Return the message of a gate that did not pass, with at most so many rows."""
    rows = [str(row) for row in result.sample if _offends(row, result)][:samples]
    more = (result.count or 0) - len(rows)
    if more > 0 and rows:
        rows.append(f"… and {more} more")
    where = f" on {result.target}" if result.target else ""
    return GateFailed(
        f"gate {result.name}{where}: expected 0 {_noun(result)}s, found {_what(result)}",
        at=result.path,
        rows=rows,
        cause=result.reason if result.state is State.ERROR else "",
        fix=result.fix,
    )


def _noun(result: GateResult) -> str:
    return "finding" if result.figures else "row"


def _what(result: GateResult) -> str:
    if result.count is not None:
        return str(result.count)
    if result.state is State.ERROR:
        return "no result (error)"
    if result.state is State.NO_RESULT:
        return f"no result ({result.reason})"
    return f"no result ({result.state}: {result.reason})"


def _offends(row: Row, result: GateResult) -> bool:
    return not result.figures or row.cells[row.columns.index("finding")] != "NULL"


def warning_of(result: GateResult) -> str:
    """Return the one line an informational gate is to be read by."""
    if result.count:
        found = counted(result.count, _noun(result))
        return f"{found} found" if result.fails else f"{found} to review"
    return f"{result.state}: {result.reason}"
