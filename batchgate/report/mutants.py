"""What a validation noticed of the damage that was done to what its batch made."""

from collections.abc import Iterable
from dataclasses import dataclass

from batchgate.particulars import Mutant
from batchgate.report.words import Tone, fair_share, first_few
from batchgate.run import CheckResult

# Of one end and batch, and of one end in all batches together.
_LISTED, _IN_ALL = 50, 1_200
_KILLED, _SURVIVED = "killed", "survived"
_IN_WORDS = "killed in words only"
_FREE = "survived, and need not be noticed"


@dataclass(frozen=True)
class MutantGroup:
    """Mutants that ended alike; `more` counts those that are not listed."""

    ended: str
    count: int
    mutants: tuple[Mutant, ...]
    more: str


@dataclass(frozen=True)
class MutantTotals:
    """How many mutants a validation killed of those that count, and what became of the others.

    `left_out` of them are not known by name.
    """

    killed: int
    tried: int
    tone: Tone
    survivors: MutantGroup | None
    others: tuple[MutantGroup, ...]
    left_out: int

    @property
    def share(self) -> float:
        """Return which part of them was killed, 0 to 1."""
        return self.killed / self.tried if self.tried else 0.0


def mutants_of(checks: Iterable[CheckResult], beside: int = 1) -> MutantTotals | None:
    """Return what became of the mutants of one of so many batches, or None without any."""
    told = next((check for check in checks if check.particulars.mutants), None)
    if told is None:
        return None
    mutants = told.particulars.mutants
    left = dict(told.particulars.left_out).get("mutants", 0)
    alive = [each for each in mutants if each.ended == _SURVIVED and each.required]
    kinds: dict[str, list[Mutant]] = {}
    for each in mutants:
        if each not in alive:
            free = each.ended == _SURVIVED
            kinds.setdefault(
                "survived, and need not be noticed" if free else each.ended, []
            ).append(each)
    limit = fair_share(_LISTED, _IN_ALL, beside)
    killed = len(kinds.get(_KILLED, ()))
    return MutantTotals(
        killed=killed,
        tried=killed + len(alive) + len(kinds.get(_IN_WORDS, ())),
        tone=Tone.BAD if told.failed else Tone.WARN if told.unexercised else Tone.GOOD,
        survivors=_group(_SURVIVED, alive, limit) if alive else None,
        others=tuple(_group(ended, group, limit) for ended, group in kinds.items()),
        left_out=left,
    )


def _group(ended: str, mutants: list[Mutant], limit: int) -> MutantGroup:
    shown, more = first_few(mutants, limit)
    return MutantGroup(ended, len(mutants), shown, more)
