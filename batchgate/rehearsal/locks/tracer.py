"""Send a file's statements, and see the locks that each holds and the work it does.

Locks are seen by a second session. A statement that is a transaction of its own gives them back
as it ends, so it is put between BEGIN and COMMIT; where the server refuses that (CONCURRENTLY,
VACUUM, a procedure that commits), the statement is watched from beside while it runs.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, TypeVar

import psycopg
from psycopg.errors import ActiveSqlTransaction, InvalidTransactionTermination, QueryCanceled
from psycopg.pq import TransactionStatus

from batchgate.locks import Held, held_by
from batchgate.rehearsal.locks.beside import watch_beside
from batchgate.rehearsal.locks.work import (
    Counters,
    Done,
    Ground,
    done_between,
    read_counters,
    when_locked,
)
from batchgate.script import ScriptRun
from batchgate.sqltext import words

T = TypeVar("T")
Connection = psycopg.Connection[Any]

# Statements that neither read nor change a table, and those that must come first of all.
_IDLE = frozenset(
    words(
        "begin start commit end rollback abort savepoint release set reset show prepare deallocate"
        " discard listen notify"
    )
)
# What may end a transaction, or take a part of it back, and leave the session in one.
_ENDING = frozenset(words("commit end rollback abort"))
_NEVER_IN_TRANSACTION = (ActiveSqlTransaction, InvalidTransactionTermination)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One statement: what its transaction holds once it has run, and what it did.

    `held` names the place where each lock was taken, `taken` are those of the statement itself;
    `locked` is the part of the work that may have been done while others waited for a lock;
    `part` counts the statements that a query made (\\gexec). `seconds` is its own time, and that of
    what came after and was not looked at, such as the commit that its locks were held for. One
    that was seen from `beside` may hold its locks for a part of its time only, and may not have
    been seen to its end (`lost`); `phases` says how far it was when it was. Its time, which it
    spent waiting for us, is not known.
    """

    at: str
    number: int
    part: int
    sql: str
    held: Mapping[Held, str]
    taken: frozenset[Held]
    done: Mapping[str, Done]
    locked: Mapping[str, Done]
    wal: int
    seconds: float | None = None
    beside: bool = False
    lost: bool = False
    phases: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[int, int]:
        """Return what tells the statement from the others of its file."""
        return self.number, self.part


@dataclass
class Tracer:
    """The state of one run: where it is, what the open transaction holds and has done."""

    session: Connection
    observer: Connection
    connect: Callable[[], Connection]
    ground: Ground
    most: int
    works: list[Work] = field(default_factory=list)
    at: str = ""
    number: int = 0
    part: int = 0
    held: dict[Held, str] = field(default_factory=dict)
    before: Counters | None = None

    def follow(self, running: Generator[Any, None, ScriptRun]) -> ScriptRun:
        """Run the steps to their end, knowing where each is."""
        while True:
            try:
                step = next(running)
            except StopIteration as end:
                run: ScriptRun = end.value
                return run
            if not step.ran:
                self.at, self.number, self.part = step.at, step.number, 0

    def cursors(self) -> type[psycopg.Cursor[Any]]:
        """Return the cursors that a session under watch runs its statements by."""
        tracer = self

        class Watched(psycopg.Cursor[Any]):
            """Sends a statement while the tracer looks at it."""

            def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
                run = lambda: super(Watched, self).execute(query, *arguments, **options)  # noqa: E731
                return tracer.watch(query.decode(), run)

            @contextmanager
            def copy(self, statement: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
                text = statement.decode()
                with tracer.around(text), super().copy(statement, *arguments, **options) as copy:
                    yield copy

        return Watched

    def watch(self, text: str, run: Callable[[], T]) -> T:
        """Run a statement under watch; in whichever way the server lets us."""
        try:
            with self.around(text) as wrapped:
                return run()
        except _NEVER_IN_TRANSACTION:
            if not wrapped:
                raise
        return self._beside(text, run)

    @contextmanager
    def around(self, text: str) -> Iterator[bool]:
        """Look before and after a statement; say whether a transaction was put around it."""
        self.part += 1
        if self.part > self.most:
            raise QueryCanceled(f"more than {self.most} statements made by one query")
        status = self.session.info.transaction_status
        if status == TransactionStatus.INERROR or self._is_idle(text):
            with self._prolonging():
                yield False
            self._forget_what_ended(text)
            return
        alone = status == TransactionStatus.IDLE
        if alone:
            self._send("begin")
        before = self.before or read_counters(self.session, self.ground)
        started = perf_counter()
        try:
            yield alone
        except psycopg.Error:
            self.before = None
            if alone and not self.session.closed:
                self._send("rollback")
                self.held = {}
            raise
        seconds = perf_counter() - started
        if self.session.info.transaction_status == TransactionStatus.INTRANS:
            self._look(text, before, seconds)
        if alone:
            with self._prolonging():
                self._send("commit")
        self._forget_what_ended(text)

    @contextmanager
    def _prolonging(self) -> Iterator[None]:
        """Count the time of what is not looked at for the statement before it, if it holds any."""
        started = perf_counter()
        yield
        if self.held:
            last = self.works[-1]
            seconds = (last.seconds or 0.0) + perf_counter() - started
            self.works[-1] = replace(last, seconds=seconds)

    def _is_idle(self, text: str) -> bool:
        spoken = words(text)
        deferred = spoken[:2] == ("set", "constraints")
        return not self.ground.relations or (not deferred and "".join(spoken[:1]) in _IDLE)

    def _look(self, text: str, before: Counters, seconds: float) -> None:
        """Note what the transaction holds now, and what was done since a reading."""
        after = read_counters(self.session, self.ground)
        held = self._held()
        taken = held - self.held.keys()
        self.held = {each: self.held.get(each, self.at) for each in held}
        self.before = after
        self._note(text, taken, before, after, held=self.held, seconds=seconds)

    def _beside(self, text: str, run: Callable[[], T]) -> T:
        """Run a statement that is no transaction of ours, and look at it from beside."""
        before = read_counters(self.session, self.ground, between=True)
        among = list(self.ground.relations)
        result, seen = watch_beside(self.session, self.observer, self.connect, among, run)
        after = read_counters(self.session, self.ground, between=True)
        held = dict.fromkeys(seen.held, self.at)
        self._note(
            text,
            seen.held,
            before,
            after,
            held=held,
            beside=True,
            lost=seen.lost,
            phases=seen.phases,
        )
        return result

    def _note(
        self,
        text: str,
        taken: frozenset[Held],
        before: Counters,
        after: Counters,
        **seen: Any,
    ) -> None:
        word = " ".join(words(text)[:1])
        locked = when_locked(before, after)
        self.works.append(
            Work(
                at=self.at,
                number=self.number,
                part=self.part,
                sql=text.rstrip("; "),
                taken=taken,
                done=done_between(before, after, self.ground, word),
                locked=done_between(locked, after, self.ground, word),
                wal=after.wal - before.wal,
                **seen,
            )
        )

    def _forget_what_ended(self, text: str) -> None:
        status = self.session.info.transaction_status
        if status == TransactionStatus.IDLE:
            self.before, self.held = None, {}
        elif status == TransactionStatus.INTRANS and _ENDING.intersection(words(text)[:1]):
            held = self._held()
            self.held = {each: at for each, at in self.held.items() if each in held}

    def _held(self) -> frozenset[Held]:
        return held_by(self.observer, self.session.info.backend_pid, self.ground.relations)

    def _send(self, statement: str) -> None:
        with psycopg.Cursor(self.session) as cursor:
            cursor.execute(statement.encode())
