"""What a validation must notice: each damage to one point of what its batch made."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property

from batchgate.activity import one_by_one
from batchgate.catalog import Snapshot
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.mutation.assertion import assertion
from batchgate.mutation.damage import Mutant
from batchgate.mutation.mutants import mutants_of, name_parts, table_of, untried
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import below
from batchgate.rehearsal.validation.checklines import nearest_line, swallowing_handlers
from batchgate.rehearsal.validation.endings import endings
from batchgate.rehearsal.validation.origins import origins
from batchgate.rehearsal.validation.rowmutants import row_mutants
from batchgate.rehearsal.validation.trials import Bench, End, Trial
from batchgate.script import Script
from batchgate.states import SHOWN
from batchgate.suite import Batch

_NONE = "no mutant: the batch changes nothing in schema or data"
_FAILS = "no mutant was tried: the validation does not pass where the batch stands"


def kills_every_mutant(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the validation fails wherever one point of what the batch made is damaged."""
    before, after = heights.schema_at(below(heights, batch)), heights.schema_at(batch)
    every = mutants_of(before, after)
    if before.facts == after.facts:
        every = row_mutants(heights, batch)
    chosen = _spread(every, heights.settings.mutants)
    left = untried(before, after)
    undamaged = f"nothing was damaged of: {_counted(left)}"
    if not every:
        return Evidence(unexercised=(undamaged if left else _NONE,))
    with ExitStack() as stack:
        trials = _Trials(heights, batch, stack)
        if not trials.with_rows.passes:
            return Evidence(unexercised=(_FAILS,))
        ended = [trials.try_out(mutant) for mutant in one_by_one("mutant", chosen)]
        starved = list(trials.starved(ended))
    _expect_noticed(heights, batch, ended, after)
    notes = [_totals(ended), *_shown(list(_remarks(ended))), *starved]
    if left:
        notes.append(undamaged)
    few = f"{len(chosen)} of {len(every)} mutants were tried: --mutants {len(every)} tries all"
    unexercised = [few] if len(chosen) < len(every) else []
    if all(one.end is End.NOT_MADE for one in ended):
        unexercised.append(f"no mutant could be made: {ended[0].reason}" if ended else few)
    return Evidence(tuple(notes), tuple(dict.fromkeys(unexercised)), endings(ended, {}))


class _Trials:
    """The benches of one validation: over the sample data, and on empty tables when needed."""

    def __init__(self, heights: Heights, batch: Batch, stack: ExitStack) -> None:
        self._heights, self._batch, self._stack = heights, batch, stack
        self.with_rows = self._bench(sample=True)

    @cached_property
    def _empty(self) -> Bench | None:
        """Return a bench without rows, where the batches below apply to empty tables."""
        try:
            return self._bench(sample=False)
        except BatchFailed:
            return None

    def try_out(self, mutant: Mutant) -> Trial:
        """Try a mutant; where rows stand in its way, where there are none."""
        trial = self.with_rows.try_out(mutant)
        if trial.hindered_by_rows and self._empty and self._empty.passes:
            return self._empty.try_out(mutant)
        return trial

    def starved(self, ended: Sequence[Trial]) -> Iterator[str]:
        """Yield the checks that notice their mutant over rows, and pass without any.

        One mutant for each line that killed one: a second run of all would say no more.
        """
        killers = {trial.at: trial for trial in ended if trial.end is End.KILLED}
        if not killers or self._empty is None or not self._empty.passes:
            return
        for at, trial in sorted(killers.items()):
            if self._empty.try_out(trial.mutant).end is End.SURVIVED:
                yield f"data-starved: {at} notices `{trial.mutant.name}` only where there are rows"

    def _bench(self, *, sample: bool) -> Bench:
        return Bench(self._heights, self._batch, self._stack, sample=sample)


