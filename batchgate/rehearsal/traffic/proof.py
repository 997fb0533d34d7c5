"""What a migration must prove beside the application: whoever waits goes on, and no one fails."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from batchgate.activity import one_by_one
from batchgate.heights import Heights
from batchgate.psqlfile import Script
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import run
from batchgate.rehearsal.traffic.callers import Caller, Failure
from batchgate.rehearsal.traffic.crossing import Crossing, crossing_at
from batchgate.rehearsal.traffic.culprit import culprit_of
from batchgate.rehearsal.traffic.meeting import (
    Meeting,
    Outcome,
    beside_a_transaction,
    between_statements,
    warm_up,
)
from batchgate.rehearsal.traffic.words import (
    DEADLOCK,
    Seen,
    failed_beside,
    stopped_by_traffic,
    told,
)
from batchgate.serverwords import masked
from batchgate.suite import Batch, Suite, Traffic

GAVE_UP, SERIALIZATION = "55P03", "40001"
_AT_ONCE = 4
# What two writers may do to each other without any batch: whoever tries again gets on.
_AMONG_WRITERS = (SERIALIZATION, "23505", "23P01")


def lets_traffic_pass(heights: Heights, batch: Batch) -> Evidence:
    """Prove that no session fails beside the migration, nor the migration beside them."""
    return _prove(heights, batch, batch.migration)


def lets_traffic_pass_online(heights: Heights, batch: Batch) -> Evidence:
    """Prove of the online route what the migration has to prove."""
    return _prove(heights, batch, batch.online)


LETS_TRAFFIC_PASS = {
    "migration.sql": lets_traffic_pass,
    "migration.online.sql": lets_traffic_pass_online,
}


def meets_traffic(batch: Batch, suite: Suite) -> bool:
    """Tell whether a session meets the batch, or has no later one to be seen beside."""
    if suite.traffic_at(suite.below(batch)):
        return True
    above = suite.batches[suite.batches.index(batch) + 1 :]
    return bool(suite.traffic) and not any(each.migration for each in above)


def _prove(heights: Heights, batch: Batch, path: Path | None) -> Evidence:
    assert path is not None, "a check is only made of a file that is there"
    meeting = Meeting(heights, batch, Script(path, heights.settings.root))
    seen, standing = _beside_turns(meeting)
    for first in one_by_one("round of sessions", range(0, len(standing), _AT_ONCE)):
        seen += _beside_each(meeting, standing[first : first + _AT_ONCE])
    met = () if meeting.running else ("no session of the traffic runs while it is applied",)
    return Evidence(tuple(told(seen)), met)


def _beside_turns(meeting: Meeting) -> tuple[list[Seen], list[tuple[Traffic, int]]]:
    """Let all sessions make turns; tell which of them can stand in a transaction, and where."""
    with crossing_at(meeting.heights, meeting.start) as crossing:
        callers = meeting.callers(crossing, meeting.running)
        warm_up(crossing, callers, meeting.start)
        outcome = _twice(lambda quiet: between_statements(crossing, meeting, callers, quiet=quiet))
        beside = ", ".join(caller.traffic.name for caller in callers)
        seen = _judged(meeting, crossing, outcome, beside)
        warm_up(crossing, meeting.callers(crossing, meeting.newcomers), meeting.batch)
        return seen, [(caller.traffic, hold) for caller in callers for hold in caller.holds]


def _beside_each(meeting: Meeting, standing: list[tuple[Traffic, int]]) -> list[Seen]:
    """Let one session after another stand in its transaction, its turn made up to a statement.

    Each meets the batch in a database of its own, at the same time: most of it is waiting.
    """
    seen: list[Seen] = []
    with ExitStack() as stack:
        crossings = [
            stack.enter_context(crossing_at(meeting.heights, meeting.start)) for _ in standing
        ]
        callers = [
            meeting.callers(crossing, [traffic])[0]
            for crossing, (traffic, _) in zip(crossings, standing, strict=True)
        ]
        holds = [hold for _, hold in standing]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            outcomes = list(pool.map(partial(_beside_one, meeting), crossings, callers, holds))
        for crossing, caller, hold, outcome in zip(
            crossings, callers, holds, outcomes, strict=True
        ):
            line = caller.turn[hold - 1].line
            beside = f"{caller.traffic.name}, in its transaction after {caller.shown}:{line}"
            seen += _judged(meeting, crossing, outcome, beside)
    return seen


def _beside_one(meeting: Meeting, crossing: Crossing, caller: Caller, hold: int) -> Outcome:
    warm_up(crossing, [caller], meeting.start, turns=1)
    return _twice(lambda quiet: beside_a_transaction(crossing, meeting, caller, hold, quiet=quiet))


def _twice(passes: Callable[[bool], Outcome]) -> Outcome:
    """Run a file that gave up its wait once more, and in peace, as its operator would."""
    first = passes(False)
    if first.error is None or first.error.sqlstate != GAVE_UP:
        return first
    again = passes(True)
    failures = first.failures + again.failures
    told = f"{first.error.at} gave up its wait [{GAVE_UP}]; run again, "
    if again.error is None:
        return Outcome(None, failures, [f"{told}it went through"])
    cause = masked(again.error.cause, again.error.sqlstate).partition("\n")[0]
    return Outcome(first.error, failures, [f"{told}it failed at {again.error.at}: {cause}"])


def _judged(meeting: Meeting, crossing: Crossing, outcome: Outcome, beside: str) -> list[Seen]:
    """Raise BatchFailed for what failed; return what is worth a note."""
    if outcome.error:
        _expect_alone(meeting)
    kinds: dict[tuple[str, str], list[Failure]] = {}
    for failed in outcome.failures:
        kinds.setdefault((failed.at, failed.sqlstate), []).append(failed)
    own = [each[0] for each in kinds.values() if _are_their_own(each, crossing)]
    if blamed := [each[0] for each in kinds.values() if each[0] not in own]:
        raise failed_beside(meeting.batch, blamed, culprit_of(meeting, blamed[0]))
    if outcome.error:
        seen: list[Seen] = [f"beside {beside}", *outcome.notes, *crossing.waits]
        raise stopped_by_traffic(meeting.batch, outcome.error, seen)
    notes = [f"{each.who.traffic.name} had to try again at {each.at}: {each.cause}" for each in own]
    return [*outcome.notes, *notes, *crossing.waits]


def _expect_alone(meeting: Meeting) -> None:
    """Raise what stops the file where there is no traffic at all."""
    heights, batch = meeting.heights, meeting.batch
    with heights.clone(meeting.start) as database:
        ran = run(heights, database, batch, meeting.script.path)
    if not ran.succeeded:
        raise ran.failure(f"{meeting.script.path.name} to succeed")


def _are_their_own(failures: list[Failure], crossing: Crossing) -> bool:
    """Tell whether the sessions got into each other's way, as they would without any batch."""
    batch = [actor for actor in crossing.actors if not actor.bounded]
    if failures[0].sqlstate == DEADLOCK:
        named = {int(each) for one in failures for each in re.findall(r"\d+", one.detail)}
        return named.isdisjoint(actor.pid for actor in batch)
    if failures[0].sqlstate not in _AMONG_WRITERS or not failures[-1].passed_since:
        return False
    on_rows = any(one.waiting.is_for_rows(batch) for one in failures if one.waiting)
    return failures[0].sqlstate == SERIALIZATION or not on_rows
