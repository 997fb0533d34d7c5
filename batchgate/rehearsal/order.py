"""What a rollback must prove while later batches stand: it refuses, or takes nothing of theirs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psycopg

from batchgate.batches import FileRun
from batchgate.catalog import Difference, Kind, collapse, compare
from batchgate.contents import ContentsDifference, compare_contents
from batchgate.errors import BatchFailed
from batchgate.gates.presence import is_present
from batchgate.heights import Heights
from batchgate.particulars import Change
from batchgate.rehearsal.blame import Blamed
from batchgate.rehearsal.course import Course, leg
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import below, refusal, run, watched
from batchgate.states import (
    REFUSED,
    Offence,
    State,
    expect_unchanged,
    listed,
    offence_rows,
    take_state,
)
from batchgate.suite import Batch, Suite
from batchgate.verdict import counted
from batchgate.wholes import Facts, Json, Key

_ACL_ITEM = re.compile(r"(.*)=((?:[A-Za-z]\*?)*)/(.*)", re.DOTALL)
_PRIVILEGE = re.compile(r"[A-Za-z]\*?")
_REFUSAL = """\
Refuse before anything is taken away:
do $refuse$
begin
    if {present} then
        raise exception 'Cannot roll back {batch}: it is needed by {other}';
    end if;
end
$refuse$;"""


class _Harm(NamedTuple):
    """Something taken that was not the batch's own, and the later batch that it was of."""

    offence: Offence
    owner: Batch | None


@dataclass(frozen=True)
class _Trial:
    """A rollback run while later batches stood, and what it did."""

    batch: Batch
    standing: tuple[Batch, ...]
    ran: FileRun
    before: State
    after: State
    ended: tuple[Batch, ...]

    @property
    def top(self) -> Batch:
        """Return the newest batch that stood."""
        return self.standing[-1]

    @property
    def schema(self) -> list[Difference]:
        """Return what the rollback did to the schema."""
        differences = compare(self.before.schema, self.after.schema)
        return [difference for difference in differences if not difference.soft]

    @property
    def contents(self) -> list[ContentsDifference]:
        """Return what the rollback did to the data."""
        differences = compare_contents(self.before.contents, self.after.contents)
        return [difference for difference in differences if not difference.advanced]


def later(suite: Suite, batch: Batch) -> list[Batch]:
    """Return the batches above this one that make anything."""
    return [each for each in suite.batches[suite.batches.index(batch) + 1 :] if each.migration]


def harmless_out_of_order(heights: Heights, batch: Batch) -> Evidence:
    """Prove that a rollback while later batches stand is refused, or takes nothing of theirs.

    Tried where each batch that requires this one is the newest, and where all of them stand.
    """
    above = later(heights.suite, batch)
    notes = []
    for number, top in enumerate(above, 1):
        if batch.name in top.requires or top is above[-1]:
            trial = _try(heights, batch, above[:number])
            notes.append(f"while {top.name} stands: {_judge(heights, trial)}")
    return Evidence(tuple(notes))


def dependents(batch: Batch, standing: Sequence[Batch]) -> list[Batch]:
    """Return the batches that require this one, directly or by another that does."""
    names, found = {batch.name}, []
    for each in standing:
        if names & set(each.requires):
            names.add(each.name)
            found.append(each)
    return found


def _try(heights: Heights, batch: Batch, standing: Sequence[Batch]) -> _Trial:
    with watched(heights, standing[-1]) as (database, observer):
        before = take_state(observer)
        present = [each for each in standing if _stands(observer, each)]
        ran = run(heights, database, batch, batch.rollback)
        after = take_state(observer)
        ended = tuple(each for each in present if not _stands(observer, each))
    return _Trial(batch, tuple(standing), ran, before, after, ended)


def _stands(observer: psycopg.Connection, batch: Batch) -> bool:
    """Ask a batch whether it stands; where what it asks of is gone, it does not."""
    try:
        return bool(batch.present) and is_present(observer, batch)
    except BatchFailed:
        return False


def _judge(heights: Heights, trial: _Trial) -> str:
    """Say how a trial ended; raise BatchFailed where it did harm."""
    batch, ran = trial.batch, trial.ran
    blame = Blamed(heights, Course(trial.top, (leg(batch, "rollback.sql"),)))
    if not ran.succeeded:
        expect_unchanged(batch, ran.path, trial.before, trial.after, REFUSED, blame)
        return ", ".join(refusal(ran))
    if not trial.schema and not trial.contents:
        return "it goes through and changes nothing"
    harm = _harm(heights, trial, blame)
    if needing := dependents(batch, trial.standing):
        names = " and ".join(each.name for each in needing)
        verb = "stands" if len(needing) == 1 else "stand"
        expected = f"rollback to be refused while {names} {verb}, found that it went through"
        raise _failed(trial, expected, harm, needing[-1], blame)
    if harm:
        owner = next((each.owner for each in harm if each.owner), trial.top)
        expected = (
            f"rollback to take nothing of other batches while {trial.top.name} stands, "
            f"found {counted(len(harm), 'difference')}"
        )
        raise _failed(trial, expected, harm, owner, blame)
    return "it goes through and takes nothing of theirs"


