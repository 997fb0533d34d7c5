"""Gates as the page lists them: target by target, those that fail first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from batchgate.findings import Level, State
from batchgate.report.anchors import Anchors
from batchgate.report.attention import by_target, found, statement
from batchgate.report.figures import Bars, bars_of
from batchgate.report.sources import Ink, Source
from batchgate.report.tables import Table, table_of
from batchgate.report.trends import Trend, Trends
from batchgate.report.words import Said, Tone, grouped
from batchgate.run import GateResult, Run
from batchgate.verdict import time_text


@dataclass(frozen=True)
class GateRow:
    """One gate: what it says, how it ended, and what is folded away beneath."""

    gate: GateResult
    anchor: str
    statement: str
    said: Said
    found: str
    count: str
    checked: str
    trend: Trend | None
    time: str
    table: Table | None
    query: Source | None
    plan: Source | None
    facts: Mapping[str, str]
    bars: Bars | None

    @property
    def open(self) -> bool:
        """Return whether it is unfolded from the start: to be put right, or figures to read."""
        return self.gate.fails or (self.gate.figures and self.bars is None)


@dataclass(frozen=True)
class GateGroup:
    """The gates of one target; without a name where there is but one place."""

    target: str
    rows: tuple[GateRow, ...]


def gate_groups(run: Run, anchors: Anchors, trends: Trends, ink: Ink) -> tuple[GateGroup, ...]:
    """Return the gates target by target, required ones that fail first, then by number."""
    groups: dict[str, list[GateRow]] = {}
    for gate in by_target(run, sorted(run.gates, key=_rank)):
        row = _row(run, gate, anchors.of_gate(gate), trends.of(gate.name, gate.target), ink)
        groups.setdefault(gate.target, []).append(row)
    return tuple(GateGroup(target, tuple(rows)) for target, rows in groups.items())


def said_of(gate: GateResult) -> Said:
    """Return a gate's result in words; what gave none is neither a pass nor a failure."""
    if gate.state in (State.NO_RESULT, State.ERROR):
        return Said((gate.cause.value or str(gate.state)).capitalize(), Tone.LOST)
    word = str(gate.state).capitalize()
    if gate.fails or gate.state is State.FAILED:
        return Said(word, Tone.BAD)
    if gate.state is State.WARNED:
        return Said("Finding", Tone.WARN)
    return Said(word, Tone.GOOD if gate.state is State.PASSED else Tone.IDLE)


def _rank(gate: GateResult) -> tuple[bool, bool, int]:
    return (not gate.fails, gate.fails and gate.level is not Level.REQUIRED, gate.number)


def _row(run: Run, gate: GateResult, anchor: str, trend: Trend | None, ink: Ink) -> GateRow:
    return GateRow(
        gate=gate,
        anchor=anchor,
        statement=statement(gate),
        said=said_of(gate),
        found=found(gate),
        count="–" if gate.count is None else grouped(gate.count),
        checked=_checked(gate),
        trend=trend,
        time=time_text(gate.seconds),
        table=table_of(gate),
        query=ink.sql("Query", gate.sql) if gate.sql else None,
        plan=ink.plan("Plan", gate.plan) if gate.plan else None,
        facts=dict(_facts(run, gate)),
        bars=bars_of(gate),
    )


def _checked(gate: GateResult) -> str:
    """Say how many rows the gate's tables hold; its own may be some of them."""
    if gate.checked is None or gate.count is None:
        return ""
    rows = grouped(gate.checked)
    about = rows if gate.exact else f"≈ {rows}"
    return f"from {about} rows" if gate.figures or gate.count > gate.checked else f"of {about}"


def _facts(run: Run, gate: GateResult) -> Iterator[tuple[str, str]]:
    yield "File", gate.path
    if gate.title and gate.title != gate.sentence:
        yield "Title", gate.title
    if gate.cost is not None:
        yield "Estimated cost", f"{gate.cost:,.0f}".replace(",", "\u202f")
    if gate.definition:
        yield "Definition", gate.definition
    if seen := _snapshot(run, gate):
        yield "Snapshot", seen
    if gate.tries > 1:
        yield "Tries", str(gate.tries)


def _snapshot(run: Run, gate: GateResult) -> str:
    taken = next((each.snapshots for each in run.targets if each.name == gate.target), ())
    return taken[gate.snapshot - 1] if 0 < gate.snapshot <= len(taken) else ""
