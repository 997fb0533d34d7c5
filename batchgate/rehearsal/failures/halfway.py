"""How it is said that a failure left something halfway, and what to do about it."""

from collections.abc import Sequence

from batchgate.batches import FileRun
from batchgate.errors import BatchFailed
from batchgate.rehearsal.failures.faults import HALFWAY, Blow, Fault
from batchgate.rehearsal.failures.record import Record
from batchgate.rehearsal.failures.tried import Tried
from batchgate.rehearsal.stage import shown
from batchgate.serverwords import masked, shown_sql
from batchgate.states import SHOWN, Differing, State, listed

_ONE_TRANSACTION = (
    "Begin the file with `begin;` and end it with `commit;`, with none in between; or say"
    " `-- transaction: none` in its header, and let {} cope with what is left."
)
_COMMITS_INSIDE = (
    "No transaction holds what commits inside: say `-- transaction: none` in the file's header,"
    " and let {} cope with what is left."
)
_GOES_ON = (
    "Put all of it into one transaction: psql goes on after an error unless ON_ERROR_STOP is set,"
    " and carries out what stands outside."
)
_STOP = " Or begin the file with `\\set ON_ERROR_STOP on`."
_RAISE = (
    "Let the error through, or `raise;` it again where the patience ends: whoever runs the file"
    " takes it for applied."
)
_ASK = "Let each step ask what stands already, so that the file can be run again from there."
_UNDO_HALF = "Let the rollback take away what stands of the batch, and pass by what does not."
_INVALID = (
    "\nAn interrupted build leaves an invalid index, which `if not exists` takes for the one"
    " that is wanted. Drop it first:\n"
)
_ASK_THE_LAST = (
    "Ask in `present` for what the file makes last, too; of an index, that it is valid:\n"
    "exists (select from pg_catalog.pg_index where indexrelid = to_regclass('name') and indisvalid)"
)


def left_halfway(
    tried: Tried, known: Record, fault: Fault, blow: Blow, state: State, left: Sequence[Differing]
) -> BatchFailed:
    """Say that a failure left something of a file that is to be applied wholly or not at all."""
    copes = "a second run" if tried.undoes else "its rollback and a second run"
    if fault.way in HALFWAY:
        fix = _COMMITS_INSIDE.format(copes) + ("" if tried.undoes else _drop_invalid(state))
    elif fault.stop:
        fix = _ONE_TRANSACTION.format(copes)
    else:
        fix = _GOES_ON + _STOP * (tried.path.name != "migration.sql")
    return BatchFailed(
        f"batch {tried.batch.name}: expected {fault.words} to leave everything as it was, found "
        f"{_counted(left)}",
        at=fault.sent.sending.at,
        sql=shown_sql(fault.sent.sending.text),
        rows=_rows(left),
        particulars=listed(rest=left),
        cause=_kept(known, fault, blow),
        fix=fix,
    )


def failed_by_itself(tried: Tried, known: Record, left: Sequence[Differing]) -> BatchFailed:
    """Say that a file fails with nothing done to it, and leaves something."""
    error = known.run.error
    assert error is not None, "it failed"
    return BatchFailed(
        f"batch {tried.batch.name}: expected the failure of statement {error.number} of {error.of}"
        f" to leave everything as it was, found {_counted(left)}",
        at=error.at,
        sql=shown_sql(error.sql),
        rows=_rows(left),
        particulars=listed(rest=left),
        cause=masked(error.cause, error.sqlstate),
        fix=_ONE_TRANSACTION.format("its rollback and a second run"),
    )


def passed_over(tried: Tried, fault: Fault, missing: Sequence[Differing]) -> BatchFailed:
    """Say that a file ended as if all were well although a lock was not to be had."""
    assert fault.held is not None, "a lock was held against it"
    return BatchFailed(
        f"batch {tried.batch.name}: expected {fault.words} to stop the file, it went on and ended "
        f"with {_counted(missing)} from a run that nothing befell",
        at=fault.sent.sending.at,
        sql=shown_sql(fault.sent.sending.text),
        rows=_rows(missing),
        particulars=listed(rest=missing),
        cause=f"another session held a lock on {fault.held.relation} all the while",
        fix=_RAISE,
    )


def present_too_early(tried: Tried, fault: Fault, missing: Sequence[Differing]) -> BatchFailed:
    """Say that a batch is taken for applied where its file was cut off before its end."""
    batch = tried.batch
    assert batch.migration is not None, "its header has `present`"
    return BatchFailed(
        f"batch {batch.name}: expected `present` to be false while {tried.path.name} is"
        " unfinished, found true",
        at=f"{shown(tried.heights, batch.migration)}:{batch.header.line('present')}",
        rows=[
            f"after {fault.words} ({fault.sent.sending.at}), compared with its end:",
            *_rows(missing),
        ],
        particulars=listed(rest=missing),
        fix=_ASK_THE_LAST,
    )


def not_rolled_back(
    tried: Tried, fault: Fault, ran: FileRun, state: State, left: Sequence[Differing]
) -> BatchFailed:
    """Say that the rollback does not lead back from where a failure left the batch."""
    error = ran.run.error
    found = f"statement {error.number} of {error.of} of it failed" if error else _counted(left)
    return BatchFailed(
        f"batch {tried.batch.name}: expected the rollback to restore the start after {fault.words}"
        f", {'' if error else 'found '}{found}",
        at=fault.sent.sending.at,
        rows=[*_ended("rollback", ran), *_rows(left)],
        particulars=listed(rest=left),
        cause=masked(error.cause, error.sqlstate) if error else "",
        fix=_UNDO_HALF + _drop_invalid(state),
    )


def not_finished(
    tried: Tried, fault: Fault, ran: FileRun, state: State, missing: Sequence[Differing]
) -> BatchFailed:
    """Say that a second run does not get to the end from where a failure left the batch."""
    error = ran.run.error
    found = f"statement {error.number} of {error.of} failed" if error else _counted(missing)
    return BatchFailed(
        f"batch {tried.batch.name}: expected a second run to complete after {fault.words}, "
        f"{'' if error else 'found '}{found}",
        at=fault.sent.sending.at,
        rows=[*_ended("second run", ran), *_rows(missing)],
        particulars=listed(rest=missing),
        cause=masked(error.cause, error.sqlstate) if error else "",
        fix=_ASK + _drop_invalid(state),
    )


def _kept(known: Record, fault: Fault, blow: Blow) -> str:
    """Name the places of what was committed, other than what writes nothing."""
    if fault.way in HALFWAY:
        return "the statement commits inside, and keeps what it had done by then"
    # Where a file goes on, statements write that had nothing to do when nothing befell it.
    writing = {one.sending.at for one in known.sent if one.wrote or not fault.stop}
    kept = [at for at in blow.kept if at in writing]
    return f"kept what was committed at {', '.join(kept)}" if kept else ""


def _ended(which: str, ran: FileRun) -> list[str]:
    return [f"the {which} ends at {ran.run.error.at}"] if ran.run.error else []


def _drop_invalid(state: State) -> str:
    """Return the statements that clear away what an interrupted build left."""
    invalid = [
        identity
        for (class_, identity), attributes in state.schema.facts.items()
        if class_ == "index" and attributes.get("valid") is False
    ]
    drops = "\n".join(f"drop index concurrently if exists {name};" for name in sorted(invalid))
    return _INVALID + drops if drops else ""


def _counted(found: Sequence[Differing]) -> str:
    return f"{len(found)} difference{'s' * (len(found) != 1)}"


def _rows(found: Sequence[Differing]) -> list[str]:
    more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [*map(str, found[:SHOWN]), *more]
