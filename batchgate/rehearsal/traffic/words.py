"""How it is said what happened among the traffic, and what is to be done about it."""

from collections.abc import Iterable, Sequence

from batchgate.errors import BatchFailed, SuiteError
from batchgate.psqloutput import ScriptError, Step
from batchgate.rehearsal.traffic import crossing as crossings
from batchgate.rehearsal.traffic.actors import Actor
from batchgate.rehearsal.traffic.callers import Caller, Failure
from batchgate.rehearsal.traffic.crossing import Crossing, Waiting
from batchgate.serverwords import masked, shown_sql
from batchgate.suite import Batch

DEADLOCK = "40P01"
Seen = str | Waiting

_SHOWN = 20
_LOCKS_FIRST = (
    "Take every lock at the top of the file, in one go and with a short limit, as in: "
    "set local lock_timeout = '400ms'; lock table a, b in access exclusive mode; "
    "and run the file again where that fails."
)
_STEPS = (
    "Do it in steps: add the new beside the old, let the application move, take the old away in a "
    "later batch. Where the old application has stopped before, end its file's time with "
    "`-- until: …`, naming the batch below."
)
_FIRST_WRITE = (
    "Let the application write what is asked for before the database asks for it, in an earlier "
    "batch; where the old application has stopped before, end its file's time with "
    "`-- until: …`, naming the batch below."
)
_REMEDIES = {
    "0A000": "Let the application name its columns instead of `*`, so that a prepared statement "
    "keeps its shape; or change the type in a new column beside the old.",
    DEADLOCK: _LOCKS_FIRST,
    "55P03": "Hold the lock for less: do the work before it, or in a batch of its own.",
    "57014": "Hold the lock for less: do the work before it, or in a batch of its own.",
    "57P01": "Leave the application's sessions alone: set lock_timeout and run the file again.",
    "42501": "Grant what the application needs in the same transaction.",
}
_BY_CLASS = {"42": _STEPS, "23": _FIRST_WRITE}


def told(seen: Iterable[Seen]) -> list[str]:
    """Return what was seen in lines; of waits that differ in their time alone, the longest."""
    lines: dict[object, Seen] = {}
    for one in seen:
        if isinstance(one, str):
            lines.setdefault(one, one)
            continue
        alike = (one.who.name, one.on_whom, one.awaited, _where(one))
        other = lines.setdefault(alike, one)
        if isinstance(other, Waiting) and (one.seconds or 0) > (other.seconds or 0):
            lines[alike] = one
    return [one if isinstance(one, str) else said_of(one) for one in lines.values()]


def said_of(waiting: Waiting) -> str:
    """Return a wait in one line: who, on whom, from where to where, how long, for what."""
    long = f" ({waiting.seconds * 1000:.0f} ms)" if waiting.seconds is not None else ""
    return (
        f"{waiting.who.name} waited on {waiting.on_whom} {_where(waiting)}{long}: {waiting.awaited}"
    )


def _where(waiting: Waiting) -> str:
    places = list(dict.fromkeys(step.at for step in (waiting.since, waiting.until) if step))
    if len(places) < 2:
        return f"at {''.join(places)}"
    first, last = places
    path, _, line = last.rpartition(":")
    return f"from {first} to {f':{line}' if first.startswith(f'{path}:') else last}"


def failed_beside(batch: Batch, failures: Sequence[Failure], guilty: Step | None) -> BatchFailed:
    """Return that sessions failed; the first of them is the one the message speaks of."""
    first = failures[0]
    step = guilty or _place(first)
    assert step is not None, "a session fails beside one of the batch's statements"
    rows = [_row(failed) for failed in failures]
    rows += [said_of(failed.waiting) for failed in failures if failed.waiting]
    return BatchFailed(
        f"batch {batch.name}: expected the traffic to pass, {first.who.traffic.name} failed with "
        f"{first.code} after statement {step.number} of {step.of}",
        at=step.at,
        sql=shown_sql(step.statement.text),
        rows=_cut(rows),
        cause=first.cause,
        fix=_remedy(first.sqlstate),
    )


