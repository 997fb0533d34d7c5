"""What each batch has proven: its checks in order, those that did not run among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchgate.report.words import Tone, number_in
from batchgate.verdict import Application, CheckResult, Run, counted, time_text

_NOTE_LINES = 40


@dataclass(frozen=True)
class Promised:
    """A batch of the suite and the checks its files owe, whether or not they ran."""

    name: str
    number: int
    summary: str = ""
    checks: tuple[str, ...] = ()
    irreversible: str = ""


@dataclass(frozen=True)
class Mark:
    """One check in one word; `said` is how it ended."""

    name: str
    said: str
    tone: Tone


@dataclass(frozen=True)
class Remark:
    """What one check has to say, line by line."""

    check: str
    lines: tuple[str, ...]
    tone: Tone


@dataclass(frozen=True)
class BatchRow:
    """One batch as the page lists it."""

    name: str
    number: int
    summary: str
    said: str
    tone: Tone
    time: str
    files: dict[str, tuple[Mark, ...]]
    remarks: tuple[Remark, ...]
    irreversible: str = ""
    checked: bool = True

    @property
    def proven(self) -> bool:
        """Return whether all its checks ran and passed."""
        return self.tone is Tone.GOOD

    @property
    def unchecked(self) -> str:
        """Return in a sentence that none of its checks ran, or nothing."""
        if self.checked:
            return ""
        owed = sum(map(len, self.files.values()))
        return f"None of its {owed} checks was run." if owed else "Its checks were not run."

    @property
    def remarked(self) -> str:
        """Return how much there is to unfold."""
        bad = sum(remark.tone is Tone.BAD for remark in self.remarks)
        lines = sum(len(each.lines) for each in self.remarks if each.tone is not Tone.BAD)
        parts = [counted(bad, "message")] if bad else []
        return ", ".join(parts + ([counted(lines, "note")] if lines else []))


def batch_rows(run: Run, promised: Sequence[Promised]) -> tuple[BatchRow, ...]:
    """Return every batch that was promised, applied or checked, in order."""
    applied = {each.batch: each for each in run.applications}
    batches = {each.name: each for each in promised}
    for each in run.applications:
        batches.setdefault(each.batch, Promised(each.batch, each.number, each.summary))
    for check in run.checks:
        batches.setdefault(check.batch, Promised(check.batch, number_in(check.batch)))
    return tuple(
        _row(
            batch,
            applied.get(batch.name),
            {check.check: check for check in run.checks if check.batch == batch.name},
        )
        for batch in sorted(batches.values(), key=lambda each: (each.number, each.name))
    )


def _row(batch: Promised, applied: Application | None, ended: dict[str, CheckResult]) -> BatchRow:
    names = tuple(dict.fromkeys((*batch.checks, *ended)))
    said, tone = _result(names, applied, ended)
    files: dict[str, tuple[Mark, ...]] = {}
    for name in names:
        file, _, check = name.rpartition("::")
        files[file] = (*files.get(file, ()), _mark(check, ended.get(name)))
    return BatchRow(
        name=batch.name,
        number=batch.number,
        summary=batch.summary,
        said=said,
        tone=tone,
        time=time_text(applied.seconds) if applied and not applied.error else "–",
        files=files,
        remarks=tuple(_remarks(applied, ended)),
        irreversible=batch.irreversible,
        checked=bool(ended),
    )


def _result(
    names: Sequence[str], applied: Application | None, ended: dict[str, CheckResult]
) -> tuple[str, Tone]:
    if (applied and applied.error) or any(check.failed for check in ended.values()):
        return "Fails", Tone.BAD
    if not ended:
        return ("Applied", Tone.IDLE) if applied else ("Not run", Tone.IDLE)
    missing = sum(name not in ended for name in names)
    if missing:
        return f"{counted(missing, 'check')} not run", Tone.IDLE
    if any(check.unexercised for check in ended.values()):
        return "Not all exercised", Tone.WARN
    return "Clean", Tone.GOOD


def _mark(name: str, ended: CheckResult | None) -> Mark:
    if ended is None:
        return Mark(name, "not run", Tone.IDLE)
    if ended.failed:
        return Mark(name, "fail", Tone.BAD)
    if ended.unexercised:
        return Mark(name, "not exercised", Tone.WARN)
    return Mark(name, "pass", Tone.GOOD)


def _remarks(applied: Application | None, ended: dict[str, CheckResult]) -> Iterator[Remark]:
    if applied and applied.error:
        yield Remark("on the way up", (applied.error,), Tone.BAD)
    for name, check in ended.items():
        if check.failed:
            yield Remark(name, (check.headline or "failed without a message",), Tone.BAD)
    for name, check in ended.items():
        told = (*(f"not exercised: {each}" for each in check.unexercised), *check.notes)
        if told:
            yield Remark(name, _cut(told), Tone.WARN if check.unexercised else Tone.IDLE)


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= _NOTE_LINES:
        return tuple(lines)
    return (*lines[:_NOTE_LINES], f"… and {counted(len(lines) - _NOTE_LINES, 'more line')}")
