"""Figures that are a distribution, as bars: each entry's number, and its share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from batchgate.report.words import grouped
from batchgate.run import GateResult

_FINDING, _NULL = "finding", "NULL"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?: ?%)?", re.ASCII)
# As the server writes whole numbers: without a sign, grouping or leading zeros.
_WHOLE = re.compile(r"0|[1-9]\d*", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.(\d+))?)(?: ?%)?", re.ASCII)
_IDENTIFIER = re.compile(r"(?:.*[^a-zA-Z])?[oO]?[iI][dD]|.*[a-z]I[dD]", re.DOTALL)
# More are no picture any more, and the table holds them all.
_ENTRIES = 40


@dataclass(frozen=True)
class Bar:
    """One entry: its number with its thousands set apart, and how long its bar is, 0 to 1.

    `percent` has the gate's own digits, without a sign, or is empty; `finding` may be empty where
    it is `flagged`.
    """

    label: str
    number: str
    percent: str
    share: float
    finding: str
    flagged: bool


@dataclass(frozen=True)
class Bars:
    """A distribution: what is counted (`unit`) by what (`label`).

    A bar's share is that of the total where the entries are parts of one `whole`, else of the
    largest entry.
    """

    title: str
    label: str
    unit: str
    whole: bool
    entries: tuple[Bar, ...]


def bars_of(gate: GateResult) -> Bars | None:
    """Return the bars of a gate whose figures are a distribution; None where they may not be.

    It has a column of text that tells all its entries apart, one of whole numbers that count, and
    `finding`; at most a fourth, which is a percentage only where it agrees with the numbers: that
    proves the entries to be parts of one whole. Anything more says what no bar could. All figures
    have to be there; what is masked is neither a number nor told apart.
    """
    if not gate.figures or not 1 < len(gate.sample) <= _ENTRIES:
        return None
    names = gate.sample[0].columns
    columns = dict(zip(names, zip(*(row.cells for row in gate.sample), strict=True), strict=True))
    if len(columns) < len(names) or _FINDING not in columns or len(columns) > 4:
        return None
    findings = columns.pop(_FINDING)
    texts = [name for name, cells in columns.items() if not _are_numbers(cells)]
    if len(texts) != 1 or len(set(columns[texts[0]])) < len(gate.sample):
        return None
    labels = columns.pop(texts[0])
    if not (counted := _counted(columns)):
        return None
    unit, percents = counted
    if not _is_all(gate, findings, proven=bool(percents)):
        return None
    entries = _entries(labels, columns[unit], percents, findings)
    return Bars(gate.title, texts[0], unit, bool(percents), entries)


def _are_numbers(cells: Sequence[str]) -> bool:
    return all(cell == _NULL or _NUMBER.fullmatch(cell) for cell in cells)


def _counted(columns: dict[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]] | None:
    """Return the name of the column that counts, and the percentages if there are any."""
    for unit, cells in columns.items():
        others = [each for name, each in columns.items() if name != unit]
        if not all(map(_WHOLE.fullmatch, cells)) or _IDENTIFIER.fullmatch(unit):
            continue
        total = sum(map(int, cells))
        if total and not others:
            return unit, ()
        if total and all(map(_agrees, others[0], cells, [total] * len(cells))):
            return unit, others[0]
    return None


def _agrees(percent: str, number: str, total: int) -> bool:
    """Tell whether a percentage is a number's share of the total, be it rounded or cut off."""
    told = _PERCENT.fullmatch(percent)
    if not told:
        return False
    last_digit = Fraction(1, 10 ** len(told[2] or ""))
    return abs(Fraction(told[1]) - Fraction(100 * int(number), total)) < last_digit


def _is_all(gate: GateResult, findings: Sequence[str], *, proven: bool) -> bool:
    """Tell whether no figure was left out: of too many only those with a finding are kept."""
    flagged = sum(finding != _NULL for finding in findings)
    return flagged == gate.count and (proven or flagged < len(findings))


def _entries(
    labels: Sequence[str], numbers: Sequence[str], percents: Sequence[str], findings: Sequence[str]
) -> tuple[Bar, ...]:
    values = list(map(int, numbers))
    full = sum(values) if percents else max(values)
    return tuple(
        Bar(
            label=label,
            number=grouped(value),
            percent=percent.rstrip(" %"),
            share=value / full,
            finding="" if finding == _NULL else finding,
            flagged=finding != _NULL,
        )
        for label, value, percent, finding in zip(
            labels, values, percents or [""] * len(values), findings, strict=True
        )
    )
