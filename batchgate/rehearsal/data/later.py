"""What a rollback owes to an application that went on writing: what was written since stays."""

from collections.abc import Iterator

from batchgate.batches import FileRun
from batchgate.catalog import compare
from batchgate.contents import compare_contents
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.data.film import last_changes, shoot
from batchgate.rehearsal.data.losses import blamed
from batchgate.rehearsal.data.meantime import Meantime, Outcome, Ways
from batchgate.rehearsal.data.rows import blamed_elsewhere, not_as_before
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.stage import refusal
from batchgate.samples import sample_of
from batchgate.serverwords import masked, shown_sql
from batchgate.states import SHOWN, Differing, Offence, State, listed, offence_rows
from batchgate.suite import Batch

_EXPECTED = "rollback to keep what was written since"
_FIX = (
    "Undo only what the batch itself did: by a record of its rows, and only where they still hold"
    " what it wrote."
)
_REFUSED_FIX = "Let the rollback be one transaction, so that it changes all or nothing."


def keeps_later_rows(heights: Heights, batch: Batch) -> Evidence:
    """Prove that what is written after the migration survives the rollback.

    Where the rollback refuses because of what was written, and changes nothing, it is asked
    again with less.
    """
    refusals: list[str] = []
    for ways in _attempts(heights, batch):
        outcome = Meantime(heights, batch, ways).rehearse()
        if outcome.refused is None:
            _expect_kept(heights, batch, ways, outcome)
            return Evidence((*refusals, *outcome.notes), outcome.unexercised)
        _expect_untouched(batch, outcome.refused, *outcome.states)
        refusals += [f"{note}, where {ways.words}" for note in refusal(outcome.refused)]
    return Evidence(tuple(refusals))


def _attempts(heights: Heights, batch: Batch) -> Iterator[Ways]:
    yield Ways(True, True, True, "rows were inserted and updated since")
    if sample_of(batch, heights.settings):
        yield Ways(True, False, False, "its sample was loaded since")
    yield Ways(False, True, False, "rows were inserted since")
    yield Ways(False, False, True, "rows were updated since")


def _expect_kept(heights: Heights, batch: Batch, ways: Ways, outcome: Outcome) -> None:
    if not (outcome.losses or outcome.others):
        return
    again = Meantime(heights, batch, ways)
    losses, others = outcome.losses[:SHOWN], outcome.others[:SHOWN]
    offences = []
    if losses:
        tables = {loss.table for loss in losses}
        offences = blamed(losses, shoot(heights, batch, tables, write=again.write_again))
    names = {other.identity for other in others}
    places = last_changes(heights, batch, names, again.write_again) if names else {}
    offences += [
        Offence(f"{other} by {places[other.identity]}", other.change(places[other.identity]))
        for other in others
        if other.identity in places
    ]
    elsewhere = [other for other in others if other.identity not in places]
    offences += blamed_elsewhere(heights, batch, elsewhere)
    rest: list[Differing] = list(outcome.losses[SHOWN:])
    rest += outcome.others[SHOWN:]
    raise not_as_before(heights, batch, offences, rest, _EXPECTED, fix=_FIX)


def _expect_untouched(batch: Batch, ran: FileRun, before: State, after: State) -> None:
    """Raise BatchFailed where a rollback that did not go through changed something all the same."""
    schema = [each for each in compare(before.schema, after.schema) if not each.soft]
    rows = [Offence.of(each) for each in schema]
    rows += [Offence.of(each) for each in compare_contents(before.contents, after.contents)]
    error = ran.run.error
    if not rows or error is None:
        return
    raise BatchFailed(
        f"batch {batch.name}: expected rollback to change all or nothing where rows were written"
        f" since, {error.headline}",
        at=error.at,
        sql=shown_sql(error.sql),
        rows=offence_rows(rows, len(rows)),
        cause=masked(error.cause, error.sqlstate),
        fix=_REFUSED_FIX,
        particulars=listed(rows),
    )
