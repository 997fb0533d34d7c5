"""Where a run's results come from: databases, versions, limits, and what times and masks mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from batchgate.findings import CELL_LIMIT, MASK
from batchgate.outcomes.document import About
from batchgate.report.words import grouped, moment
from batchgate.run import Run, TargetReport
from batchgate.verdict import counted, time_text
from batchgate.whereabouts import facts_of, gates_of


@dataclass(frozen=True)
class Place:
    """A database that gates ran on, what is known of it, and what its role lacks."""

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    grants: tuple[str, ...]


@dataclass(frozen=True)
class AboutRun:
    """The line under the title, and the last section."""

    line: tuple[str, ...]
    started: str
    facts: Mapping[str, str]
    limits: Mapping[str, str]
    environment: Mapping[str, str]
    places: tuple[Place, ...]


def about_run(run: Run, about: About) -> AboutRun:
    """Return what stands about a run; passwords and paths of its machine never came here."""
    return AboutRun(
        line=tuple(filter(None, _line(run, about))),
        started=about.started,
        facts={label: text for label, text in _facts(run, about) if text},
        limits=about.limits,
        environment=about.environment,
        places=tuple(
            Place(each.name, facts_of(each, gates_of(run, each)), each.notes, each.grants)
            for each in run.targets
        ),
    )


def rows_of(run: Run) -> str:
    """Return how many rows the scratch copies hold, in words, or nothing where none counted."""
    counts = {check.particulars.rows for check in run.checks if check.particulars.rows is not None}
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    if least == most:
        return f"{grouped(most)} {'row' if most == 1 else 'rows'}"
    return f"{grouped(least)} to {grouped(most)} rows"


def _line(run: Run, about: About) -> Iterator[str]:
    yield moment(about.started)
    yield f"took {time_text(about.seconds)}"
    if run.targets:
        yield "gates on " + ", ".join(map(_in_short, run.targets))
    else:
        yield about.described


def _in_short(target: TargetReport) -> str:
    if not target.role:
        return f"{target.name or 'a database'} that was not reached"
    return target.name or f"PostgreSQL {target.server}, {target.role}"


def _facts(run: Run, about: About) -> Iterator[tuple[str, str]]:
    yield "Ran", f"{moment(about.started)}, {time_text(about.seconds)}"
    yield "Checked", about.described
    yield "Command", about.command
    yield "Exit code", str(about.exit_code)
    yield "Snapshots", _snapshots(run, about)
    rows = rows_of(run)
    copy = f"a scratch copy of {rows}" if rows else "throw-away databases that hold the sample data"
    kept = "Those of gates are the target's own; all others were taken" if run.targets else "Taken"
    yield "Times", f"{kept} on {copy}. A larger database takes longer."
    shown = f"at most {counted(about.samples, 'row')}" if about.samples else "no row"
    yield (
        "Rows",
        f"A gate shows {shown} of those it finds, or its figures. Columns that it does not list "
        f"under show are masked as {MASK}; a cell is cut at {CELL_LIMIT} characters.",
    )
    yield "Versions", f"batchgate {about.batchgate}, Python {about.python}"


def _snapshots(run: Run, about: About) -> str:
    if not run.targets:
        return ""
    return "each gate its own" if about.snapshot_mode == "per-gate" else "one for all of a target"
