"""The page as values: every word and tone decided here, nothing drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchgate.findings import Level, State
from batchgate.report.attention import (
    Point,
    anchor_of,
    blocking,
    by_target,
    found,
    left_out,
    statement,
    to_read,
)
from batchgate.report.proofs import BatchRow, Promised, batch_rows
from batchgate.report.tables import Table, table_of
from batchgate.report.words import Tone, grouped, listed, sentence_of
from batchgate.verdict import (
    CheckResult,
    GateResult,
    Outcome,
    Run,
    Verdict,
    counted,
    time_text,
)
from batchgate.whereabouts import facts_of, gates_of

_RED = (Outcome.BLOCKED, Outcome.GATES_FAIL)


@dataclass(frozen=True)
class Figure:
    """One of the figures under the verdict."""

    value: str
    label: str
    note: str
    tone: Tone


@dataclass(frozen=True)
class GateRow:
    """One gate as the page lists it."""

    gate: GateResult
    anchor: str
    statement: str
    said: str
    tone: Tone
    found: str
    count: str
    time: str
    table: Table | None


@dataclass(frozen=True)
class Place:
    """A database that gates ran on, what is known of it, and what its role lacks."""

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    grants: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Everything the page's own part shows."""

    verdict: Verdict
    tone: Tone
    reason: str
    blocks_title: str
    unproven: tuple[str, ...]
    figures: tuple[Figure, ...]
    blocks: tuple[Point, ...]
    left_out: tuple[Point, ...]
    to_read: tuple[Point, ...]
    batches: tuple[BatchRow, ...]
    places: tuple[Place, ...]
    gates: tuple[GateRow, ...]
    gates_not_run: tuple[str, ...]
    described: str
    tests: str


def page_of(run: Run, verdict: Verdict, described: str, promised: Sequence[Promised]) -> Page:
    """Turn a run and its verdict into what the page shows."""
    # Gates on a target are a run of their own: what is true of batches is another's question.
    batches = () if run.only_gates else batch_rows(run, promised)
    unproven = tuple(_unproven(run, batches))
    return Page(
        verdict=verdict,
        tone=_tone(verdict, complete=not unproven),
        reason=sentence_of(verdict.reason),
        blocks_title="What blocks" if run.only_gates else "What blocks this merge",
        unproven=unproven,
        figures=(*_gate_figures(run), *_batch_figure(batches), _test_figure(run)),
        blocks=blocking(run),
        left_out=left_out(run),
        to_read=to_read(run),
        batches=batches,
        places=tuple(
            Place(each.name, facts_of(each, gates_of(run, each)), each.notes, each.grants)
            for each in run.targets
        ),
        gates=gate_rows(run),
        gates_not_run=run.gates_not_run if run.gates else (),
        described=described,
        tests=_tests(run),
    )


def gate_rows(run: Run) -> tuple[GateRow, ...]:
    """Return the gates target by target, those that fail first, then by number."""
    return tuple(
        GateRow(
            gate=gate,
            anchor=anchor_of(gate),
            statement=statement(gate),
            said=said(gate),
            tone=_gate_tone(gate),
            found=found(gate),
            count="–" if gate.count is None else grouped(gate.count),
            time=time_text(gate.seconds),
            table=table_of(gate),
        )
        for gate in by_target(
            run, sorted(run.gates, key=lambda each: (not each.fails, each.number))
        )
    )


def said(gate: GateResult) -> str:
    """Return a gate's result in a word."""
    return str(gate.state).capitalize()


def _tone(verdict: Verdict, *, complete: bool) -> Tone:
    if verdict.outcome in _RED:
        return Tone.BAD
    if verdict.outcome not in (Outcome.CLEAR, Outcome.GATES_PASS):
        return Tone.WARN
    return Tone.GOOD if complete else Tone.IDLE


def _unproven(run: Run, batches: Sequence[BatchRow]) -> list[str]:
    """Say what a green page would hide: whatever did not run or had nothing to look at."""
    parts = []
    if idle := [row for row in batches if row.tone is Tone.IDLE]:
        parts.append(f"the checks of {counted(len(idle), 'batch', 'batches')} were not all run")
    if silent := [row for row in batches if row.tone is Tone.WARN]:
        parts.append(f"{counted(len(silent), 'batch', 'batches')} had something not exercised")
    if run.gates_not_run:
        parts.append(f"{counted(len(run.gates_not_run), 'gate')} not run")
    if mute := _mute(run):
        parts.append(f"{counted(mute, 'gate')} gave no result")
    if skipped := run.counts.get("skipped", 0):
        parts.append(f"{counted(skipped, 'test')} skipped")
    return parts


