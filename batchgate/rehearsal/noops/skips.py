"""Run a file and hear which IF NOT EXISTS and IF EXISTS did nothing, and what they passed by."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus

from batchgate.batches import FileRun
from batchgate.catalog import Snapshot, take_snapshot
from batchgate.heights import Heights
from batchgate.psqlsend import send
from batchgate.rehearsal.noops.guards import Guard, guards_of, mentions_guard
from batchgate.rehearsal.noops.handmade import Handmade, handmade_guards
from batchgate.rehearsal.noops.likeness import bearing
from batchgate.rehearsal.noops.meant import Meant, look, what_is_meant
from batchgate.script import Script, Step, steps
from batchgate.sqltext import Statement
from batchgate.suite import Batch

# Duplicate table, column, object and schema: where IF NOT EXISTS passes one by, a mere notice.
_PASSED_BY = ("42P07", "42701", "42710", "42P06")
_NOT_FOUND = ("00000", "skipping")
# The innermost frame is a statement; what a body raises by itself begins with the body's.
_IN_A_BODY = re.compile(r'^[^"\n]*"(?P<sql>.*?)"\n(?=[^\n]*PL/pgSQL)', re.DOTALL)
_SILENT = ("warning", "error", "fatal", "panic")
_READY = (TransactionStatus.IDLE, TransactionStatus.INTRANS)


@dataclass(frozen=True)
class Skip:
    """One guard that let nothing happen: where, in the server's words, and what stood then."""

    guard: Guard
    at: str
    words: str
    stood: Snapshot
    meant: Meant


@dataclass(frozen=True)
class Heard:
    """All that a file's guards passed by, and what stands at the file's end."""

    skips: tuple[Skip, ...]
    end: Snapshot


def hear(heights: Heights, batch: Batch, path: Path, start: Batch | None) -> Heard | None:
    """Run a file from a height; None where it guards nothing, and so was not run at all.

    Raises BatchFailed where the file does not go through.
    """
    script = Script(path, heights.settings.root)
    if not _guards_something(script):
        return None
    with heights.clone(start) as database:
        with heights.connect(database) as session:
            skips = _walk(session, script, heights, batch)
        with heights.connect(database) as observer:
            return Heard(tuple(skips), take_snapshot(observer))


def _guards_something(script: Script) -> bool:
    texts = [part.text for part in script.parts if isinstance(part, Statement)]
    return any(mentions_guard(text) or handmade_guards(text) for text in texts) or any(
        map(_guards_something, script.included.values())
    )


def _walk(
    session: psycopg.Connection, script: Script, heights: Heights, batch: Batch
) -> list[Skip]:
    # What is prepared for the looks would not outlive the file's DISCARD ALL.
    session.prepare_threshold = None
    # The words that tell a skip from another notice are the server's own language's.
    session.execute("select set_config('lc_messages', 'C', false)")
    listener = _Listener(session)
    running = steps(session, script)
    while True:
        try:
            step = next(running)
        except StopIteration as ended:
            ran = FileRun(batch, heights.settings.relative(script.path), ended.value, 0.0)
            break
        if step.ran:
            listener.after(step)
        else:
            listener.before(step)
    if not ran.succeeded:
        raise ran.failure(f"{script.path.name} to succeed")
    return listener.skips


class _Said(NamedTuple):
    """What a notice says; the driver's own object is empty once its handler returned."""

    sqlstate: str
    words: str
    context: str


