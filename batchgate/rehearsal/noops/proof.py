"""What IF NOT EXISTS and IF EXISTS must not hide: another definition, or another name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from batchgate.catalog import Difference, Snapshot
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.evidence import Evidence, Prove
from batchgate.rehearsal.makers import Makers
from batchgate.rehearsal.noops.definition import held_against, remarks_on
from batchgate.rehearsal.noops.guards import Guard
from batchgate.rehearsal.noops.likeness import class_of, surely_meant
from batchgate.rehearsal.noops.reading import names_in
from batchgate.rehearsal.noops.skips import Skip, hear
from batchgate.rehearsal.stage import below
from batchgate.states import SHOWN
from batchgate.suite import Batch
from batchgate.wholes import Key

_SHOWN_OF = ("definition", "type", "kind", "version")


@dataclass
class _Findings:
    """What was passed by: as meant, otherwise, or not to be told."""

    notes: list[str] = field(default_factory=list)
    offences: list[tuple[str, str]] = field(default_factory=list)
    fixes: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    def offend(self, at: str, row: str, fix: str) -> None:
        """Keep an offence, and what to do about the first."""
        self.offences.append((at, f"{at}: {row}"))
        self.fixes.append(fix)


def no_silent_no_ops(name: str) -> Prove:
    """Return the proof that the guards of a file hide nothing, from the height it runs at."""

    def prove(heights: Heights, batch: Batch) -> Evidence:
        path = batch.folder / name
        start = batch if path == batch.rollback else below(heights, batch)
        heard = hear(heights, batch, path, start)
        if heard is None:
            return Evidence()
        findings, makers = _Findings(), Makers(heights, start)
        for skip in heard.skips:
            if skip.guard.makes:
                _judge_made(findings, makers, skip, heard.end)
            else:
                _judge_missing(findings, heights, batch, start, skip, heard.end)
        return _concluded(batch, findings)

    return prove


def _concluded(batch: Batch, findings: _Findings) -> Evidence:
    found = len(findings.offences)
    if found:
        rows = [row for _, row in findings.offences[:SHOWN]]
        more = [f"… and {found - SHOWN} more"] if found > SHOWN else []
        raise BatchFailed(
            f"batch {batch.name}: expected IF NOT EXISTS and IF EXISTS to hide nothing, "
            f"found {found} difference{'s' if found > 1 else ''}",
            at=findings.offences[0][0],
            rows=[*rows, *more],
            fix=findings.fixes[0],
        )
    return Evidence(tuple(findings.notes), tuple(findings.untold))


def _judge_made(findings: _Findings, makers: Makers, skip: Skip, end: Snapshot) -> None:
    """Hold what stood when IF NOT EXISTS passed it by against what the statement would make."""
    guard, instead = skip.guard, skip.meant.instead
    key = instead or _key_of(guard, skip.meant.facts)
    if key is None:
        why = skip.meant.refused or "it leaves no trace in the catalogs"
        findings.untold.append(f"{skip.at}: {skip.words}: not compared, since {why}")
    elif instead:
        row = f"{key[1]}: stands {_kind_of(key, skip.stood)} → this batch means {guard.class_}"
        maker = makers.named(key, with_line=True)
        findings.offend(skip.at, f"{row} ({maker})", _fix(guard, key, skip.stood))
    elif held := held_against(skip, end):
        _tell_differences(findings, makers, skip, key, held)
    else:
        what, said = f"{guard.class_} {key[1]}", remarks_on(skip, key)
        maker = makers.named(key, with_line=False)
        findings.notes.append(f"{skip.at}: {what} stood already, {said} ({maker})")


def _tell_differences(
    findings: _Findings, makers: Makers, skip: Skip, key: Key, differences: Iterable[Difference]
) -> None:
    maker = makers.named(key, with_line=True)
    for difference in differences:
        of_whole = "" if difference.identity == key[1] else f"{skip.guard.class_} {key[1]} "
        row = f"{_in_words(difference, skip)} ({of_whole}{maker})"
        findings.offend(skip.at, row, _fix(skip.guard, key, skip.stood))


def _judge_missing(
    findings: _Findings,
    heights: Heights,
    batch: Batch,
    start: Batch | None,
    skip: Skip,
    end: Snapshot,
) -> None:
    """Tell a name that is gone, or never was, from one that is written otherwise."""
    stood = heights.schema_at(start)
    own: set[Key] = set()
    if start == batch:
        own = stood.facts.keys() - heights.schema_at(below(heights, batch)).facts.keys()
    meant = surely_meant(skip.guard, skip.words, stood, end, own)
    for key in meant:
        row = f"{skip.words}; {_kind_of(key, stood)} {key[1]} stands"
        fix = f"Write the name as it stands, with its quotes and its schema: {key[1]}"
        findings.offend(skip.at, row, fix)
    if not meant:
        findings.notes.append(f"{skip.at}: {skip.words}")


def _in_words(difference: Difference, skip: Skip) -> str:
    """Show both: what stands, and what this batch means."""
    if difference.attribute is None:
        facts = skip.meant.facts[difference.key]
        shown = next((str(facts[name]) for name in _SHOWN_OF if facts.get(name)), "one")
        what = f"{difference.class_} {difference.identity}"
        return f"{what}: stands none → this batch means {shown}"
    what, _, values = str(difference).partition(f", {difference.attribute}: ")
    before, _, after = values.partition(" → ")
    what = what.removeprefix(f"{difference.kind}: ")
    return f"{what}, {difference.attribute}: stands {before} → this batch means {after}"


def _fix(guard: Guard, standing: Key, stood: Snapshot) -> str:
    name = standing[1].partition(" for ")[0]
    if guard.class_ in ("column", "label", "schema", "type", "user mapping"):
        do = "Alter what stands"
    else:
        do = f"Drop what stands (drop {_kind_of(standing, stood, guard.class_)} {name};)"
        do += " and make it anew"
    return f"IF NOT EXISTS compares names alone. {do}, or give this one a name of its own."


def _kind_of(key: Key, stood: Snapshot, otherwise: str = "") -> str:
    """Say what stands in the words that drop it."""
    kind = stood.facts.get(key, {}).get("kind") if key[0] == "relation" else key[0]
    return (otherwise if key[0] not in ("relation", "index") else "") or str(kind).removeprefix(
        "partitioned "
    )


def _key_of(guard: Guard, facts: Iterable[Key]) -> Key | None:
    """Return the object that a guard is about among those that its statement makes."""
    of_class = [key for key in facts if key[0] == class_of(guard)]
    last = guard.on[-1:] if guard.class_ == "label" else guard.name[-1:]
    named = [key for key in of_class if names_in(key[1])[-1:] and names_in(key[1])[-1][-1:] == last]
    return next(iter(named or of_class), None)
