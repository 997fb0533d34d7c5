"""What a reviewer has to do: what blocks, what was left out, and what is to be read."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

from batchgate.findings import Level, State
from batchgate.report.words import Tone, grouped, number_in, sentence_of
from batchgate.verdict import GateResult, Run, counted

_SHOWN = 20


@dataclass(frozen=True)
class Point:
    """One thing to attend to: one sentence, one fix, one place on the page."""

    kind: str
    title: str
    sentence: str
    tone: Tone
    fix: str = ""
    anchor: str = ""
    others: tuple[str, ...] = ()
    othered: str = "and because of it"


def blocking(run: Run) -> tuple[Point, ...]:
    """Return what blocks, each cause once however many checks it took down."""
    batches = list(_batches(run))
    broken = {cause for cause, _ in batches}
    gates = [
        (
            gate.reason if gate.reason in broken else _cause(gate),
            _gate_point(gate, Tone.BAD),
        )
        for gate in by_target(run, run.gates)
        if gate.fails
    ]
    return (*_once([*batches, *gates]), *_others(run))


def by_target(run: Run, gates: Iterable[GateResult]) -> list[GateResult]:
    """Return gates target by target, in the order in which the targets are named."""
    order = {target.name: place for place, target in enumerate(run.targets)}
    return sorted(gates, key=lambda gate: order.get(gate.target, len(order)))


def _once(points: Iterable[tuple[Hashable, Point]]) -> tuple[Point, ...]:
    """Make one point of those with the same cause."""
    once: dict[Hashable, Point] = {}
    for cause, point in points:
        first = once.setdefault(cause, point)
        if first is not point:
            others = dict.fromkeys((*first.others, point.title))
            others.pop(first.title, None)
            once[cause] = replace(first, others=tuple(others), fix=first.fix or point.fix)
    return tuple(map(_shortened, once.values()))


def left_out(run: Run) -> tuple[Point, ...]:
    """Return what a verdict would have needed and this run did not do."""
    missing = [name for name in run.required_in_suite if name in run.gates_not_run]
    points = []
    if not run.finished:
        points.append(
            Point(
                "Run",
                "The run did not finish",
                "What is shown below is what had ended by then; it says nothing of the rest.",
                Tone.WARN,
                fix="Run it again to its end.",
            )
        )
    if missing:
        points.append(
            Point(
                "Required gates",
                f"{counted(len(missing), 'required gate')} not run",
                "A gate that was not run has not passed.",
                Tone.WARN,
                fix="Run pytest without the selection that left them out.",
                anchor="gates-not-run" if run.gates else "",
                others=tuple(missing),
                othered="which",
            )
        )
    return tuple(map(_shortened, points))


def to_read(run: Run) -> tuple[Point, ...]:
    """Return the gates that found something, or nothing to look at, without blocking."""
    return _once(
        (
            _cause(gate),
            _gate_point(gate, Tone.WARN if gate.state is State.WARNED else Tone.IDLE),
        )
        for gate in by_target(run, run.gates)
        if not gate.fails and gate.state is not State.PASSED
    )


def found(gate: GateResult) -> str:
    """Return in one sentence what a gate found, or why it gave no result."""
    if gate.count:
        one = gate.count == 1
        if gate.figures:
            return f"{grouped(gate.count)} {'figure' if one else 'figures'} to look into."
        return f"{grouped(gate.count)} {'row breaks' if one else 'rows break'} this rule."
    if gate.state is State.PASSED:
        return ""
    return sentence_of(f"{gate.state}: {gate.reason}" if gate.reason else str(gate.state))


def statement(gate: GateResult) -> str:
    """Return what a gate says of the data."""
    return gate.sentence or gate.title or gate.name


def _batches(run: Run) -> Iterator[tuple[str, Point]]:
    for each in run.applications:
        if each.error:
            yield each.error, _batch_point(each.batch, each.batch, each.error)
    for check in run.checks:
        if check.failed:
            title = f"{check.batch}/{check.check}"
            headline = check.headline or "failed without a message"
            yield (
                check.headline or title,
                _batch_point(title, check.batch, headline, check.fix),
            )


def _batch_point(title: str, batch: str, headline: str, fix: str = "") -> Point:
    return Point(
        "Batch",
        title,
        sentence_of(headline, f"batch {batch}"),
        Tone.BAD,
        fix=fix,
        anchor=f"batch-{number_in(batch)}",
    )


def _cause(gate: GateResult) -> Hashable:
    """Return by what a gate's point is told from others.

    What went wrong with several gates alike, and is put right alike, is one thing to do.
    """
    alike = gate.count is None and gate.reason
    return (gate.target, gate.level, gate.state, gate.reason if alike else gate.name, gate.fix)


def _gate_point(gate: GateResult, tone: Tone) -> Point:
    level = "Required gate" if gate.level is Level.REQUIRED else "Informational gate"
    title = f"{statement(gate)} ({gate.target})" if gate.target else statement(gate)
    return Point(
        level,
        title,
        found(gate),
        tone,
        fix=gate.fix,
        anchor=anchor_of(gate),
        othered="the same for",
    )


def anchor_of(gate: GateResult) -> str:
    """Return by which name links find a gate on the page."""
    return f"gate-{gate.target}-{gate.number}" if gate.target else f"gate-{gate.number}"


def _others(run: Run) -> Iterator[Point]:
    told = {
        "red proof": (run.reds_failed, "Proofs that a gate is able to fail"),
        "other test": (run.others_failed, "Scenarios or tests of the project"),
    }
    for noun, (number, what) in told.items():
        if number:
            verb = "fails" if number == 1 else "fail"
            yield Point(
                "Tests",
                f"{counted(number, noun)} {verb}",
                f"{what}; each has its message in the test log.",
                Tone.BAD,
                anchor="test-log",
            )


def _shortened(point: Point) -> Point:
    hidden = len(point.others) - _SHOWN
    if hidden <= 0:
        return point
    return replace(point, others=(*point.others[:_SHOWN], f"… and {hidden} more"))
