"""What a batch does to the schema, and what its files should have left alone, as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from batchgate.particulars import Change
from batchgate.report.words import Tone, fair_share, first_few, listed, within
from batchgate.run import CheckResult

# Of one batch, and of all together.
_CHANGES, _CHANGES_IN_ALL = 100, 1_200
_DIFF_LINES, _DIFF_IN_ALL = 400, 3_000
_HEADING = 2
_SIGNS = {"added": "+", "removed": "−", "changed": "~", "left behind": "+", "destroyed": "−"}
_TONES = {"added": Tone.GOOD, "removed": Tone.BAD, "changed": Tone.WARN}
_TITLES = {
    "left behind": "Left behind",
    "destroyed": "Destroyed",
    "changed": "Not as it was",
}


@dataclass(frozen=True)
class Tally:
    """How many objects a batch adds, changes and removes; `more` are not known by kind."""

    added: int
    changed: int
    removed: int
    more: int = 0

    @property
    def total(self) -> int:
        """Return how many objects a batch touches."""
        return self.added + self.changed + self.removed + self.more

    def __str__(self) -> str:
        words = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return listed({**words, "more": self.more}) or "no change"


@dataclass(frozen=True)
class ChangeRow:
    """One object, or one attribute of it: `sign` for its kind, `at` in the batch's own files."""

    sign: str
    tone: Tone
    change: Change
    at: str


@dataclass(frozen=True)
class ChangeTable:
    """Changes of one kind, which is the title, or of several `kinds`; `more` are not shown.

    Some have values where it is `valued`, and a line where it is `placed`.
    """

    title: str
    rows: tuple[ChangeRow, ...]
    more: str
    kinds: bool
    valued: bool
    placed: bool
    found_by: str = ""


@dataclass(frozen=True)
class Diff:
    """A unified diff's lines, each with its class; `more` counts those that are not shown."""

    lines: tuple[tuple[str, str], ...]
    more: str


def tally_of(checks: Iterable[CheckResult]) -> Tally | None:
    """Count the objects that a batch touches, or return None where no check looked."""
    told = _telling(checks)
    if told is None:
        return None
    touched = {kind: set[tuple[str, str]]() for kind in _TONES}
    for change in told.particulars.changes:
        touched.setdefault(change.kind, set()).add((change.sort, change.name))
    whole = touched["added"] | touched["removed"]
    return Tally(
        added=len(touched["added"]),
        changed=len(touched["changed"] - whole),
        removed=len(touched["removed"]),
        more=dict(told.particulars.left_out).get("changes", 0),
    )


def changes_of(checks: Iterable[CheckResult], beside: int = 1) -> ChangeTable | None:
    """Return what one of so many batches does to the schema, or None where there is nothing."""
    told = _telling(checks)
    if told is None or not told.particulars.changes:
        return None
    left = dict(told.particulars.left_out).get("changes", 0)
    limit = fair_share(_CHANGES, _CHANGES_IN_ALL, beside)
    return _table("Schema changes", told.batch, told.particulars.changes, left, limit)


def diff_of(checks: Iterable[CheckResult], beside: int = 1) -> Diff | None:
    """Return the unified diff of the schema of one of so many batches, or None."""
    told = _telling(checks)
    if told is None or not told.particulars.diff:
        return None
    left = dict(told.particulars.left_out).get("diff", 0)
    lines, more = first_few(
        told.particulars.diff, fair_share(_DIFF_LINES, _DIFF_IN_ALL, beside), left
    )
    return Diff(tuple((_class(place, line), line) for place, line in enumerate(lines)), more)


def differences_of(checks: Iterable[CheckResult], beside: int = 1) -> tuple[ChangeTable, ...]:
    """Return what failing checks found not to be as it was, kind by kind."""
    limit = fair_share(_CHANGES, _CHANGES_IN_ALL, beside)
    failing = [check for check in checks if check.failed and check.particulars.differences]
    tables = []
    for kind, title in _TITLES.items():
        once: dict[tuple[str, str, str], Change] = {}
        finders: dict[str, None] = {}
        for check in failing:
            for change in check.particulars.differences:
                if change.kind == kind and not change.note:
                    once.setdefault((change.sort, change.name, change.attribute), change)
                    finders[check.check] = None
        if once:
            left = sum(dict(check.particulars.left_out).get("differences", 0) for check in failing)
            batch, found_by = failing[0].batch, ", ".join(finders)
            tables.append(_table(title, batch, tuple(once.values()), left, limit, found_by))
    return tuple(tables)


def _telling(checks: Iterable[CheckResult]) -> CheckResult | None:
    """Return the check that tells what the migration does to the schema."""
    return next((check for check in checks if check.particulars.rows is not None), None)


def _table(
    title: str, batch: str, changes: Sequence[Change], left: int, limit: int, found_by: str = ""
) -> ChangeTable:
    shown, more = first_few(changes, limit, left)
    rows = tuple(
        ChangeRow(
            sign=_SIGNS.get(each.kind, "~"),
            tone=_TONES.get(each.kind, Tone.IDLE),
            change=each,
            at=within(each.at, batch),
        )
        for each in shown
    )
    return ChangeTable(
        title,
        rows,
        more,
        kinds=not found_by,
        valued=any(each.before or each.after for each in shown),
        placed=any(each.at for each in shown),
        found_by=found_by,
    )


def _class(place: int, line: str) -> str:
    """Return what a line of a diff is; the first ones name the two sides."""
    if place < _HEADING or line.startswith("@@"):
        return "at"
    return {"+": "add", "-": "del"}.get(line[:1], "")
