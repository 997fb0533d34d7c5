"""Which statement of a batch makes a session fail: tried out within the batch's own session."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from batchgate.psqlfile import Script
from batchgate.psqloutput import Step
from batchgate.rehearsal.traffic.callers import Failure
from batchgate.rehearsal.traffic.meeting import Meeting
from batchgate.script import steps

# Whatever the file set for itself, the application is not its session.
_AS_THE_APPLICATION = (
    "set local session authorization default",
    "set local role none",
    "set local search_path to default",
    "set local statement_timeout = 0",
    "set local lock_timeout = 0",
)
# A query after these would take from the transaction the right to be set.
_BEGINNING = ("begin", "start", "set")


def culprit_of(meeting: Meeting, failed: Failure) -> Step | None:
    """Return the first statement after which what the session sends fails as it did.

    What a file did not commit yet, it alone sees; so the statements are sent in its own session,
    prepared beforehand, and taken back. None where they do not fail so.
    """
    texts = failed.who.prepared_up_to(failed.number)
    with (
        meeting.heights.clone(meeting.start) as database,
        meeting.heights.connect(database) as session,
    ):
        session.prepare_threshold = None
        if not _prepare(session, texts) or _refused_with(session, len(texts)) is not None:
            return None
        for step in _ran(session, meeting.script):
            if _refused_with(session, len(texts)) == failed.sqlstate:
                return step
    return None


def _ran(session: psycopg.Connection, script: Script) -> Iterator[Step]:
    for step in steps(session, script):
        if step.ran and not step.error and not step.statement.text.lower().startswith(_BEGINNING):
            if session.closed:
                return
            yield step


def _prepare(session: psycopg.Connection, texts: Sequence[str]) -> bool:
    for number, text in enumerate(texts):
        name = sql.Identifier(_name(number))
        try:
            session.execute(sql.SQL("prepare {} as ").format(name).as_bytes() + text.encode())
        except psycopg.Error:
            return False
    return True


def _refused_with(session: psycopg.Connection, count: int) -> str | None:
    try:
        with _taken_back(session):
            for setting in _AS_THE_APPLICATION:
                session.execute(setting.encode())
            for number in range(count):
                session.execute(sql.SQL("execute {}").format(sql.Identifier(_name(number))))
    except psycopg.Error as error:
        return error.sqlstate or ""
    return None


@contextmanager
def _taken_back(session: psycopg.Connection) -> Iterator[None]:
    assert session.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)
    with session.transaction(force_rollback=True):
        yield


def _name(number: int) -> str:
    return f"batchgate_{number}"
