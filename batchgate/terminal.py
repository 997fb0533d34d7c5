"""What the terminal shows at the end: the gates as a table, and one line of verdict."""

from collections.abc import Iterator, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Protocol

from batchgate.findings import Level, State
from batchgate.gates.words import refusal, warning_of
from batchgate.run import GateResult, Run, TargetReport
from batchgate.verdict import Outcome, Verdict, counted, time_text
from batchgate.whereabouts import GRANTS, facts_of, gates_of, is_listed, is_statement, is_told

_MARKUP = {
    State.PASSED: {"green": True},
    State.FAILED: {"red": True},
    State.ERROR: {"red": True},
    State.WARNED: {"yellow": True},
}
_COLOURS = {
    Outcome.BLOCKED: "red",
    Outcome.GATES_FAIL: "red",
    Outcome.GATES_PASS: "green",
    Outcome.CLEAR: "green",
    Outcome.NONE: "yellow",
}
_SHOWN = 20
_HEADINGS = ("no.", "statement", "level", "result", "count", "time")


class Terminal(Protocol):
    """What is written to: pytest's terminal, or a command's."""

    def ensure_newline(self) -> None:
        """Begin a line where none is begun."""

    def section(self, title: str, sep: str = "=") -> None:
        """Write a heading across the whole width."""

    def write_line(self, line: str, **markup: bool) -> None:
        """Write a line, marked as told by names such as `red` and `bold`."""


def show_run(
    terminal: Terminal, run: Run, verdict: Verdict, page: str = "", *, samples: int = 0
) -> None:
    """Write the gates' tables where gates ran, then the verdict and where the page is.

    Of what a gate found, so many rows are written below it; pytest has shown them by then.
    """
    width = get_terminal_size().columns
    terminal.ensure_newline()
    for target, gates in _by_target(run):
        terminal.section(f"gates on {target.name}" if target and target.name else "gates", sep="=")
        if target:
            for line in target_lines(target, gates, width):
                terminal.write_line(line)
        for line, markup in _table(_failing_first(gates), target, width, samples):
            terminal.write_line(line, **markup)
    terminal.section("verdict", sep="=")
    for line in (*_not_run(run), *_not_exercised(run)):
        terminal.write_line(line, yellow=True)
    colour = _COLOURS[verdict.outcome]
    if colour == "green" and any((*_not_run(run), *_not_exercised(run))):
        colour = "yellow"
    terminal.write_line(str(verdict), bold=True, **{colour: True})
    if page:
        terminal.write_line(f"page: {page}")


def _by_target(run: Run) -> Iterator[tuple[TargetReport | None, list[GateResult]]]:
    if not run.targets and run.gates:
        yield None, list(run.gates)
    for target in run.targets:
        if gates := gates_of(run, target):
            yield target, gates


def target_lines(target: TargetReport, gates: Sequence[GateResult], width: int) -> Iterator[str]:
    """Say where gates ran, what was seen of the server, and which grants are missing."""
    for label, text in facts_of(target, gates).items():
        yield from _labelled(label, text, width)
    for note in target.notes:
        yield from _labelled("note", note, width)
    if target.grants:
        yield f"  {GRANTS}:"
        yield from (f"    {line}" for each in target.grants for line in each.splitlines())


def _labelled(label: str, text: str, width: int, *, indent: int = 2) -> Iterator[str]:
    """Write a text behind its label, each of its lines wrapped."""
    before = f"{' ' * indent}{label}: "
    room = max(width - len(before), 40)
    for line in text.splitlines():
        for part in [line] if is_statement(line) else _wrapped(line, room):
            yield before + part
            before = " " * len(before)


def _wrapped(line: str, room: int) -> list[str]:
    """Break a line between words only: options and paths are copied, too."""
    return wrap(line, room, break_on_hyphens=False, break_long_words=False)


def _not_run(run: Run) -> Iterator[str]:
    if run.gates_not_run:
        yield f"not run: {len(run.gates_not_run)} of {counted(len(run.gates_in_suite), 'gate')}"
    if run.checks_not_run and not run.only_gates:
        checks = counted(len(run.checks_in_suite), "check")
        yield f"not run: {len(run.checks_not_run)} of {checks} that prove the batches"


def _not_exercised(run: Run) -> Iterator[str]:
    """Name what the data gave a check nothing to look at; the first reason stands for them all."""
    idle = [check for check in run.checks if check.unexercised]
    for check in idle[:_SHOWN]:
        more = f" (and {len(check.unexercised) - 1} more)" if check.unexercised[1:] else ""
        yield f"not exercised: {check.batch}/{check.check}: {check.unexercised[0]}{more}"
    if len(idle) > _SHOWN:
        yield f"… and {len(idle) - _SHOWN} more; the page names them all"


def _failing_first(gates: Sequence[GateResult]) -> list[GateResult]:
    return sorted(gates, key=lambda gate: (not gate.fails, gate.number))


def _table(
    gates: Sequence[GateResult], target: TargetReport | None, width: int, samples: int
) -> Iterator[tuple[str, dict[str, bool]]]:
    rows = [_cells(gate) for gate in gates]
    widths = [max(len(row[i]) for row in (*rows, _HEADINGS)) for i in range(len(_HEADINGS))]
    others = sum(widths) - widths[1] + 2 * (len(widths) - 1)
    widths[1] = max(min(widths[1], width - others), 20)
    yield _line(_HEADINGS, widths), {"bold": True}
    told: dict[tuple[str, str], int] = {}
    for gate, row in zip(gates, rows, strict=True):
        yield _line(row, widths), _MARKUP.get(gate.state, {"yellow": True})
        for text in refusal(gate, samples).message.rows if gate.count and samples else ():
            yield from ((line, {}) for line in _labelled("row", text, width, indent=5))
        if gate.state is not State.PASSED:
            first = told.setdefault((gate.reason or gate.name, gate.fix), gate.number)
            for line in _advice(gate, target, width, first):
                yield line, {}


def _cells(gate: GateResult) -> tuple[str, ...]:
    return (
        str(gate.number),
        gate.sentence.rstrip(".") or gate.title,
        "required" if gate.level is Level.REQUIRED else "informational",
        str(gate.state),
        "–" if gate.count is None else f"{gate.count:,}".replace(",", " "),
        time_text(gate.seconds),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    number, statement, level, state, count, time = (
        cell if len(cell) <= room else cell[: room - 1] + "…"
        for cell, room in zip(cells, widths, strict=True)
    )
    return "  ".join(
        (
            number.rjust(widths[0]),
            statement.ljust(widths[1]),
            level.ljust(widths[2]),
            state.ljust(widths[3]),
            count.rjust(widths[4]),
            time.rjust(widths[5]),
        )
    )


def _advice(gate: GateResult, target: TargetReport | None, width: int, first: int) -> Iterator[str]:
    """Say why a gate did not pass and what to do, unless the target or the first gate did."""
    if target and is_told(target, gate):
        return
    if first != gate.number:
        yield f"     why: as gate {first}"
        return
    listed = target is not None and is_listed(target, gate)
    fix = "Run what is listed above as missing grants." if listed else gate.fix
    told = {"why": gate.reason or warning_of(gate), "fix": fix}
    for label, text in told.items():
        if text:
            yield from _labelled(label, text, width, indent=5)
