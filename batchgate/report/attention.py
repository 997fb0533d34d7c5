"""What a reviewer has to do: what blocks, what was left out, and what is to be read."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from batchgate.findings import Level, State
from batchgate.report.anchors import Anchors
from batchgate.report.since import News
from batchgate.report.words import Tone, first_few, grouped, sentence_of
from batchgate.run import GateResult, Run
from batchgate.verdict import counted

_SHOWN = 20


@dataclass(frozen=True)
class Point:
    """One thing to attend to: one sentence, one fix, one place on the page.

    `place` is the check that says it, `mark` what is new about it, `targets` each target that it is
    true of and its place there, `rest` what the same batch fails of besides, `others` what the same
    cause took down, under the words of `othered`; `more` counts those that are not listed.
    """

    kind: str
    title: str
    sentence: str
    tone: Tone
    fix: str = ""
    anchor: str = ""
    place: str = ""
    mark: str = ""
    targets: tuple[tuple[str, str], ...] = ()
    rest: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    othered: str = "and because of it"
    more: str = ""

    @property
    def rested(self) -> str:
        """Return in words how much else the same batch fails of."""
        one = len(self.rest) == 1
        return "1 more of its checks fails" if one else f"{len(self.rest)} more of its checks fail"


class _Problem(NamedTuple):
    """What one of a batch's checks, or its application, failed of."""

    place: str
    headline: str
    fix: str = ""

    @property
    def cause(self) -> str:
        return self.headline or self.place


@dataclass
class _Points:
    """Points so far, each cause once however many it took down."""

    made: list[Point] = field(default_factory=list)
    known: dict[Hashable, int] = field(default_factory=dict)

    def add(self, cause: Hashable, point: Point) -> None:
        """Add a point, or what it is of to the others of the one with the same cause."""
        place = self.known.setdefault(cause, len(self.made))
        if place == len(self.made):
            self.made.append(point)
            return
        first = self.made[place]
        others = dict.fromkeys((*first.others, point.title))
        others.pop(first.title, None)
        mark, fix = first.mark or point.mark, first.fix or point.fix
        self.made[place] = replace(first, others=tuple(others), fix=fix, mark=mark)

    def shown(self) -> tuple[Point, ...]:
        """Return the points, what is too much to list cut."""
        return tuple(map(_shortened, _joined(self.made)))


def blocking(run: Run, anchors: Anchors, news: News) -> tuple[Point, ...]:
    """Return what blocks: each failing batch and gate once, and each cause once."""
    points = _Points()
    for batch in run.promised:
        _add_batch(points, batch.name, list(_problems(run, batch.name)), anchors, news)
    broken = set(points.known)
    for gate in by_target(run, run.gates):
        if gate.fails:
            cause = gate.reason if gate.reason in broken else _cause(gate)
            points.add(cause, _gate_point(gate, _tone(gate), anchors, news))
    for point in _others(run):
        points.add(point, point)
    return points.shown()


def by_target(run: Run, gates: Iterable[GateResult]) -> list[GateResult]:
    """Return gates target by target, in the order in which the targets are named."""
    order = {target.name: place for place, target in enumerate(run.targets)}
    return sorted(gates, key=lambda gate: order.get(gate.target, len(order)))


def left_out(run: Run) -> tuple[Point, ...]:
    """Return what a verdict would have needed and this run did not do."""
    points = _Points()
    if not run.finished:
        points.add(
            "unfinished",
            Point(
                "Run",
                "The run did not finish",
                "Below is what had ended by then; it says nothing of the rest.",
                Tone.WARN,
                fix="Run it again to its end.",
            ),
        )
    missing = [name for name in run.required_in_suite if name in run.gates_not_run]
    if missing:
        points.add(
            "missing",
            Point(
                "Required gates",
                f"{counted(len(missing), 'required gate')} not run",
                "A gate that was not run has not passed.",
                Tone.WARN,
                fix="Run pytest without the selection that left them out.",
                anchor="gates-not-run" if run.gates else "",
                others=tuple(missing),
                othered="which",
            ),
        )
    return points.shown()


