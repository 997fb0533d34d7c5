"""How long each lock of a file was held, and what was done with rows meanwhile."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile

from batchgate.locks import Held, Mode
from batchgate.particulars import Lock, Particulars
from batchgate.rehearsal.locks.growth import Growth, Statement, in_words, stops_others, strongest

_KEPT = 60
_TABLES = 4


@dataclass(frozen=True)
class Span:
    """A lock, and the statements from the one that took it to its transaction's last."""

    held: Held
    statements: Sequence[Statement]

    @property
    def seconds(self) -> float | None:
        """Return the time of the statements over the rows that stand, where it is known."""
        first, *later = (statement.work.seconds for statement in self.statements)
        return None if first is None else first + sum(each or 0.0 for each in later)

    @property
    def work(self) -> str:
        """Return what was done with rows meanwhile, with those of the most tables in words."""
        first, *later = self.statements
        done: dict[str, Growth] = {}
        # Of the first one only what came after its lock; when that was is told of strong ones.
        for growth in (*first.locked, *(each for one in later for each in one.growths)):
            if growth.rows:
                known = done.get(growth.table)
                done[growth.table] = known + growth if known else growth
        most = sorted(done.values(), key=lambda growth: (-growth.rows, growth.table))
        text, more = in_words(most[:_TABLES]), len(most) - _TABLES
        return f"{text}, and of {more} more table{'s' if more > 1 else ''}" if more > 0 else text


def locks_held(
    file: str, statements: Sequence[Statement], guilty: Collection[Statement], mild: str
) -> Particulars:
    """Return a file's locks in its order; of very many, those of the guilty and the strongest.

    `mild` excuses the guilty.
    """
    guilty_keys = {statement.work.key for statement in guilty}
    found = list(_spans(statements))
    blamed = [_holds_up(span, guilty_keys) for span in found]
    ranked = sorted(
        range(len(found)), key=lambda place: (not blamed[place], -found[place].held.mode.strength)
    )
    locks = [_lock(file, found[place], blamed[place], mild) for place in sorted(ranked[:_KEPT])]
    more = len(found) - len(locks)
    return Particulars(locks=tuple(locks), left_out=(("locks", more),) if more else ())


def _spans(statements: Sequence[Statement]) -> Iterator[Span]:
    for place, statement in enumerate(statements):
        for held in strongest(statement.work, Mode.SHARE_UPDATE_EXCLUSIVE):
            if not _is_held_already(held, statement):
                after = islice(statements, place + 1, None)
                later = takewhile(partial(_goes_on, held), after)
                yield Span(held, (statement, *later))


def _is_held_already(held: Held, statement: Statement) -> bool:
    """Tell a lock that makes no one wait who does not wait for an earlier one."""
    return any(
        each.relation == held.relation
        and each.mode.strength >= held.mode.strength
        and each not in statement.work.taken
        for each in statement.work.held
    )


def _goes_on(held: Held, statement: Statement) -> bool:
    """Tell whether a lock of the statement before is held still, and not anew."""
    return held in statement.work.held and held not in statement.work.taken


def _holds_up(span: Span, guilty: Collection[tuple[int, int]]) -> bool:
    return stops_others(span.held) and any(one.work.key in guilty for one in span.statements)


def _lock(file: str, span: Span, blamed: bool, mild: str) -> Lock:
    held, work = span.held, span.statements[0].work
    return Lock(
        file=file,
        at=work.at,
        statement=span.statements[0].verb,
        relation=held.relation,
        sort=held.kind,
        mode=held.mode.statement.upper(),
        stops=held.mode.stops,
        strength=held.mode.strength,
        # No one writes to a materialized view, but for another refresh.
        blocks_writes=held.mode.blocks_writes and held.kind != "materialized view",
        blocks_reads=held.mode.blocks_reads,
        seconds=span.seconds,
        work=span.work,
        offends=blamed and not mild,
        excused=mild if blamed else "",
    )
