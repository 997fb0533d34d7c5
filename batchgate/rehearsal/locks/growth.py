"""How the work of a file's statements grows with the rows: two traces held side by side."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import takewhile

from batchgate.locks import Held, Mode
from batchgate.rehearsal.locks.trace import Trace
from batchgate.rehearsal.locks.tracer import Work
from batchgate.rehearsal.locks.work import Done
from batchgate.sqltext import words, writing_word

_SPOKEN = frozenset(
    words(
        "add alter analyze attach call cluster comment concurrently copy create delete detach do"
        " drop full grant index insert lock materialized merge or owned partition policy procedure"
        " reassign refresh reindex replace revoke rule schema select sequence table tables trigger"
        " temp temporary truncate type unique unlogged update vacuum view"
    )
)
_TRIFLES = frozenset({"or", "replace", "unique", "temporary", "temp", "unlogged"})


class Pace(Enum):
    """How the work on a table goes along with its rows."""

    STEADY = auto()
    GROWS = auto()
    WHOLE = auto()  # every row is gone through; with more rows it was not measured
    UNKNOWN = auto()  # too few rows to tell, or none


@dataclass(frozen=True)
class Growth:
    """A statement's work on one table, with the rows that stand and with four times as many."""

    table: str
    pace: Pace
    few: Done
    many: Done | None
    reason: str = ""

    @property
    def rows(self) -> int:
        """Return the rows of work with the most rows that it was measured with."""
        return (self.many or self.few).rows

    def __add__(self, other: "Growth") -> "Growth":
        """Return the work of two statements on one table, at the pace of the first."""
        measured = self.many or other.many
        many = (self.many or self.few) + (other.many or other.few) if measured else None
        reason = self.reason or other.reason
        return Growth(self.table, self.pace, self.few + other.few, many, reason)

    def __str__(self) -> str:
        few, rows = self.few.rows, self.rows
        count = f"{few} → {rows} rows" if rows != few else "1 row" if few == 1 else f"{few} rows"
        text = f"{count} of {self.table}"
        return f"{text} (growth not measured: {self.reason})" if self.reason else text

    @property
    def way(self) -> str:
        """Return what is done with the rows."""
        last = self.many or self.few
        if last.rewritten:
            return f"rewrites ({last.rewritten})"
        if last.written:
            return "writes" if last.written >= last.read else "reads and writes"
        return "reads"


@dataclass(frozen=True)
class Statement:
    """One statement of both runs; `locked` is what it did while others may have waited."""

    work: Work
    growths: tuple[Growth, ...]
    locked: tuple[Growth, ...]
    wal: int

    @property
    def verb(self) -> str:
        """Return the words that a statement begins with and that say what it does."""
        return verb(self.work.sql)

    @property
    def stopping(self) -> Held | None:
        """Return the lock that most of the others wait for while this works, or none."""
        worked = {growth.table for growth in self.working or self.unknown}
        held = [each for each in self.work.held if stops_others(each)]
        return max(held, key=lambda each: _weight(each, worked), default=None)

    @property
    def wait(self) -> str:
        """Return that lock in words."""
        held = self.stopping
        if held is None:
            return ""
        earlier = "" if held in self.work.taken else f" since {self.work.held[held]}"
        return f"{described(held)}{earlier}"

    def __str__(self) -> str:
        return f"{self.work.at}: {self.verb} holds {self.wait} while it {in_words(self.working)}"

    @property
    def working(self) -> tuple[Growth, ...]:
        """Return the work that is more with more rows, or may well be."""
        return tuple(each for each in self.locked if each.pace in (Pace.GROWS, Pace.WHOLE))

    @property
    def unknown(self) -> tuple[Growth, ...]:
        """Return the work that the rows are too few to judge."""
        return tuple(each for each in self.locked if each.pace is Pace.UNKNOWN)


