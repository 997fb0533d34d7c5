"""The locks a batch takes on objects that stood before it: which, for how long, who waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from batchgate.particulars import Lock
from batchgate.report.words import Tone, fair_share, first_few
from batchgate.run import CheckResult
from batchgate.verdict import time_text

# Of one batch, and of all together.
_LOCKS, _IN_ALL = 60, 600
LOCK_CHECK = "no-lock-while-working"
_BACK = "rollback.sql"


@dataclass(frozen=True)
class LockRow:
    """One statement's locks of one kind, on one object or several.

    `at` is a line of one of the batch's files, `share` the time's part of the longest of the
    batch, 0 to 1.
    """

    lock: Lock
    relations: tuple[str, ...]
    at: str
    time: str
    share: float
    tone: Tone


@dataclass(frozen=True)
class LockTable:
    """A batch's locks, file by file; `more` counts those that are not shown."""

    rows: tuple[LockRow, ...]
    count: int
    more: str
    working: bool


def locks_ahead(checks: Iterable[CheckResult]) -> list[Lock]:
    """Return the locks of the way there, and of the way back those that a check fails for."""
    return [lock for lock in locks_in(checks) if lock.file != _BACK or lock.offends]


def locks_in(checks: Iterable[CheckResult]) -> list[Lock]:
    """Return every lock that was seen."""
    return [lock for check in checks for lock in check.particulars.locks]


def locks_of(checks: Sequence[CheckResult], beside: int = 1) -> LockTable | None:
    """Return the locks of one of so many batches, or None where none was seen."""
    locks = locks_in(checks)
    if not locks:
        return None
    left = sum(dict(check.particulars.left_out).get("locks", 0) for check in checks)
    # Those that offend are shown, however many others there are.
    limit = fair_share(_LOCKS, _IN_ALL, beside)
    kept = sorted(range(len(locks)), key=lambda place: not locks[place].offends)[:limit]
    shown = [locks[place] for place in sorted(kept)]
    longest = max(lock.seconds or 0.0 for lock in locks) or 1.0
    alike: dict[tuple[object, ...], list[Lock]] = {}
    for lock in shown:
        alike.setdefault(_manner(lock), []).append(lock)
    count = len(locks) + left
    return LockTable(
        rows=tuple(_row(group, longest) for group in alike.values()),
        count=count,
        more=first_few((), 0, count - len(shown))[1],
        working=any(lock.work for lock in shown),
    )


def heaviest(locks: Iterable[Lock]) -> Lock | None:
    """Return the lock that stops most of all that others wait for, of such the longest."""
    return max(
        filter(others_wait, locks),
        key=lambda lock: (lock.offends, lock.strength, lock.seconds or 0.0),
        default=None,
    )


def longest(locks: Iterable[Lock]) -> Lock | None:
    """Return the lock that others wait for longest, or None where none was timed."""
    timed = [lock for lock in locks if others_wait(lock) and lock.seconds is not None]
    return max(timed, key=lambda lock: lock.seconds or 0.0, default=None)


def others_wait(lock: Lock) -> bool:
    """Tell whether readers or writers wait for a lock."""
    return lock.blocks_reads or lock.blocks_writes


def looked(checks: Iterable[CheckResult]) -> bool:
    """Tell whether a check looked for locks."""
    return any(check.check.endswith(LOCK_CHECK) for check in checks)


def _manner(lock: Lock) -> tuple[object, ...]:
    """Return all that locks of one statement have in common but what they are on."""
    taken = (lock.file, lock.at, lock.statement, lock.mode, lock.stops, lock.seconds)
    return (*taken, lock.work, lock.offends, lock.excused)


def _row(locks: Sequence[Lock], longest: float) -> LockRow:
    lock = locks[0]
    _, _, line = lock.at.rpartition(":")
    return LockRow(
        lock=lock,
        relations=tuple(each.relation for each in locks),
        at=f"{lock.file}:{line}" if line.isdigit() else lock.at,
        time="–" if lock.seconds is None else time_text(lock.seconds),
        share=(lock.seconds or 0.0) / longest,
        tone=Tone.BAD if lock.offends else Tone.WARN if lock.excused else Tone.IDLE,
    )