class _Listener:
    """Hears what the server says while one statement runs, and looks what it passed by."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.session = session
        self.skips: list[Skip] = []
        self._said: list[_Said] = []
        self._guards: list[Guard] = []
        self._handmade: list[Handmade] = []
        self._only_guards = False
        self._stood: Snapshot | None = None
        self._muted = ""
        session.add_notice_handler(self._take)

    def before(self, step: Step) -> None:
        """Read the statement's guards; see that notices come, whatever the file set."""
        self._guards, self._handmade = [], handmade_guards(step.sent)
        mentioned = mentions_guard(step.sent) and self._ready
        if mentioned:
            self._muted = self._unmute()
            self._guards = self._read(step)
        self._only_guards = bool(self._guards) and not _does_more(self._guards, step)
        if self._ready and (self._handmade or (mentioned and not self._only_guards)):
            self._stood = look(self.session)
        self._said.clear()

    def after(self, step: Step) -> None:
        """Keep what was passed by, and try out what it would have been."""
        said = list(self._said)
        places = [output.at for output in step.outputs if output.kind == "notice"]
        if not self._ready:
            return
        if self._muted:
            self._set_messages(self._muted)
            self._muted = ""
        for one, at in zip(said, places, strict=False):
            if guard := self._guard_of(one):
                self.skips.append(self._skip(guard, at, one.words))
        if self._handmade and self._stood:
            self.skips += self._left_as_they_stood(step, self._stood)
        if self._guards or not self._only_guards:
            # Something was done, and what is known is out of date.
            self._stood = None

    def _left_as_they_stood(self, step: Step, stood: Snapshot) -> Iterator[Skip]:
        """Yield what a block would have made and left as it was.

        Where it makes one thing in several ways, which of them it means cannot be told.
        """
        stands = look(self.session)
        path, _, line = step.at.rpartition(":")
        ways = Counter((each.guard.class_, each.guard.name) for each in self._handmade)
        for guard, below in self._handmade:
            if ways[guard.class_, guard.name] > 1:
                continue
            left = [
                key for key in bearing(guard, stood) if stood.facts[key] == stands.facts.get(key)
            ]
            if left:
                words = f"{guard.class_} {'.'.join(guard.name)} stood already"
                yield self._skip(guard, f"{path}:{int(line) + below}", words)

    def _take(self, said: Diagnostic) -> None:
        words = said.message_primary or ""
        self._said.append(_Said(said.sqlstate or "", words, said.context or ""))

    @property
    def _ready(self) -> bool:
        return self.session.info.transaction_status in _READY

    def _read(self, step: Step) -> list[Guard]:
        """Return a statement's guards; those of the statements that a query is about to make."""
        if step.statement.send != "gexec":
            return guards_of(step.sent)
        try:
            with self.session.transaction(force_rollback=True):
                answer = send(self.session, step.sent)
        except psycopg.Error:
            # It fails when the file sends it, and is reported then.
            return []
        cells = [cell for table in answer.tables[-1:] for row in table.rows for cell in row if cell]
        return [guard for cell in cells for guard in guards_of(cell)]

    def _unmute(self) -> str:
        """Ask for notices; return what the file asks for, where that is less."""
        found = self.session.execute("select current_setting('client_min_messages')").fetchone()
        level = str(found[0]) if found else ""
        if level not in _SILENT:
            return ""
        self._set_messages("notice")
        return level

    def _set_messages(self, level: str) -> None:
        within = self.session.info.transaction_status is not TransactionStatus.IDLE
        query = "select set_config('client_min_messages', %s, %s)"
        self.session.execute(query, (level, within))

    def _guard_of(self, said: _Said) -> Guard | None:
        """Find the guard that a notice is about; None for any other notice."""
        makes = said.sqlstate in _PASSED_BY
        if not makes and not (said.sqlstate == _NOT_FOUND[0] and _NOT_FOUND[1] in said.words):
            return None
        inner = _IN_A_BODY.match(said.context)
        if said.context and not inner:
            return None
        guards = guards_of(inner["sql"]) if inner else self._guards
        meant = [guard for guard in guards if guard.makes == makes]
        named = [guard for guard in meant if _names(said.words, guard)]
        chosen = next(iter(named or meant), None)
        if chosen in self._guards:
            self._guards.remove(chosen)
        return chosen

    def _skip(self, guard: Guard, at: str, words: str) -> Skip:
        if not guard.makes:
            return Skip(guard, at, words, Snapshot({}), Meant({}))
        self._stood = self._stood or look(self.session)
        meant = Meant({}) if guard.temporary else what_is_meant(self.session, guard)
        return Skip(guard, at, words, self._stood, meant)


def _does_more(guards: Sequence[Guard], step: Step) -> bool:
    """Tell whether a step does more than what is guarded, and so may alter what stands."""
    return step.statement.send == "gexec" or any(
        guard.makes and guard.class_ == "column" and guard.alone != step.sent for guard in guards
    )


def _names(words: str, guard: Guard) -> bool:
    """Tell whether the server's words quote a guard's name, or call it as a function."""
    spelled = {guard.name[-1], ".".join(guard.name)}
    return any(f'"{name}"' in words or f" {name}(" in words for name in spelled)