def to_read(run: Run, anchors: Anchors, news: News) -> tuple[Point, ...]:
    """Return the gates that found something, or nothing to look at, without blocking."""
    points = _Points()
    for gate in by_target(run, run.gates):
        if not gate.fails and gate.state is not State.PASSED:
            points.add(_cause(gate), _gate_point(gate, _tone(gate), anchors, news))
    return points.shown()


def found(gate: GateResult) -> str:
    """Return in one sentence what a gate found, or why it gave no result."""
    if gate.count:
        one = gate.count == 1
        if gate.figures:
            return f"{grouped(gate.count)} {'figure' if one else 'figures'} to look into."
        if gate.checked is not None and gate.checked >= gate.count:
            about = "" if gate.exact else "about "
            verb = "breaks" if one else "break"
            checked = f"{about}{grouped(gate.checked)} rows"
            return f"{grouped(gate.count)} of {checked} {verb} this rule."
        return f"{grouped(gate.count)} {'row breaks' if one else 'rows break'} this rule."
    if gate.state is State.PASSED:
        return ""
    return sentence_of(f"{gate.state}: {gate.reason}" if gate.reason else str(gate.state))


def statement(gate: GateResult) -> str:
    """Return what a gate says of the data."""
    return gate.sentence or gate.title or gate.name


def _tone(gate: GateResult) -> Tone:
    if gate.state in (State.NO_RESULT, State.ERROR):
        return Tone.LOST
    if gate.fails:
        return Tone.BAD
    return Tone.WARN if gate.state is State.WARNED else Tone.IDLE


def _problems(run: Run, batch: str) -> Iterator[_Problem]:
    for each in run.applications:
        if each.batch == batch and each.error:
            yield _Problem("on the way up", each.error)
    for check in run.checks:
        if check.batch == batch and check.failed:
            yield _Problem(check.check, check.headline or "failed without a message", check.fix)


def _add_batch(
    points: _Points, batch: str, problems: list[_Problem], anchors: Anchors, news: News
) -> None:
    """Add one point for all that a batch fails of, but for what an earlier cause explains."""
    own = {each.cause: each for each in problems if each.cause not in points.known}
    place = anchors.of_batch(batch)
    if own:
        first, *rest = own.values()
        point = Point(
            "Batch",
            batch,
            sentence_of(first.headline, f"batch {batch}"),
            Tone.BAD,
            fix=next((each.fix for each in own.values() if each.fix), ""),
            anchor=place,
            place=first.place,
            mark=news.mark(*(f"{batch}/{each.place}" for each in problems)),
            rest=tuple(
                f"{each.place}: {sentence_of(each.headline, f'batch {batch}')}" for each in rest
            ),
        )
        points.made.append(point)
        points.known |= dict.fromkeys(own, len(points.made) - 1)
    for each in problems:
        if each.cause not in own:
            points.add(each.cause, Point("Batch", f"{batch}/{each.place}", "", Tone.BAD, each.fix))


def _cause(gate: GateResult) -> Hashable:
    """Return by what a gate's point is told from others.

    What went wrong with several gates alike, and is put right alike, is one thing to do.
    """
    alike = gate.count is None and gate.reason
    rest = gate.reason if alike else (gate.name, gate.number)
    return (gate.target, gate.level, gate.state, rest, gate.fix)


def _gate_point(gate: GateResult, tone: Tone, anchors: Anchors, news: News) -> Point:
    level = "Required gate" if gate.level is Level.REQUIRED else "Informational gate"
    place = anchors.of_gate(gate)
    return Point(
        level,
        statement(gate),
        found(gate),
        tone,
        fix=gate.fix,
        anchor=place,
        mark=news.mark(gate.name, target=gate.target),
        targets=((gate.target, place),) if gate.target else (),
        othered="the same for",
    )


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


def _joined(points: Iterable[Point]) -> Iterable[Point]:
    """Say once what several targets have to be told in the same words."""
    said: dict[Point, Point] = {}
    for point in points:
        alike = replace(point, anchor="", targets=()) if point.targets else point
        first = said.get(alike)
        said[alike] = replace(first, targets=(*first.targets, *point.targets)) if first else point
    return said.values()


def _shortened(point: Point) -> Point:
    others, more = first_few(point.others, _SHOWN)
    return replace(point, others=others, more=more)
