"""The verdict's card: how green it may be, what it does not prove, and its figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchgate.findings import Level, State
from batchgate.report.batches import BatchRow
from batchgate.report.locks import LOCK_CHECK, locks_ahead, longest, looked
from batchgate.report.words import Tone, grouped, listed, sentence_of
from batchgate.run import CheckResult, GateResult, Run
from batchgate.verdict import Outcome, Verdict, counted, time_text

_RED = (Outcome.BLOCKED, Outcome.GATES_FAIL)
_RESULTS = (State.PASSED, State.FAILED, State.WARNED)


@dataclass(frozen=True)
class Figure:
    """One of the figures under the verdict."""

    value: str
    label: str
    note: str
    tone: Tone


@dataclass(frozen=True)
class Card:
    """The verdict, why, what a green page would hide, and the figures."""

    word: str
    tone: Tone
    reason: str
    unproven: tuple[str, ...]
    figures: tuple[Figure, ...]


def card_of(run: Run, verdict: Verdict, batches: Sequence[BatchRow]) -> Card:
    """Return the card of a run; it is green only where everything ran and had what it needs."""
    unproven = tuple(_unproven(run, batches))
    return Card(
        word=str(verdict.outcome),
        tone=_tone(verdict, complete=not unproven),
        reason=sentence_of(verdict.reason),
        unproven=unproven,
        figures=(
            *_batch_figures(batches),
            *_lock_figure(run, batches),
            *_gate_figures(run),
            _test_figure(run),
        ),
    )


def _tone(verdict: Verdict, *, complete: bool) -> Tone:
    if verdict.outcome in _RED:
        return Tone.BAD
    if verdict.outcome not in (Outcome.CLEAR, Outcome.GATES_PASS):
        return Tone.WARN
    return Tone.GOOD if complete else Tone.IDLE


def _unproven(run: Run, batches: Sequence[BatchRow]) -> Iterator[str]:
    """Say what a green page would hide: whatever did not run or had nothing to look at."""
    if idle := [row for row in batches if row.said.tone is Tone.IDLE]:
        yield f"the checks of {counted(len(idle), 'batch', 'batches')} were not all run"
    if silent := [row for row in batches if row.said.tone is Tone.WARN]:
        yield f"{counted(len(silent), 'batch', 'batches')} had something not exercised"
    if run.gates_not_run:
        yield f"{counted(len(run.gates_not_run), 'gate')} not run"
    if mute := sum(gate.state not in _RESULTS for gate in run.gates):
        yield f"{counted(mute, 'gate')} gave no result"
    if skipped := run.counts.get("skipped", 0):
        yield f"{counted(skipped, 'test')} skipped"
    if unexpected := _unexpected(run):
        yield f"{counted(unexpected, 'test')} passed unexpectedly"


def _batch_figures(batches: Sequence[BatchRow]) -> Iterator[Figure]:
    """Count the batches that go there and back; one that has nothing to undo is not among them."""
    if not batches:
        return
    if not any(row.checked for row in batches):
        applied = sum(row.said.word == "Applied" for row in batches)
        label = "batch applied" if applied == 1 else "batches applied"
        yield Figure(grouped(applied), label, "checks not run", _worst(idle=1))
        return
    ways = [row for row in batches if row.rollback.word != "Nothing to undo"]
    words = [row.rollback for row in ways]
    clean = sum(said.tone is Tone.GOOD for said in words)
    bad = sum(said.tone is Tone.BAD for said in words)
    none = sum(said.word == "Irreversible" for said in words)
    mute = sum(said.word == "Not exercised" for said in words)
    idle = len(ways) - clean - bad - none - mute
    other = sum(row.said.tone is Tone.BAD and row.rollback.tone is not Tone.BAD for row in batches)
    note = listed(
        {
            "not clean": bad,
            "irreversible": none,
            "not exercised": mute,
            "not all run": idle,
            "failing otherwise": other,
        }
    )
    tone = _worst(bad=bad + other, warn=mute + none, idle=idle)
    yield Figure(f"{clean}/{len(ways)}", "batches round-trip", note or "there and back", tone)


def _lock_figure(run: Run, batches: Sequence[BatchRow]) -> Iterator[Figure]:
    if not any(row.checked for row in batches):
        return
    locks = locks_ahead(run.checks)
    label = "longest lock that others wait for"
    offends = sum(lock.offends for lock in locks)
    # Where a check fails for its locks, the one to be read is among them.
    most = longest(lock for lock in locks if lock.offends) or longest(locks)
    if most is not None and most.seconds is not None:
        note = f"{most.mode} on {most.relation}, scratch copy"
        yield Figure(time_text(most.seconds), label, note, _lock_tone(run, offends))
    elif looked(run.checks):
        yield Figure("none", label, "on objects that stood before", _lock_tone(run, offends))
    else:
        yield Figure("–", label, "not measured in this run", Tone.IDLE)


def _lock_tone(run: Run, offends: int) -> Tone:
    """Return green only where every lock check that is owed ran and passed."""
    states = {check.check: check.state for check in run.checks}
    owed = [name for name in run.checks_in_suite if name.endswith(LOCK_CHECK)]
    ran = [check for check in run.checks if check.check.endswith(LOCK_CHECK)]
    bad = offends or any(check.failed for check in ran)
    idle = len(ran) < len(owed) or any(check.state is not State.PASSED for check in ran)
    return _worst(bad=bool(bad), idle=idle or not states)


def _gate_figures(run: Run) -> Iterator[Figure]:
    if not run.gates:
        return
    required = [gate for gate in run.gates if gate.level is Level.REQUIRED]
    places = [target.name for target in run.targets] or [""]
    ran = {(gate.name, gate.target) for gate in required}
    missing = sum((name, place) not in ran for name in run.required_in_suite for place in places)
    passing = sum(gate.state is State.PASSED for gate in required)
    failing = [gate for gate in required if gate.fails and gate.count]
    rest = len(required) + missing - passing - len(failing)
    rows = sum(gate.count or 0 for gate in failing)
    failed = f"{len(failing)} failing with {counted(rows, 'row')}" if failing else ""
    silent = f"{rest} without a result" if rest else ""
    yield Figure(
        f"{passing}/{len(required) + missing}",
        "required gates pass",
        ", ".join(filter(None, (failed, silent))) or "none fails",
        _worst(bad=len(failing) + sum(gate.fails for gate in required), idle=rest),
    )
    yield _findings_figure([gate for gate in run.gates if gate.level is Level.INFORMATIONAL])


def _findings_figure(gates: Sequence[GateResult]) -> Figure:
    findings = sum(bool(gate.count) for gate in gates)
    mute = sum(gate.count is None for gate in gates)
    strict = any(gate.fails and gate.count for gate in gates)
    rule = "they block: --strict-gates" if strict else "they do not block"
    return Figure(
        str(findings),
        "informational findings" if findings != 1 else "informational finding",
        f"{mute} without a result" if mute else rule,
        _worst(bad=strict, warn=findings, idle=1),
    )


def _test_figure(run: Run) -> Figure:
    others = {word: run.counts.get(word, 0) for word in ("failed", "error", "skipped")}
    passed, total = _passed(run), run.counts.get("passed", 0) + sum(others.values())
    # Tries that a plugin had made again have a word of its own.
    again = sum(run.counts.values()) - total
    others |= {"run again": again, "passed unexpectedly": _unexpected(run)}
    warned = sum(gate.state is State.WARNED for gate in _quiet(run))
    mute = len(_quiet(run)) - warned + len(_idle(run))
    note = listed({**others, "warned": warned, "without a result": mute})
    return Figure(
        f"{grouped(passed)}/{grouped(total)}",
        "tests pass",
        note or ("none failed" if total else "none ran"),
        _worst(
            bad=run.failures,
            idle=warned + mute + (not total) + sum(others.values()) - run.failures,
        ),
    )


def _quiet(run: Run) -> list[GateResult]:
    """Return the gates that pytest counts as passed because they only do not fail."""
    return [gate for gate in run.gates if gate.state is not State.PASSED and not gate.fails]


def _idle(run: Run) -> list[CheckResult]:
    """Return the checks that pytest counts as passed and that had nothing to look at."""
    return [check for check in run.checks if check.state is State.NOT_EXERCISED]


def _passed(run: Run) -> int:
    quiet = len(_quiet(run)) + len(_idle(run)) + _unexpected(run)
    return max(run.counts.get("passed", 0) - quiet, 0)


def _unexpected(run: Run) -> int:
    """Return how many tests pytest counts as passed that were expected to fail."""
    return sum(test.outcome == "xpassed" for test in run.tests)


def _worst(*, bad: int = 0, warn: int = 0, idle: int = 0) -> Tone:
    ranked = ((bad, Tone.BAD), (warn, Tone.WARN), (idle, Tone.IDLE))
    return next((tone for count, tone in ranked if count), Tone.GOOD)
