"""What each batch has proven: its checks in order, those that did not run among them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchgate.report.words import Said, Tone, first_few, sentence_of
from batchgate.run import Application, CheckResult, Promised
from batchgate.verdict import counted

_NOTE_LINES = 40
_CHAIN = "::chain-down-and-up"
_BACK = "rollback.sql::"

Ended = Mapping[str, CheckResult]


@dataclass(frozen=True)
class Mark:
    """One check in one word; `said` is how it ended."""

    name: str
    said: str
    tone: Tone


@dataclass(frozen=True)
class Failure:
    """One check that failed: what it expected and found, and what to do."""

    check: str
    sentence: str
    fix: str = ""


@dataclass(frozen=True)
class Remark:
    """What one check has to say without failing, line by line; `more` counts what was cut."""

    check: str
    lines: tuple[str, ...]
    tone: Tone
    more: str = ""


def names_of(batch: Promised, ended: Ended) -> tuple[str, ...]:
    """Return the checks that a batch owes, and such as it made without owing them."""
    return tuple(dict.fromkeys((*batch.checks, *ended)))


def result_of(names: Sequence[str], applied: Application | None, ended: Ended) -> Said:
    """Return in a word what a batch has proven; only one whose checks all passed is green."""
    if (applied and applied.error) or any(check.failed for check in ended.values()):
        return Said("Fails", Tone.BAD)
    if not ended:
        return Said("Applied" if applied else "Not run", Tone.IDLE)
    missing = sum(name not in ended for name in names)
    if missing:
        return Said(f"{counted(missing, 'check')} not run", Tone.IDLE)
    if any(check.unexercised for check in ended.values()):
        return Said("Not exercised", Tone.WARN)
    return Said("Passes", Tone.GOOD)


def rollback_of(batch: Promised, names: Sequence[str], ended: Ended) -> Said:
    """Return in a word what a batch's rollback leaves."""
    owed = [name for name in names if name.startswith(_BACK)]
    if batch.irreversible:
        return Said("Irreversible", Tone.WARN)
    if not owed:
        stands = any(name.startswith("migration") for name in names)
        return Said("Not known" if stands or not names else "Nothing to undo", Tone.IDLE)
    ran = [ended[name] for name in owed if name in ended]
    if failing := [check for check in ran if check.failed]:
        # The chain speaks of every batch in it, and each has a row of its own.
        own = [check for check in failing if not check.check.endswith(_CHAIN)]
        return Said(_leaves(own) if own else "Breaks the chain", Tone.BAD)
    if len(ran) < len(owed):
        return Said("Not all run" if ran else "Not run", Tone.IDLE)
    if any(check.unexercised for check in ran):
        return Said("Not exercised", Tone.WARN)
    return Said("Clean", Tone.GOOD)


def files_of(names: Sequence[str], ended: Ended) -> dict[str, tuple[Mark, ...]]:
    """Return a batch's checks in a word each, file by file."""
    files: dict[str, tuple[Mark, ...]] = {}
    for name in names:
        file, _, check = name.rpartition("::")
        files[file] = (*files.get(file, ()), _mark(check, ended.get(name)))
    return files


def failures_of(batch: str, applied: Application | None, ended: Ended) -> Iterator[Failure]:
    """Yield what a batch failed of, its application first."""
    if applied and applied.error:
        yield Failure("on the way up", sentence_of(applied.error, f"batch {batch}"))
    for name, check in ended.items():
        if check.failed:
            headline = check.headline or "failed without a message"
            yield Failure(name, sentence_of(headline, f"batch {batch}"), check.fix)


def remarks_of(ended: Ended) -> Iterator[Remark]:
    """Yield what checks have to say that did not fail."""
    for name, check in ended.items():
        told = (*(f"not exercised: {each}" for each in check.unexercised), *check.notes)
        if told:
            lines, more = first_few(told, _NOTE_LINES)
            yield Remark(name, lines, Tone.WARN if check.unexercised else Tone.IDLE, more)


def _leaves(failing: Iterable[CheckResult]) -> str:
    """Say what a rollback that fails leaves, by what its checks saw."""
    kinds = {
        change.kind
        for check in failing
        for change in check.particulars.differences
        if not change.note
    }
    words = {"destroyed": "destroys", "left behind": "leaves residue", "changed": "changes"}
    said = ", ".join(word for kind, word in words.items() if kind in kinds)
    return said.capitalize() or "Fails"


def _mark(name: str, ended: CheckResult | None) -> Mark:
    if ended is None:
        return Mark(name, "not run", Tone.IDLE)
    if ended.failed:
        return Mark(name, "fails", Tone.BAD)
    if ended.unexercised:
        return Mark(name, "not exercised", Tone.WARN)
    return Mark(name, "pass", Tone.GOOD)
