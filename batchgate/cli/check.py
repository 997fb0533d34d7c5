"""`batchgate check`: the gates on a database, without pytest's output."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from batchgate.cli.endings import Ended, Ending
from batchgate.cli.live import Live
from batchgate.cli.project import NAME_IT, Project, read_project
from batchgate.cli.settings import arguments_of, whole_number, with_settings
from batchgate.cli.sheet import Sheet
from batchgate.cli.streams import as_json as document_text
from batchgate.cli.streams import put
from batchgate.errors import SuiteError
from batchgate.findings import Cause
from batchgate.limits import LIMITS
from batchgate.operate.checking import Inspection
from batchgate.run import Run
from batchgate.suite import Gate
from batchgate.targets.secrets import secrets_in
from batchgate.terminal import show_run
from batchgate.verdict import Outcome, Verdict, counted, judge

_SETTINGS = (
    "--dsn",
    "--strict-gates",
    "--allow-empty",
    "--allow-superuser",
    "--samples",
    "--max-cost",
    "--max-lag",
    "--max-replay-wait",
    "--snapshot",
    *(f"--{name.replace('_', '-')}" for name in LIMITS),
)
# So many names still fit into a line.
_FEW = 3
_NO_SERVER = (Cause.UNREACHABLE, Cause.LOST, Cause.CUT)


@click.command()
@click.argument("gates", nargs=-1, metavar="[GATE]...")
@with_settings(*_SETTINGS, one=False)
@click.option(
    "-j",
    "--jobs",
    default="1",
    metavar="N",
    type=whole_number,
    help="Run N gates at a time, each on a connection of its own, in the one snapshot; each keeps"
    " a core of the server busy.  [default: 1]",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the outcome there, too: a report.json, which `batchgate report` draws.",
)
@click.option("-q", "--quiet", is_flag=True, help="Write the verdict alone.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document on stdout.")
def check(
    gates: Sequence[str],
    jobs: int,
    report: Path | None,
    quiet: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run the gates on a database and say what they find.

    Reads, and writes nothing to the database, nor any file but that of --report. The gates are
    held to the same limits and come to the same results as by `pytest -m gates --dsn …`. GATE is
    the number, the name or the file of one; without any, all gates are run. Columns that a gate
    does not list under `show` are masked.

    \b
    Exit codes:
      0    every required gate passed; informational ones may have found something
      1    a gate failed, or a required one gave no result
      2    called wrongly
      4    the suite's files or settings are wrong, or FILE cannot be written
      5    a database was not reached or its connection was lost, and nothing else failed
      130  interrupted; what ran on the server is cancelled

    \b
    Examples:
      batchgate check --dsn postgresql://gate_reader@db.example/shop
      batchgate check 1 02_orders_have_currency --samples 20
      batchgate check --jobs 2
      batchgate check --dsn eu=service=eu --dsn us=service=us --json
    """
    started = datetime.now(UTC)
    project = read_project(arguments_of(given))
    scrub = secrets_in(target.dsn.reveal() for target in project.targets).scrubber()
    chosen = _chosen(project, gates)
    inspection = Inspection(
        project.settings, project.suite, project.targets, project.terms, chosen, jobs=jobs
    )
    shown = not (quiet or as_json) and project.settings.progress != 0
    interrupted = _interrupted(inspection, scrub, shown=shown)
    run = inspection.run()
    verdict = judge(run)
    ending = Ending.INTERRUPTED if interrupted else _ending_of(run)
    if as_json:
        put(document_text(_values(project, run, verdict, ending), scrub))
    elif quiet:
        put(scrub(_in_a_line(verdict, run)))
    else:
        show_run(Sheet(scrub), run, verdict, samples=project.terms.manner.samples)
    if report:
        # Of use to a file alone, and it takes a moment to be loaded.
        from batchgate.cli.leaving import write_report

        write_report(
            report, project, run, verdict, ending, asked=gates, started=started, scrub=scrub
        )
    if interrupted:
        raise Ended(scrub(interrupted), ending)
    raise click.exceptions.Exit(ending)


def _in_a_line(verdict: Verdict, run: Run) -> str:
    """Return the verdict, with the names of the gates that failed where they are few."""
    failing = list(dict.fromkeys(gate.name for gate in run.gates if gate.fails))
    named = verdict.outcome is Outcome.GATES_FAIL and len(failing) <= _FEW
    return f"{verdict} ({', '.join(failing)})" if named else str(verdict)


def _chosen(project: Project, named: Sequence[str]) -> list[Gate]:
    """Return the gates to run, in the suite's order; all where none is named."""
    if not project.targets:
        raise click.UsageError(
            "expected a database to look at, found none\n"
            f"  fix: Name it: {NAME_IT} Over the sample data the gates are run by `pytest -m"
            " gates`."
        )
    gates = project.suite.gates
    if not gates:
        raise SuiteError(
            "expected gates to run, found none",
            at=project.settings.relative(project.settings.gates),
            fix="Call it in the folder of the project, or set batchgate_gates.",
        )
    wanted = {gate.name for name in named for gate in [_named(gates, name)]}
    return [gate for gate in gates if not named or gate.name in wanted]


def _named(gates: Sequence[Gate], name: str) -> Gate:
    wanted = Path(name).name.removesuffix(".sql")
    for gate in gates:
        if wanted == gate.name or (wanted.isdecimal() and int(wanted) == gate.number):
            return gate
    known = ", ".join(gate.name for gate in gates)
    error = SuiteError(
        f"expected the number or the name of a gate, found {name or 'nothing'}",
        fix=f"One of: {known}.",
    )
    raise Ended(str(error), Ending.USAGE)


def _interrupted(inspection: Inspection, scrub: Callable[[str], str], *, shown: bool) -> str:
    """Run the gates; return what to say where that was interrupted, or nothing."""

    def done() -> str:
        return f"{inspection.done} of {counted(inspection.due, 'gate')}"

    try:
        with Live(shown=shown, counted=done, scrub=scrub):
            inspection.make()
    except KeyboardInterrupt:
        at = inspection.at
        were = "were" if len(at) > 1 else "was"
        cancelled = f"{' and '.join(at)} {were} cancelled on the server; " if at else ""
        return f"interrupted: {cancelled}{done()} had ended"
    return ""


def _ending_of(run: Run) -> Ending:
    if any(gate.fails and gate.cause not in _NO_SERVER for gate in run.gates):
        return Ending.FAILED
    if any(gate.cause in _NO_SERVER for gate in run.gates):
        return Ending.SERVER
    return Ending.DONE


def _values(project: Project, run: Run, verdict: Verdict, ending: Ending) -> Mapping[str, Any]:
    # Of use to a machine alone, and it takes a moment to be loaded.
    from batchgate.outcomes.parts import gate_part, target_part
    from batchgate.outcomes.words import slug

    gates = [gate_part(each, {}) for each in run.gates]
    for gate in gates:
        # The suite has the one, and the other is long.
        del gate["statement"], gate["plan"]
    alone = len(project.targets) == 1
    return {
        "command": "check",
        "database": project.targets[0].address if alone else None,
        "exit_code": int(ending),
        "finished": run.finished,
        "verdict": {
            "outcome": slug(verdict.outcome),
            "text": verdict.outcome.value,
            "reason": verdict.reason,
        },
        "targets": [target_part(each) for each in run.targets],
        "gates": gates,
        "gates_not_run": list(run.gates_not_run),
    }
