"""report.json of a check: the same document that a run of pytest leaves."""

import platform
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from batchgate.cli.endings import Ending
from batchgate.cli.project import Project
from batchgate.findings import State
from batchgate.gates.words import refusal
from batchgate.outcomes.document import About, document_of, scrubbed, write_document
from batchgate.promises import promised_by
from batchgate.run import GateResult, Run, TestResult
from batchgate.verdict import Verdict, counted


def write_report(
    path: Path,
    project: Project,
    run: Run,
    verdict: Verdict,
    ending: Ending,
    *,
    asked: Sequence[str],
    started: datetime,
    scrub: Callable[[str], str],
) -> None:
    """Write a check down, for `batchgate report` and --compare; raises SuiteError.

    `asked` are the gates that were named.
    It has neither a history nor anything that is new since: those are of pytest's runs.
    """
    suite, manner = project.suite, project.terms.manner
    promised = promised_by(suite)
    whole = replace(
        run,
        promised=promised,
        checks_in_suite=tuple(f"{each.name}/{check}" for each in promised for check in each.checks),
        tests=tuple(_tests(run, manner.samples)),
    )
    about = About(
        project=project.settings.root.name,
        started=started.isoformat(timespec="seconds"),
        seconds=(datetime.now(UTC) - started).total_seconds(),
        batchgate=version("batchgate"),
        python=platform.python_version(),
        exit_code=int(ending),
        described=f"{counted(len(suite.batches), 'batch', 'batches')},"
        f" {counted(len(suite.gates), 'gate')}",
        command=shlex.join(["batchgate", "check", *asked]),
        limits=project.terms.held_to,
        samples=manner.samples,
        snapshot_mode=project.terms.mode,
        environment={
            "Python": platform.python_version(),
            "Platform": f"{platform.system()} {platform.machine()}",
        },
    )
    write_document(scrubbed(document_of(whole, verdict, about), scrub), path)


def _tests(run: Run, samples: int) -> Iterator[TestResult]:
    """Tell of each gate as pytest would of its test."""
    for gate in run.gates:
        on = f"[{gate.target}]" if gate.target else ""
        yield TestResult(
            id=f"{gate.path.rpartition(':')[0]}::green{on}",
            outcome="failed" if gate.fails else "passed",
            said=_said(gate),
            when="call",
            seconds=gate.seconds,
            text=str(refusal(gate, samples)) if gate.fails else "",
        )


def _said(gate: GateResult) -> str:
    if gate.fails:
        return "no result" if gate.state is State.NO_RESULT else "failed"
    return "not applicable" if gate.state is State.NOT_APPLICABLE else str(gate.state)
