"""What became of the mutants that were tried, as the page has it."""

from collections.abc import Mapping, Sequence

from batchgate.mutation.damage import Mutant
from batchgate.particulars import Mutant as Told
from batchgate.particulars import Particulars
from batchgate.rehearsal.validation.trials import End, Trial

_KEPT = 300
_LENGTH = 200
# What asks for something to be done comes first.
_ORDER = (End.SURVIVED, End.TOLD, End.NOT_MADE, End.EQUIVALENT, End.KILLED)


def endings(ended: Sequence[Trial], made_at: Mapping[Mutant, str]) -> Particulars:
    """Return every mutant's end, of very many the first; `made_at` are lines of the migration.

    Those that survived come first, and alike ones in the order of the file that is named.
    """
    told = [_told(trial, made_at) for trial in sorted(ended, key=lambda one: _rank(one, made_at))]
    more = len(told) - _KEPT
    return Particulars(
        mutants=tuple(told[:_KEPT]), left_out=(("mutants", more),) if more > 0 else ()
    )


def _told(trial: Trial, made_at: Mapping[Mutant, str]) -> Told:
    return Told(
        name=_cut(trial.mutant.name),
        ended=trial.end.value,
        required=trial.mutant.required,
        at=_at(trial, made_at),
        reason=_cut(trial.reason),
    )


def _at(trial: Trial, made_at: Mapping[Mutant, str]) -> str:
    return made_at.get(trial.mutant, "") if trial.end is End.SURVIVED else trial.at


def _rank(trial: Trial, made_at: Mapping[Mutant, str]) -> tuple[int, bool, bool, str, int]:
    """Order by end; of survivors those that must not, and then by place, where there is one."""
    path, _, line = _at(trial, made_at).rpartition(":")
    harmless = trial.end is End.SURVIVED and not trial.mutant.required
    return _ORDER.index(trial.end), harmless, not path, path, int(line or 0)


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
