"""Keeps one snapshot of a target for all gates of a run, and gives way to replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, RLock, Thread
from time import monotonic

import psycopg

from batchgate.errors import Message
from batchgate.faults import cause_of, remedy_of
from batchgate.findings import Cause
from batchgate.reading import read_query
from batchgate.run import TargetReport
from batchgate.serverwords import gate_words
from batchgate.targets.address import Target, TargetUnavailable
from batchgate.targets.grants import missing_grants
from batchgate.targets.holder import Holder
from batchgate.targets.lag import Lag, measure_lag
from batchgate.targets.refusals import PASSING, Fault
from batchgate.targets.role import Role, read_role
from batchgate.targets.terms import Terms
from batchgate.verdict import counted

_WATCHED_EVERY = 1.0
_SETTLING = 5.0
_PAUSE = 0.05


@dataclass(frozen=True)
class Visit:
    """What a gate is told when it comes: the snapshot to see, or why it cannot be run.

    `number` counts a target's snapshots; 0 is one of the gate's own, imported by no name.
    `conflicts` is how often replay has been in the way of anyone's queries by then.
    """

    standby: bool = False
    number: int = 0
    snapshot: str = ""
    conflicts: int = 0
    cause: Cause = Cause.NONE
    why: str = ""
    fix: str = ""


class Keeper:
    """One session on a target for the length of its gates; any thread may ask it.

    Its transaction holds the snapshot that all gates import, and nothing else: no lock on any
    table. `asked` is all that gates may ask, to tell which grants are missing.
    """

    def __init__(self, target: Target, terms: Terms, asked: Sequence[str]) -> None:
        self.target = target
        self._terms = terms
        self._asked = asked
        self._turn = RLock()
        self._over = Event()
        self._watched = False
        self._holder = Holder(target, terms.manner.limits)
        self._refused: Visit | None = None
        self._role: Role | None = None
        self._lag: Lag | None = None
        self._grants: tuple[str, ...] = ()
        self._notes: list[str] = []
        self._taken: list[str] = []
        self._running: set[int] = set()
        self._gave_way: set[int] = set()
        self._waits_since: float | None = None
        self._yields = 0

    def visit(self, *, again: bool, newer_than: int = 0) -> Visit:
        """Say what a gate is to see; `again` tells that it has just lost what it saw.

        `newer_than` is the number of a snapshot that is of no use any more.
        """
        with self._turn:
            if self._refused:
                return self._refused
            try:
                return self._visited(again=again, newer_than=newer_than)
            except TargetUnavailable as error:
                return self.unreachable(error.fault, error.message)
            except psycopg.Error as error:
                if self._refused:
                    return self._refused
                cause = cause_of(error, broken=self._holder.broken) or Cause.UNREACHABLE
                self._holder.drop()
                why = gate_words(error, "", "", 0)
                return Visit(cause=cause, why=why, fix=remedy_of(cause))

    def give_up(self, cause: Cause, why: str, fix: str = "") -> Visit:
        """Run no further gate on the target: none would get an answer."""
        with self._turn:
            self._refused = Visit(cause=cause, why=why, fix=fix or remedy_of(cause))
            self._holder.drop()
            return self._refused

    def unreachable(self, fault: Fault, message: Message) -> Visit:
        """Say that no connection came; unless that may pass, no gate asks for one any more."""
        cause = Cause.CONFLICT if fault is Fault.CONFLICT else Cause.UNREACHABLE
        why = f"{fault}: {message.cause}"
        if fault in PASSING:
            return Visit(cause=cause, why=why, fix=message.fix)
        return self.give_up(cause, why, message.fix)

    def began(self, pid: int) -> None:
        """Note that a gate runs in a server process, so that it can be told to give way."""
        with self._turn:
            self._running.add(pid)

    def ending(self, pid: int) -> bool:
        """Note that a gate is over; tell whether it was cancelled to give way to replay."""
        with self._turn:
            cancelled = pid in self._gave_way
            self._running.discard(pid)
            self._gave_way.discard(pid)
            return cancelled

    def interrupt(self) -> None:
        """Cancel on the server whatever our gates run there now, and let none begin."""
        with self._turn:
            try:
                self._cancel_running()
            except (psycopg.Error, TargetUnavailable) as error:
                # The limits of their transactions end them then.
                self._notes.append(f"could not cancel the gates that ran: {type(error).__name__}")
            self.give_up(Cause.LOST, "the run was interrupted")
            self._over.set()

    def close(self) -> None:
        """Let go of the snapshot, and leave."""
        with self._turn:
            self._over.set()
            self._watched = False
            self._holder.drop()

    def report(self) -> TargetReport:
        """Return what is known of the target, for whoever reads the run.

        Nobody waits for a turn here: who was interrupted may hold it until a server answers.
        """
        role, lag, refused = self._role, self._lag, self._refused
        return TargetReport(
            name=self.target.name,
            address=self.target.address,
            source=self.target.source,
            server=role.server if role else "",
            role=("standby" if role.standby else "primary") if role else "",
            user=role.user if role else "",
            snapshot_mode="per-gate" if self._terms.per_gate else "shared",
            snapshots=tuple(self._taken),
            lag=str(lag) if lag else "",
            lag_bytes=lag.bytes if lag else None,
            lag_seconds=lag.seconds if lag else None,
            notes=tuple(self._told()),
            grants=self._grants,
            error=f"{refused.cause}: {refused.why}" if refused else "",
        )

    def _told(self) -> Iterator[str]:
        yield from self._notes
        if len(self._taken) > 1:
            yield (
                f"{len(self._taken)} snapshots were needed, since replay ended the earlier ones or"
                " tables were made anew: gates of different snapshots saw different moments"
            )
        if self._yields:
            yield f"gave way to replay {counted(self._yields, 'time')}"

    def _visited(self, *, again: bool, newer_than: int) -> Visit:
        if self._role is None:
            self._role = self._admitted()
        if self._refused:
            return self._refused
        if not self._watched:
            self._over = Event()
            self._watched = True
            Thread(target=self._attend, args=(self._over,), daemon=True).start()
        if self._terms.per_gate:
            if again:
                self._settle()
            self._look_at_lag()
        else:
            if newer_than and newer_than == len(self._taken):
                self._holder.drop()
            if not self._holder.is_alive():
                self._take()
        standby = self._role.standby
        number = 0 if self._terms.per_gate else len(self._taken)
        return self._refused or Visit(standby, number, self._holder.snapshot, self._conflicts())

    def _admitted(self) -> Role:
        """Look at the target once: who we are there, what we may, and how far behind it is."""
        with self._holder.transaction() as line:
            role = read_role(line)
        self._look_at_lag()
        powers = ", ".join(role.powers)
        if role.powers and not self._terms.allow_superuser:
            self.give_up(Cause.REFUSED, powers)
        if self._refused:
            return role
        with self._holder.transaction() as line:
            lacking = missing_grants(line, self._asked)
        # Only a standby has a receiver to be seen.
        self._grants = tuple(
            grant for grant in lacking if role.standby or "pg_read_all_stats" not in grant
        )
        self._notes = list(self._noted(role, powers))
        return role

    def _noted(self, role: Role, powers: str) -> Iterator[str]:
        if role.powers:
            yield f"{powers}: --allow-superuser"
        if not role.standby:
            yield "a primary: the gates read from the server that takes the writes"
        elif not role.sees_statistics:
            yield "whether replay waits for the gates is not seen"

    def _look_at_lag(self) -> None:
        with self._holder.transaction() as line:
            self._lag = measure_lag(line)
        limit = self._terms.max_lag
        if limit and (why := limit.exceeded(self._lag)):
            self.give_up(Cause.TOO_FAR_BEHIND, why)

    def _take(self) -> None:
        """Take a snapshot for all gates; another than the first only once replay is past it."""
        if self._taken:
            self._settle()
        self._look_at_lag()
        if self._refused:
            return
        self._holder.hold()
        self._taken.append(datetime.now(UTC).isoformat(timespec="milliseconds"))

    def _conflicts(self) -> int:
        assert self._role is not None, "a visit begins with a look at the role"
        if not self._role.standby:
            return 0
        return int(self._holder.ask(read_query("conflicts.sql")) or 0)

    def _settle(self) -> None:
        """Wait, for a while, until replay is past what our snapshot stood in the way of.

        Replay sleeps for up to a second between two looks. A snapshot taken before it goes on
        would be in the way of the same record, and be taken away at once.
        """
        until = monotonic() + _SETTLING
        received = self._holder.ask("select pg_catalog.pg_last_wal_receive_lsn()::text")
        caught_up = "select pg_catalog.pg_last_wal_replay_lsn() >= %s::pg_catalog.pg_lsn"
        while received and monotonic() < until:
            if self._holder.ask(caught_up, received) and not self._replay_waits():
                return
            self._over.wait(_PAUSE)

    def _attend(self, over: Event) -> None:
        """Look every second whether replay waits; that keeps the idle session alive, too."""
        while not over.wait(_WATCHED_EVERY):
            with self._turn:
                self._watch()

    def _watch(self) -> None:
        if not (self._holder.snapshot or self._running):
            return
        try:
            waits = self._replay_waits()
            if not waits:
                self._waits_since = None
                return
            now = monotonic()
            since = self._waits_since = self._waits_since or now
            if now - since >= self._terms.max_replay_wait:
                self._give_way()
        except (psycopg.Error, TargetUnavailable):
            # Whoever asks for a snapshot next is given a new one, or told why there is none.
            self._holder.drop()

    def _replay_waits(self) -> bool:
        return bool(self._holder.ask(read_query("replay.sql"), list(self._running)))

    def _give_way(self) -> None:
        """Cancel what our gates run, and let go of the snapshot, so that replay goes on."""
        self._gave_way |= self._running
        self._yields += 1
        self._waits_since = None
        self._cancel_running()
        self._holder.drop()

    def _cancel_running(self) -> None:
        if self._running:
            cancel = "select count(pg_catalog.pg_cancel_backend(p)) from unnest(%s::integer[]) as p"
            self._holder.ask(cancel, list(self._running))
