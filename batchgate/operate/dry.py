"""Try a file out: the same statements in the same transaction, whose end is another."""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

import psycopg

from batchgate.errors import BatchFailed, Refused, SuiteError
from batchgate.gates.presence import is_present
from batchgate.script import Script
from batchgate.sqltext import Statement, split, words
from batchgate.suite import Batch

# A batch is asked after as by a session of its own, whatever the file has set.
_AFRESH = b"set session authorization default; reset all; set lock_timeout = '5s'"
# What a commit would check is checked; then all is undone.
UNDO = "set constraints all immediate; rollback"
_WHY = "A dry run is the file's one transaction, rolled back at its end."
_ELSEWHERE = (
    "Rehearse it on the throw-away server (pytest sql), or run it on a copy of the database."
)


class Spoken(NamedTuple):
    """A statement of a file or of one that it includes, and the words that it begins with."""

    statement: Statement
    at: str
    words: tuple[str, ...]


def begins(said: tuple[str, ...]) -> bool:
    """Tell whether a statement of these words begins a transaction."""
    return said[:1] == ("begin",) or said[:2] == ("start", "transaction")


def commits(said: tuple[str, ...]) -> bool:
    """Tell whether a statement of these words commits the transaction that it is in."""
    return said[:1] in (("commit",), ("end",)) and "prepared" not in said[1:2]


def undoes(said: tuple[str, ...]) -> bool:
    """Tell whether a statement of these words rolls back the transaction that it is in."""
    return said[:1] in (("rollback",), ("abort",)) and not {"to", "prepared"} & set(said[1:3])


def _ends(said: tuple[str, ...]) -> bool:
    return commits(said) or undoes(said) or said[:2] == ("prepare", "transaction")


def is_harmless(said: tuple[str, ...]) -> bool:
    """Tell whether a statement changes nothing but its session, or begins or ends a transaction."""
    return said[:1] in (("set",), ("reset",), ("show",)) or begins(said) or commits(said)


def ends_unseen(statement: Statement, sent: str) -> bool:
    """Tell whether what is sent begins or ends a transaction otherwise than its words say.

    As one of several statements that are sent at once, `a\\; b;`, or out of a variable.
    """
    try:
        said = [words(each.text) for each in split(sent, path="") if isinstance(each, Statement)]
    except SuiteError:
        # The server reads the whole before it does any of it, and refuses it.
        return False
    if len(said) == 1:
        return sent != statement.text and _ends(said[0])
    return any(begins(each) or _ends(each) for each in said)


def tried_out(script: Script) -> Script:
    """Return a file as it is tried out; raises Refused for one that is not one transaction."""
    _expect_one_transaction(script)
    return _undone(script)


def would_stand(connection: psycopg.Connection[Any], batch: Batch) -> bool | None:
    """Ask in the transaction that is tried out whether the batch would stand once it is committed.

    What is deferred until then may change it. None where nobody can say; the transaction goes on.
    """
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set constraints all immediate")
            connection.execute(_AFRESH)
            return is_present(connection, batch)
    except (psycopg.Error, BatchFailed):
        return None


def _expect_one_transaction(script: Script) -> None:
    """Raise Refused where anything is done before the file's one transaction, or after it."""
    state = "before"
    last = None
    for each in _spoken(script):
        last = each
        if each.statement.send == "gexec":
            _refuse(each.at, "statements that a query makes, which may commit")
        if ends_unseen(each.statement, each.statement.text):
            refuse_unseen(each.at)
        if _ends(each.words) and not commits(each.words):
            _refuse(each.at, "a transaction that ends otherwise than by commit")
        if begins(each.words) and state == "after":
            _refuse(each.at, "a second transaction after what was committed")
        if commits(each.words) and ("chain" in each.words and "no" not in each.words):
            _refuse(each.at, "a second transaction chained to the first")
        if begins(each.words):
            state = "within"
        elif commits(each.words) and state == "within":
            state = "after"
        elif state != "within" and not is_harmless(each.words):
            refuse_outside(each.at)
    if state != "after" and last:
        _refuse(last.at, "no commit")


def _spoken(script: Script) -> Iterator[Spoken]:
    for index, part in enumerate(script.parts):
        if isinstance(part, Statement):
            yield Spoken(part, script.at(part.line), words(part.text))
        elif index in script.included:
            yield from _spoken(script.included[index])


def _undone(script: Script) -> Script:
    undone = copy(script)
    undone.parts = tuple(
        replace(part, text=UNDO)
        if isinstance(part, Statement) and commits(words(part.text))
        else part
        for part in script.parts
    )
    undone.included = {index: _undone(each) for index, each in script.included.items()}
    return undone


def refuse_unseen(at: str) -> NoReturn:
    """Refuse to try out what would end a transaction without a word of it."""
    _refuse(at, "its begin or end in a variable, or among statements that are sent at once")


def refuse_outside(at: str) -> NoReturn:
    """Refuse to try out a statement that no transaction would undo."""
    _refuse(at, "a statement outside of a transaction, which stands once it ran")


def _refuse(at: str, what: str) -> NoReturn:
    raise Refused(
        f"{at.rpartition(':')[0]}: expected one transaction to try out, found {what}",
        at=at,
        cause=_WHY,
        fix=_ELSEWHERE,
    )