def _harm(heights: Heights, trial: _Trial, blame: Blamed) -> list[_Harm]:
    """List what the rollback took from other batches, or changed or brought back of theirs."""
    lower = heights.schema_at(below(heights, trial.batch)).facts
    own = heights.schema_at(trial.batch).facts
    stood = trial.before.schema.facts
    taken = collapse(one for one in trial.schema if not _is_own(one, lower, own, stood))
    harm = []
    for one, offence in zip(taken, blame.of_schema(taken) if taken else (), strict=True):
        owner = _owner(heights, trial, one.key)
        told = f"; {owner.name} had changed it" if owner and one.key in own else ""
        harm.append(_Harm(Offence(offence.row + told, offence.change), owner))
    theirs = [
        one
        for one in trial.contents
        if one.before and one.after and ("relation", one.identity) not in own
    ]
    for each, offence in zip(theirs, blame.of_contents(theirs) if theirs else (), strict=True):
        harm.append(_Harm(offence, _owner(heights, trial, ("relation", each.identity))))
    return harm + [_ended(batch) for batch in trial.ended]


def _ended(batch: Batch) -> _Harm:
    """Tell of a batch that stood before the rollback of another, and does not any more."""
    turned = Change(
        kind="changed",
        sort="batch",
        name=batch.name,
        attribute="present",
        before="true",
        after="false",
    )
    return _Harm(Offence(f"ended: {batch.name}, whose `present` turned false", turned), batch)


def _is_own(difference: Difference, lower: Facts, own: Facts, stood: Facts) -> bool:
    """Tell what a batch may undo, whatever stands above it: what it made, dropped or changed.

    Lists may have grown since: of a grant to many, it takes its own part.
    """
    key, attribute = difference.key, difference.attribute
    if attribute is None:
        made = key in own and key not in lower
        if difference.kind is Kind.DESTROYED:
            return made and stood[key] == own[key]
        return key in lower and key not in own
    was, made_it, stands = (facts.get(key, {}).get(attribute) for facts in (lower, own, stood))
    if was == made_it:
        return False
    if stands == made_it:
        return True
    lists = [value for value in (was, made_it, stands, difference.after) if isinstance(value, list)]
    if len(lists) < 4:
        return False
    few, more, now, after = ({part for item in value for part in _parts(item)} for value in lists)
    return after == (now - (more - few)) | (few - more)


def _parts(item: Json) -> Iterator[str]:
    """Yield what was granted to someone one by one, and whatever else as it is."""
    granted = _ACL_ITEM.fullmatch(str(item))
    if granted is None:
        yield repr(item)
        return
    grantee, privileges, grantor = granted.groups()
    yield from (f"{grantee}={privilege}/{grantor}" for privilege in _PRIVILEGE.findall(privileges))


def _owner(heights: Heights, trial: _Trial, key: Key) -> Batch | None:
    """Return the newest of the later batches that made or changed an object."""
    for batch in reversed(trial.standing):
        at = heights.schema_at(batch).facts.get(key)
        if at != heights.schema_at(below(heights, batch)).facts.get(key):
            return batch
    return None


def _failed(
    trial: _Trial, expected: str, harm: Sequence[_Harm], other: Batch, blame: Blamed
) -> BatchFailed:
    offences = [each.offence for each in harm] or _done(trial, blame)
    lines = (offence.at for offence in offences if offence.at)
    return BatchFailed(
        f"batch {trial.batch.name}: expected {expected}",
        at=next(lines, trial.ran.path),
        rows=offence_rows(offences, len(offences)),
        fix=_fix(trial.batch, other),
        particulars=listed(offences),
    )


def _done(trial: _Trial, blame: Blamed) -> list[Offence]:
    """Return what a rollback did that should have been refused."""
    if trial.schema:
        return blame.of_schema(collapse(trial.schema))
    return blame.of_contents(trial.contents)


def _fix(batch: Batch, other: Batch) -> str:
    if other.present:
        return _REFUSAL.format(present=other.present, batch=batch.name, other=other.name)
    return (
        f"Refuse in rollback.sql while {other.name} stands, before anything is taken away; "
        f"say `-- present: <condition>` in its migration.sql, and ask for that."
    )