def _spread(mutants: Sequence[Mutant], limit: int) -> list[Mutant]:
    """Choose as many as are to be tried, from all parts of the list alike."""
    count = min(limit, len(mutants))
    return [mutants[place * len(mutants) // count] for place in range(count)]


def _expect_noticed(
    heights: Heights, batch: Batch, ended: Sequence[Trial], after: Snapshot
) -> None:
    survived = [one for one in ended if one.end is End.SURVIVED and one.mutant.required]
    told = [one for one in ended if one.end is End.TOLD]
    if survived:
        raise _blind(heights, batch, survived, told, ended, after)
    if told:
        raise BatchFailed(
            f"batch {batch.name}: expected its validation to end in an error where it prints a "
            f"failure, {len(told)} of {_mutants(len(ended))} ended with exit code 0",
            at=told[0].at,
            rows=_shown([_told(one) for one in told]),
            cause=_totals(ended),
            fix="Raise an exception where a check fails; set ON_ERROR_STOP at the top.",
            particulars=endings(ended, {}),
        )


def _blind(
    heights: Heights,
    batch: Batch,
    survived: Sequence[Trial],
    told: Sequence[Trial],
    ended: Sequence[Trial],
    after: Snapshot,
) -> BatchFailed:
    """Return the failure of a validation that does not notice every mutant."""
    assert batch.validation is not None
    script = Script(batch.validation, heights.settings.root)
    folded = _folded([one.mutant for one in survived], after)
    checks = {one: assertion(one, after.facts[one.key]) for one in folded}
    first = next((one for one in folded if checks[one]), next(iter(folded)))
    names = [name_parts(one) for one in folded]
    handlers = swallowing_handlers(script, {name for both in names for name in both if name})
    spoken_of = (line for both in names if (line := nearest_line(script, *both)))
    every = [one.mutant for one in survived]
    made_at = origins(heights, batch, after, list(folded)[:SHOWN], every)
    rows = [
        f"survived: {one.name}{more}" + (f" (made by {made_at[one]})" if one in made_at else "")
        for one, more in folded.items()
    ]
    swallows = f"{', '.join(handlers)}: the handler takes any exception and raises none of its own"
    return BatchFailed(
        f"batch {batch.name}: expected its validation to notice every change, "
        f"{len(survived)} of {_mutants(len(ended))} survived",
        at=handlers[0] if handlers else next(spoken_of, script.at(1)),
        rows=_shown([*rows, *(_told(one) for one in told)]),
        cause="\n".join([*([swallows] if handlers else []), _totals(ended)]),
        fix=f"Check what is there, the first of them so:\n{checks[first]}"
        if checks[first]
        else "Compare each of them with its definition in pg_catalog, and raise an exception.",
        particulars=endings(ended, made_at),
    )


def _folded(mutants: Sequence[Mutant], after: Snapshot) -> dict[Mutant, str]:
    """Take those together with a table's that are parts of it, where it may go unnoticed itself."""
    whole = {one.key[1]: one for one in mutants if one.key[0] == "relation" and not one.attribute}
    parts = {one: table_of(one, after.facts[one.key]) for one in mutants}
    counts = Counter(table for one, table in parts.items() if table in whole)
    more = {table: f", and {_mutants(count)} of its parts" for table, count in counts.items()}
    kept = [*whole.values(), *(one for one in mutants if one not in whole.values())]
    return {one: more.get(one.key[1], "") for one in kept if parts[one] not in whole}


def _told(trial: Trial) -> str:
    return f"exit code 0: {trial.mutant.name}: {trial.reason} ({trial.at})"


def _shown(rows: Sequence[str]) -> list[str]:
    more = [f"… and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return [*rows[:SHOWN], *more]


def _totals(ended: Sequence[Trial]) -> str:
    counts = Counter(one.end for one in ended)
    free = sum(one.end is End.SURVIVED and not one.mutant.required for one in ended)
    said = [
        f"{counts[end]} {end}"
        + (f" ({free} of them need not be noticed)" if end is End.SURVIVED and free else "")
        for end in End
        if counts[end] or end is not End.TOLD
    ]
    return f"{_mutants(len(ended))}: {', '.join(said)}"


def _remarks(ended: Sequence[Trial]) -> Iterator[str]:
    """Yield what is of no consequence: mutants that need not be noticed, and such as are none."""
    for one in ended:
        if one.end is End.SURVIVED:
            yield f"survived, and need not be noticed: {one.mutant.name}"
        elif one.end is End.NOT_MADE:
            yield f"not made: {one.mutant.name}: {one.reason}"
        elif one.end is End.EQUIVALENT:
            yield f"equivalent: {one.mutant.name}"


def _mutants(count: int) -> str:
    return f"{count} mutant{'' if count == 1 else 's'}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {class_}" for class_, count in sorted(counts.items()))
