"""What is asked before anything is written: whether this database is meant, and each outage."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from batchgate.cli.answers import confirmed
from batchgate.cli.live import Live
from batchgate.cli.width import fitted, wrapped
from batchgate.errors import Refused
from batchgate.operate.place import Place
from batchgate.operate.task import Route, Task
from batchgate.operate.weight import Burden

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Consent:
    """Who may say yes: the options, or whoever sits at the terminal; `asks` where there is one."""

    live: Live
    yes: bool
    locks: bool
    asks: bool

    @classmethod
    def of(cls, live: Live, *, yes: bool, locks: bool, as_json: bool) -> "Consent":
        """Return the consent of a command; nobody is asked where a document is written."""
        return cls(live, yes, locks, asks=sys.stdin.isatty() and not as_json)

    def to_write(self, place: Place, question: str) -> None:
        """Ask whether this database is meant; raises Refused where nobody can be asked."""
        if self.yes:
            return
        if not self.asks:
            raise Refused(
                f"database {place.database}: expected a word that it is meant, found no terminal"
                " to ask on",
                fix="Say --yes, once you have read which database that is.",
            )
        self._ask(question)

    def to_lock(self, task: Task, burdens: Sequence[Burden]) -> None:
        """Ask whether others may wait while large tables are worked on; raises Refused."""
        if not burdens or self.locks:
            return
        told = list(_told(burdens))
        instead = _instead(task)
        if not self.asks:
            raise Refused(
                f"batch {task.batch.name}: expected no work on a large table while others wait,"
                f" found it in {task.path.name}",
                at=burdens[0].at,
                rows=told,
                fix=f"{instead}, or say --accept-locks.",
            )
        lines = [f"{task.path.name} works on large tables while others wait:"]
        lines += [f"  - {each}" for each in told]
        self.live.print("\n".join(map(wrapped, [*lines, f"{instead}."])), err=True)
        self._ask("Let them wait?", of=task)

    def to_go_unmeasured(self, task: Task, error: Refused) -> None:
        """Ask whether to go on where it is not known who will wait; raises Refused."""
        if not self.asks:
            raise with_more(error, "To run it unmeasured, say --accept-locks.")
        self.live.print(fitted(str(error), sys.stderr), err=True)
        self._ask("Run it unmeasured, and let others wait?", of=task)

    def _ask(self, question: str, *, of: Task | None = None) -> None:
        with self.live.aside():
            try:
                agreed = confirmed(question)
            except click.Abort:
                click.echo(err=True)
                # What was done before is known to whoever asks.
                raise KeyboardInterrupt from None
        if not agreed:
            # Of several batches others may have been changed before.
            named = f"batch {of.batch.name}: " if of else ""
            kept = "nothing of it" if of else "nothing"
            raise Refused(f"{named}expected a yes, found a no: {kept} was changed")


def with_more(error: Refused, fix: str = "", left: str = "") -> Refused:
    """Return a refusal with one more thing to do about it, or with what is left before it."""
    said = error.message
    return Refused(
        said.headline,
        at=said.at,
        sql=said.sql,
        rows=said.rows,
        cause=said.cause,
        left="\n".join(filter(None, (said.left, left))),
        fix="\n".join(filter(None, (said.fix, fix))),
    )


def _told(burdens: Sequence[Burden]) -> Iterator[str]:
    for each in burdens:
        known = [] if each.rows is None else [f"{each.rows:,} rows".replace(",", " ")]
        known += [] if each.size_bytes is None else [size_of(each.size_bytes)]
        size = f" (about {', '.join(known)})" if known else ""
        held = "" if each.of_rows else f" under {each.lock} on {each.locked}"
        yield (
            f"{each.does} {each.table}{size}{held} by `{each.statement}` at {each.at};"
            f" {each.stops} wait"
        )


def _instead(task: Task) -> str:
    if task.route is Route.ORDINARY and task.batch.online:
        return f"Take {task.batch.online.name} instead: --online"
    return "Run it when nobody needs them"


def size_of(size: int) -> str:
    """Return a number of bytes as PostgreSQL writes it, without its fractions."""
    power = 0
    while size >= 10 * 1024 and power < len(_UNITS) - 1:
        size, power = size // 1024, power + 1
    return f"{size} {_UNITS[power]}"
