"""What the batches must prove together: the whole chain down from the top, and up again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from batchgate.catalog import collapse, take_snapshot
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.rehearsal.blame import Blamed, holdings_of, turning_legs
from batchgate.rehearsal.course import Course, retrace
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.lookout import Lookout
from batchgate.rehearsal.walk import Chain, Found, Walk, chain_of
from batchgate.samples import sample_of
from batchgate.serverwords import masked
from batchgate.states import SHOWN, Differing, Offence, listed, offence_rows
from batchgate.suite import Batch, Suite
from batchgate.verdict import counted


def ends_chain(suite: Suite, batch: Batch) -> bool:
    """Tell the topmost batch of the chain, whose rollback is the first on the way down."""
    return chain_of(suite).batches[-1:] == (batch,)


def chain_down_and_up(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the chain comes down from its top, and up again, as it once went up."""
    chain = chain_of(heights.suite)
    walk = _gone(heights, chain)
    if walk.found and not walk.closely:
        closer = _gone(heights, chain, closely=True)
        walk = closer if closer.found else walk
    if walk.found:
        raise _differs(heights, walk)
    if walk.stopped:
        raise walk.stopped.failure(_expected(walk))
    return Evidence(tuple(_told(walk)), particulars=listed(harmless=tuple(walk.notes.values())))


def _gone(heights: Heights, chain: Chain, *, closely: bool = False) -> Walk:
    """Go a chain over the rows of the floor, else of the first sample above it."""
    sampled = [each for each in chain.batches if sample_of(each, heights.settings)]
    first = [] if _has_rows(heights, chain) else sampled[:1]
    try:
        return walk_chain(heights, chain, first, closely=closely)
    except BatchFailed:
        if first == sampled:
            raise
        # A batch may build on rows that a later sample brings: then all of them, as the heights.
        return walk_chain(heights, chain, sampled, closely=closely)


def walk_chain(
    heights: Heights, chain: Chain, sampled: Sequence[Batch] = (), *, closely: bool = False
) -> Walk:
    """Go a chain up, down and up again on a database of its own."""
    walk = Walk(heights, chain, sampled, closely=closely)
    with heights.clone(chain.floor) as database, Lookout(heights, database) as lookout:
        walk.go(lookout)
    return walk


def _has_rows(heights: Heights, chain: Chain) -> bool:
    """Tell whether the floor has rows of a sample."""
    standing = heights.suite.up_to(chain.floor) if chain.floor else ()
    return any(sample_of(batch, heights.settings) for batch in standing)


def _expected(walk: Walk) -> str:
    assert walk.stopped is not None
    if walk.stopped.path.endswith("rollback.sql"):
        return "rollback to succeed on the way down"
    return "migration to succeed on the way up again"


def _told(walk: Walk) -> Iterator[str]:
    """Say how far the chain went and what was compared."""
    chain = walk.chain
    gone = counted(len(chain.batches), "batch", "batches")
    yield f"{gone} down to {chain.height(0)} and up again"
    if chain.floor and chain.floor.irreversible:
        yield f"not further down: {chain.floor.name} is irreversible"
    if walk.compared_from:
        yield (
            f"rows compared down to {chain.height(walk.compared_from)}, where a sample was loaded; "
            "below it the schema alone"
        )
    yield from list(walk.notes)[:SHOWN]
    if len(walk.notes) > SHOWN:
        yield f"… and {len(walk.notes) - SHOWN} more changes of no consequence"


def _differs(heights: Heights, walk: Walk) -> BatchFailed:
    """Return the message of a chain that is not what it was, every difference with its line."""
    offences = list(_blamed(heights, walk, walk.found[:SHOWN]))
    rest: list[Differing] = []
    for one in walk.found[SHOWN:]:
        rest += collapse(one.schema)
        rest += one.contents
    found = len(offences) + len(rest)
    rows = offence_rows(offences, found)
    if walk.stopped and walk.stopped.run.error:
        error = walk.stopped.run.error
        rows.append(f"stopped at {error.at}: {masked(error.message, error.sqlstate)}")
    name = walk.legs[walk.found[0].until - 1].batch.name
    return BatchFailed(
        f"batch {name}: expected each height to stand on the way down and up again as at first, "
        f"found {counted(found, 'difference')}",
        at=next((offence.at for offence in offences if offence.at), ""),
        rows=rows,
        fix="Undo exactly what the migration does, whatever came and went above it since.",
        particulars=listed(offences, rest, tuple(walk.notes.values())),
    )


def _blamed(heights: Heights, walk: Walk, found: Sequence[Found]) -> Iterator[Offence]:
    """Attribute what was found at each height; the walk is gone again once for all of it.

    What is new at a height comes from the batch right above it, mostly: from the way there or
    the way back.
    """
    whole = Course(walk.chain.floor, tuple(walk.legs))
    courses = [replace(whole, legs=whole.legs[: one.until], since=one.since) for one in found]
    told = [collapse(one.schema) for one in found]
    turns = (turning_legs(course, walk.marks, told[n]) for n, course in enumerate(courses))
    ends = {end for one in found for end in (one.since, one.until - 1)}
    schema = retrace(heights, whole, take_snapshot, ends.union(*turns))
    tables = {each.identity for one in found for each in one.contents}
    contents = retrace(heights, whole, holdings_of(tables), ends if tables else ())
    for one, course, differences in zip(found, courses, told, strict=True):
        blame = Blamed(heights, course)
        offences = blame.of_schema(differences, schema)
        offences += blame.of_contents(one.contents, contents)
        yield from (Offence(f"{one.where}: {each.row}", each.change) for each in offences)