@dataclass(frozen=True)
class Comparison:
    """Two runs of a file: with the rows that stand and, where it could be made, with more.

    `refused` says why a table got no more rows.
    """

    few: Trace
    many: Trace | None
    refused: Mapping[str, str]

    @property
    def stopped(self) -> bool:
        """Tell whether the file did not go through with more rows."""
        return bool(self.many and self.many.run.error)

    def statements(self) -> list[Statement]:
        """Return each statement with its growth, in the order of the file."""
        larger = {work.key: work for work in self.many.works} if self.many else {}
        seen = {work.key: work for work in self.few.works}
        pairs = [(work, larger.get(key)) for key, work in seen.items()]
        # A query makes more statements where there are more rows: with those that stand, none.
        more = [work for key, work in larger.items() if key not in seen]
        pairs += [(replace(work, seconds=None), work) for work in more]
        return [
            Statement(
                work=work,
                growths=tuple(self._growths(work, work.done, other.done if other else None)),
                locked=tuple(self._growths(work, work.locked, other.locked if other else None)),
                wal=max(work.wal, other.wal if other else 0),
            )
            for work, other in sorted(pairs, key=lambda pair: pair[0].key)
        ]

    def _growths(
        self, work: Work, few: Mapping[str, Done], many: Mapping[str, Done] | None
    ) -> Iterator[Growth]:
        for table in sorted(few.keys() | (many or {}).keys()):
            was = few.get(table, Done())
            now = None if many is None else many.get(table, Done())
            rows = self.few.ground.rows.get(table, 0)
            more = self.many.ground.rows.get(table, 0) if self.many else 0
            if now is not None and _is_more(was.rows, now.rows, more - rows):
                yield Growth(table, Pace.GROWS, was, now)
            elif now is not None and more >= 2 * rows > 0:
                yield Growth(table, Pace.STEADY, was, now)
            elif rows == 0:
                yield Growth(
                    table, _pace_on_empty(work, was), was, now, "it has no row in this data"
                )
            else:
                pace = _pace_unmeasured(was, rows)
                yield Growth(table, pace, was, None, self._why_unmeasured(table))

    def _why_unmeasured(self, table: str) -> str:
        if self.many and self.many.run.error:
            return f"with four times the rows the file stops at {self.many.run.error.at}"
        return self.refused.get(table, "its rows do not become more")


def _pace_on_empty(work: Work, was: Done) -> Pace:
    """Judge work on a table without rows: whether it goes through it shows even there."""
    empties = words(work.sql)[:1] == ("truncate",)
    return Pace.UNKNOWN if (was.scans or was.rewritten) and not empties else Pace.STEADY


def _pace_unmeasured(was: Done, rows: int) -> Pace:
    """Judge by one measurement alone whether the statement goes through the whole table.

    A single row is a table as a whole, unless it was looked up.
    """
    if not was.rows or (rows == 1 and not was.scans and not was.rewritten):
        return Pace.STEADY
    return Pace.WHOLE if rows > 1 and max(was.read, was.rebuilt) >= rows else Pace.UNKNOWN


def _is_more(was: int, now: int, added: int) -> bool:
    """Tell growth from chance: twice the work, or half a row for each that was added."""
    return now > was and (now >= 2 * was or now - was >= added / 2 > 0)


def stops_others(held: Held) -> bool:
    """Tell whether readers or writers wait; of a materialized view there are readers alone."""
    if held.kind == "materialized view":
        return held.mode.blocks_reads
    return held.mode.blocks_writes


def _weight(held: Held, worked: set[str]) -> tuple[bool, bool, int, str]:
    """Order locks by how much they matter: of tables that are worked on, strong, then by name."""
    return held.relation in worked, "index" not in held.kind, held.mode.strength, held.relation


def described(held: Held) -> str:
    """Return a lock with what waits for it."""
    return f"{held.mode} on {held.relation} ({held.mode.stops} wait)"


def in_words(growths: Iterable[Growth]) -> str:
    """Return what is done with the rows of which tables."""
    ways: dict[str, list[str]] = {}
    for growth in growths:
        ways.setdefault(growth.way, []).append(str(growth))
    return " and ".join(f"{way} {', '.join(each)}" for way, each in sorted(ways.items()))


def verb(sql: str) -> str:
    """Return what a statement does: its first words, without names and trifles."""
    spoken = words(sql)
    leading = [word for word in takewhile(_SPOKEN.__contains__, spoken) if word not in _TRIFLES]
    if leading[:2] == ["alter", "table"]:
        return "alter table"
    if spoken[:1] == ("with",):
        return writing_word(sql) or "select"
    return " ".join(leading[:3] or spoken[:1]) or "statement"


def strongest(work: Work, least: Mode) -> list[Held]:
    """Return the locks that a statement took, the strongest of each relation, from one up."""
    best: dict[str, Held] = {}
    for held in work.taken:
        if held.mode.strength >= least.strength:
            kept = best.get(held.relation, held)
            best[held.relation] = max(kept, held, key=lambda each: each.mode.strength)
    # What is locked of an index goes with its table, unless no table is locked so strongly.
    tables = [held.mode.strength for held in work.held if "index" not in held.kind]
    most = max(tables, default=-1)
    chosen = [
        held for held in best.values() if "index" not in held.kind or held.mode.strength > most
    ]
    return sorted(chosen, key=lambda each: (-each.mode.strength, each.relation))
