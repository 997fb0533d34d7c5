"""Batches as the page lists them: a row of the table each, and a card beneath it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchgate.particulars import Lock
from batchgate.report.anchors import Anchors
from batchgate.report.changes import (
    ChangeTable,
    Diff,
    Tally,
    changes_of,
    diff_of,
    differences_of,
    tally_of,
)
from batchgate.report.locks import LockTable, heaviest, locks_ahead, locks_of, looked
from batchgate.report.mutants import MutantTotals, mutants_of
from batchgate.report.proofs import (
    Failure,
    Mark,
    Remark,
    failures_of,
    files_of,
    names_of,
    remarks_of,
    result_of,
    rollback_of,
)
from batchgate.report.sources import Ink, Source
from batchgate.report.timeline import Stretch, Timeline
from batchgate.report.words import Said, Tone, grouped
from batchgate.run import Application, CheckResult, Promised, Run
from batchgate.verdict import counted, time_text


@dataclass(frozen=True)
class Seen:
    """What a batch's checks saw in particular; what none of them saw is not drawn."""

    tally: Tally | None
    changes: ChangeTable | None
    diff: Diff | None
    differences: tuple[ChangeTable, ...]
    locks: LockTable | None
    heaviest: Lock | None
    locks_looked_for: bool
    mutants: MutantTotals | None
    rows: int | None
    written: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class BatchRow:
    """One batch as the page lists it."""

    name: str
    number: int
    anchor: str
    summary: str
    irreversible: str
    said: Said
    rollback: Said
    time: str
    stretches: tuple[Stretch, ...]
    failures: tuple[Failure, ...]
    seen: Seen
    files: Mapping[str, tuple[Mark, ...]]
    remarks: tuple[Remark, ...]
    sources: tuple[Source, ...]
    checked: bool = True

    @property
    def open(self) -> bool:
        """Return whether its card is unfolded from the start."""
        return bool(self.failures)

    @property
    def unchecked(self) -> str:
        """Return in a sentence that none of its checks ran, or nothing."""
        if self.checked:
            return ""
        owed = sum(map(len, self.files.values()))
        return f"None of its {owed} checks was run." if owed else "Its checks were not run."

    @property
    def counts(self) -> str:
        """Return what its card holds, for the line that unfolds it."""
        marks = [mark for each in self.files.values() for mark in each]
        passed = sum(mark.tone is Tone.GOOD for mark in marks)
        parts = [f"{passed} of {counted(len(marks), 'check')} passed"] if marks else []
        if not self.checked:
            parts = [f"{counted(len(marks), 'check')}, none run"] if marks else []
        if self.seen.tally is not None:
            parts.append(counted(self.seen.tally.total, "schema change"))
        if self.seen.locks is not None:
            parts.append(counted(self.seen.locks.count, "lock"))
        if written := sum(number for _, number in self.seen.written):
            parts.append(f"{grouped(written)} {'row' if written == 1 else 'rows'} written")
        return " · ".join(parts)


def batch_rows(
    run: Run, batches: Sequence[Promised], anchors: Anchors, line: Timeline | None, ink: Ink
) -> tuple[BatchRow, ...]:
    """Return every batch that was promised, applied or checked, in order."""
    applied = {each.batch: each for each in run.applications}
    ended: dict[str, dict[str, CheckResult]] = {}
    for check in run.checks:
        ended.setdefault(check.batch, {})[check.check] = check
    rows = {}
    failing = {each.name for each in batches if _fails(each, applied, ended)}
    # Who fails is read first: it is coloured first, and has more room.
    for batch in sorted(batches, key=lambda each: each.name not in failing):
        rows[batch.name] = _row(
            batch,
            applied.get(batch.name),
            ended.get(batch.name, {}),
            anchors.of_batch(batch.name),
            line.stretches.get(batch.name, ()) if line else (),
            ink,
            beside=len(failing) if batch.name in failing else len(batches),
        )
    return tuple(rows[batch.name] for batch in batches)


def _fails(
    batch: Promised,
    applied: Mapping[str, Application],
    ended: Mapping[str, Mapping[str, CheckResult]],
) -> bool:
    told = applied.get(batch.name)
    return bool(told and told.error) or any(
        check.failed for check in ended.get(batch.name, {}).values()
    )


def _row(
    batch: Promised,
    applied: Application | None,
    ended: Mapping[str, CheckResult],
    anchor: str,
    stretches: tuple[Stretch, ...],
    ink: Ink,
    *,
    beside: int,
) -> BatchRow:
    names = names_of(batch, ended)
    return BatchRow(
        name=batch.name,
        number=batch.number,
        anchor=anchor,
        summary=batch.summary,
        irreversible=batch.irreversible,
        said=result_of(names, applied, ended),
        rollback=rollback_of(batch, names, ended),
        time=_time(applied, stretches),
        stretches=stretches,
        failures=tuple(failures_of(batch.name, applied, ended)),
        seen=_seen(tuple(ended.values()), beside),
        files=files_of(names, ended),
        remarks=tuple(remarks_of(ended)),
        sources=tuple(ink.sql(name, text) for name, text in batch.files if text),
        checked=bool(ended),
    )


def _time(applied: Application | None, stretches: Iterable[Stretch]) -> str:
    """Return how long the first application took, by the rehearsal where it was one."""
    if first := next((each for each in stretches if not each.failed), None):
        return first.time
    return time_text(applied.seconds) if applied and not applied.error else "–"


def _seen(checks: Sequence[CheckResult], beside: int) -> Seen:
    told = next((check for check in checks if check.particulars.rows is not None), None)
    return Seen(
        tally=tally_of(checks),
        changes=changes_of(checks, beside),
        diff=diff_of(checks, beside),
        differences=differences_of(checks, beside),
        locks=locks_of(checks, beside),
        heaviest=heaviest(locks_ahead(checks)),
        locks_looked_for=looked(checks),
        mutants=mutants_of(checks, beside),
        rows=told.particulars.rows if told else None,
        written=told.particulars.written if told else (),
    )