def stopped_by_traffic(batch: Batch, error: ScriptError, seen: Sequence[Seen]) -> BatchFailed:
    """Return that the file failed beside sessions without whom it goes through."""
    return BatchFailed(
        f"batch {batch.name}: expected the traffic to pass, {error.headline} with "
        f"{error.sqlstate or 'a lost connection'} beside it",
        at=error.at,
        sql=shown_sql(error.sql),
        rows=_cut(told(seen)),
        cause=masked(_cause(error), error.sqlstate),
        fix=_remedy(error.sqlstate),
    )


def never_ended(crossing: Crossing, batch: Batch, actor: Actor) -> BatchFailed:
    """Return that a session, or the batch itself, was given up."""
    step = crossing.step
    assert step is not None, "who meets a batch meets one of its statements"
    place = f"statement {step.number} of {step.of}"
    who = place if actor.name == batch.name else f"{actor.name} beside {place}"
    return BatchFailed(
        f"batch {batch.name}: expected the traffic to pass, {who} did not end in "
        f"{crossings.PATIENCE:g} s",
        at=step.at,
        sql=shown_sql(step.statement.text),
        rows=_cut([said_of(waiting) for waiting in crossing.waits if not waiting.over]),
        fix="Set lock_timeout at the top of the file, and let every session give back what it"
        " locks.",
    )


def not_runnable(
    caller: Caller, failed: Failure, height: Batch | None, *, again: bool
) -> SuiteError:
    """Return that a turn fails where its file's header says that the session runs."""
    assert height is not None, "no session runs below the first batch"
    when = "a second time" if again else f"where {height.name} stands"
    return SuiteError(
        f"{caller.shown}: expected a turn to pass {when}, it failed with {failed.code}",
        at=failed.at,
        cause=failed.cause,
        fix="Let every turn make keys of its own."
        if again
        else "Put the statement right; or name the batch that makes what it needs in `-- after: …`,"
        " or in `-- until: …` the one below the batch that takes it away.",
    )


def not_ending(caller: Caller, *, waits: bool) -> SuiteError:
    """Return that a turn does not come to its end, though no batch runs."""
    found = "one that waits for another session" if waits else "no end of it"
    return SuiteError(
        f"{caller.shown}: expected a turn that ends while no batch runs, found {found}",
        at=f"{caller.shown}:{caller.turn[caller.place].line}",
        fix="Let a turn give back what it locks, and wait for nothing.",
    )


def left_open(caller: Caller) -> SuiteError:
    """Return that a turn leaves its transaction open."""
    return SuiteError(
        f"{caller.shown}: expected a turn that ends its transaction, found it open",
        at=f"{caller.shown}:{caller.turn[-1].line}",
        fix="Add `commit;` at the end.",
    )


def _cause(error: ScriptError) -> str:
    """Return the server's words; of a deadlock's, the processes and numbers say nothing here."""
    return error.cause.partition("\n")[0] if error.sqlstate == DEADLOCK else error.cause


def _place(failed: Failure) -> Step | None:
    """Return where the batch was when the wait began; in a deadlock, where it closed the ring."""
    begun = failed.waiting.since if failed.waiting and failed.sqlstate != DEADLOCK else None
    return begun or failed.step


def _row(failed: Failure) -> str:
    beside = f", while the batch was at {failed.step.at}" if failed.step else ""
    return f"{failed.who.traffic.name} failed at {failed.at}{beside}: {failed.cause}"


def _cut(rows: Sequence[str]) -> list[str]:
    kept = list(dict.fromkeys(rows))
    more = [f"… and {len(kept) - _SHOWN} more"] if len(kept) > _SHOWN else []
    return kept[:_SHOWN] + more


def _remedy(sqlstate: str) -> str:
    other = "Look what the statement takes away from the application, or makes it wait for."
    return _REMEDIES.get(sqlstate) or _BY_CLASS.get(sqlstate[:2], other)