def _mute(run: Run) -> int:
    results = (State.PASSED, State.FAILED, State.WARNED)
    return sum(gate.state not in results for gate in run.gates)


def _gate_tone(gate: GateResult) -> Tone:
    if gate.fails or gate.state in (State.FAILED, State.ERROR):
        return Tone.BAD
    if gate.state is State.WARNED:
        return Tone.WARN
    return Tone.GOOD if gate.state is State.PASSED else Tone.IDLE


def _gate_figures(run: Run) -> list[Figure]:
    if not run.gates:
        return []
    required = [gate for gate in run.gates if gate.level is Level.REQUIRED]
    total = max(len(run.required_in_suite), len(required))
    passing = sum(gate.state is State.PASSED for gate in required)
    failing = sum(gate.fails for gate in required)
    rest = total - passing - failing
    note = listed({"failing": failing, "without a result": rest})
    return [
        Figure(
            f"{passing}/{total}",
            "required gates pass",
            note or "none fails",
            _worst(bad=failing, idle=rest),
        ),
        _findings_figure([gate for gate in run.gates if gate.level is Level.INFORMATIONAL]),
    ]


def _findings_figure(gates: Sequence[GateResult]) -> Figure:
    findings = sum(bool(gate.count) for gate in gates)
    mute = sum(gate.count is None for gate in gates)
    strict = any(gate.fails and gate.count for gate in gates)
    rule = "they block: --strict-gates" if strict else "they do not block"
    return Figure(
        str(findings),
        "informational findings",
        f"{mute} without a result" if mute else rule,
        _worst(bad=strict, warn=findings, idle=1),
    )


def _batch_figure(batches: Sequence[BatchRow]) -> list[Figure]:
    if not batches:
        return []
    clean = sum(row.proven for row in batches)
    failing = sum(row.tone is Tone.BAD for row in batches)
    silent = sum(row.tone is Tone.WARN for row in batches)
    idle = len(batches) - clean - failing - silent
    note = listed({"failing": failing, "not all exercised": silent, "not proven": idle})
    tone = _worst(bad=failing, warn=silent, idle=idle)
    if idle == len(batches) and not any(row.checked for row in batches):
        applied = sum(row.said == "Applied" for row in batches)
        return [Figure(str(applied), "batches applied", "their checks were not run", tone)]
    return [Figure(f"{clean}/{len(batches)}", "batches clean", note or "there and back", tone)]


def _test_figure(run: Run) -> Figure:
    total, passed = sum(run.counts.values()), _passed(run)
    others = {word: run.counts.get(word, 0) for word in ("failed", "error", "skipped")}
    warned = sum(gate.state is State.WARNED for gate in _quiet(run))
    mute = len(_quiet(run)) - warned + len(_idle(run))
    note = listed({**others, "warned": warned, "without a result": mute})
    return Figure(
        f"{passed}/{total}",
        "tests pass",
        note or ("none failed" if total else "none ran"),
        _worst(bad=run.failures, idle=warned + mute + others["skipped"] + (not total)),
    )


def _quiet(run: Run) -> list[GateResult]:
    """Return the gates that pytest counts as passed because they only do not fail."""
    return [gate for gate in run.gates if gate.state is not State.PASSED and not gate.fails]


def _idle(run: Run) -> list[CheckResult]:
    """Return the checks that pytest counts as passed and that had nothing to look at."""
    return [check for check in run.checks if check.state is State.NOT_EXERCISED]


def _passed(run: Run) -> int:
    return max(run.counts.get("passed", 0) - len(_quiet(run)) - len(_idle(run)), 0)


def _tests(run: Run) -> str:
    quiet, idle = len(_quiet(run)), len(_idle(run))
    parts = [f"{counted(quiet, 'gate')} warned or gave no result"] if quiet else []
    parts += [f"{counted(idle, 'check')} had something not exercised"] if idle else []
    if not parts:
        return ""
    return (
        f"Of what is counted as passed here, {' and '.join(parts)} without failing; "
        "each row says which."
    )


def _worst(*, bad: int = 0, warn: int = 0, idle: int = 0) -> Tone:
    ranked = ((bad, Tone.BAD), (warn, Tone.WARN), (idle, Tone.IDLE))
    return next((tone for count, tone in ranked if count), Tone.GOOD)
