"""A batch's file and the traffic it meets: what is run beside what, statement by statement."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile

from batchgate.heights import Heights
from batchgate.psqlfile import Script
from batchgate.psqloutput import ScriptError
from batchgate.rehearsal.stage import below
from batchgate.rehearsal.traffic.callers import Caller, Failure, failures_of
from batchgate.rehearsal.traffic.crossing import Crossing
from batchgate.rehearsal.traffic.passage import Passage
from batchgate.rehearsal.traffic.words import left_open, never_ended, not_ending, not_runnable
from batchgate.suite import Batch, Traffic


@dataclass(frozen=True)
class Meeting:
    """A file of a batch, at the height it is applied from."""

    heights: Heights
    batch: Batch
    script: Script

    @property
    def start(self) -> Batch | None:
        """Return the height that the file is applied from."""
        return below(self.heights, self.batch)

    @property
    def running(self) -> tuple[Traffic, ...]:
        """Return the sessions that run while the batch is applied."""
        return self.heights.suite.traffic_at(self.start)

    @property
    def newcomers(self) -> list[Traffic]:
        """Return the sessions that run before the next migration is applied, and not before this.

        A batch that is a validation alone leaves everything as it stands.
        """
        batches = self.heights.suite.batches
        above = batches[batches.index(self.batch) + 1 :]
        same = [self.batch, *takewhile(lambda batch: not batch.migration, above)]
        found = {
            each.name: each for height in same for each in self.heights.suite.traffic_at(height)
        }
        return [each for each in found.values() if each not in self.running]

    @property
    def staying(self) -> tuple[Traffic, ...]:
        """Return the sessions that run once the batch stands."""
        return self.heights.suite.traffic_at(self.batch)

    def callers(self, crossing: Crossing, traffic: Iterable[Traffic]) -> list[Caller]:
        """Open sessions of the traffic."""
        return [Caller(crossing, each, self.heights.settings) for each in traffic]


@dataclass
class Outcome:
    """How one passage of the file ended, and what failed beside it."""

    error: ScriptError | None = None
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def warm_up(
    crossing: Crossing, callers: Iterable[Caller], height: Batch | None, turns: int = 2
) -> None:
    """Let each session make its turns while nothing else runs; raise SuiteError where it fails.

    What it prepares stays prepared. A turn that passes once only is none.
    """
    for caller in callers:
        for turn in range(turns):
            caller.go_on()
            late = crossing.settle(caller.actor)
            if caller.actor.moving:
                raise not_ending(caller, waits=not late)
            if failed := caller.failure():
                raise not_runnable(caller, failed, height, again=turn > 0)
            if caller.in_transaction:
                raise left_open(caller)


def between_statements(
    crossing: Crossing, meeting: Meeting, callers: list[Caller], *, quiet: bool = False
) -> Outcome:
    """Run the file; after each statement each session that does not wait makes a turn."""
    passage = Passage(crossing, meeting.batch, meeting.script)
    outcome = Outcome()
    while not passage.over:
        passage.go_on()
        _let_end(crossing, meeting, passage)
        outcome.failures += failures_of(callers)
        for caller in callers if not quiet and not passage.error else ():
            if not caller.actor.moving and (not passage.over or caller.traffic in meeting.staying):
                caller.go_on()
                crossing.settle(caller.actor)
                outcome.failures += failures_of([caller])
    return _concluded(crossing, meeting, passage, callers, outcome)


def beside_a_transaction(
    crossing: Crossing, meeting: Meeting, caller: Caller, hold: int, *, quiet: bool = False
) -> Outcome:
    """Run the file beside a session that stands in its transaction before each statement.

    Where the batch waits for it, it goes on; where its turn has ended, it begins the next.
    """
    if not quiet:
        _stand(crossing, caller, hold)
    passage = Passage(crossing, meeting.batch, meeting.script)
    outcome = Outcome()
    while not passage.over:
        passage.go_on()
        crossing.settle()
        while passage.actor.moving and caller.stands:
            caller.go_on(caller.place + 1)
            crossing.settle()
        _let_end(crossing, meeting, passage)
        outcome.failures += failures_of([caller])
        if not passage.over and not quiet:
            _stand(crossing, caller, hold)
    if caller.stands:
        caller.go_on()
    outcome = _concluded(crossing, meeting, passage, [caller], outcome)
    if caller.traffic in meeting.staying:
        caller.go_on()
        crossing.settle(caller.actor)
        outcome.failures += failures_of([caller])
    return outcome


def _stand(crossing: Crossing, caller: Caller, hold: int) -> None:
    if not caller.actor.moving and not caller.stands:
        caller.go_on(hold)
        crossing.settle(caller.actor)


def _let_end(crossing: Crossing, meeting: Meeting, passage: Passage) -> None:
    """Wait for the end of the file's statement, and until its doing is seen in the others."""
    if late := crossing.settle():
        raise never_ended(crossing, meeting.batch, late[0])
    if passage.actor.moving:
        if not crossing.outlast(passage.actor):
            raise never_ended(crossing, meeting.batch, passage.actor)
        if late := crossing.settle():
            raise never_ended(crossing, meeting.batch, late[0])
    passage.look_on()


def _concluded(
    crossing: Crossing,
    meeting: Meeting,
    passage: Passage,
    callers: list[Caller],
    outcome: Outcome,
) -> Outcome:
    """Let every turn end, now that the batch has; whoever waits still would wait for ever."""
    crossing.settle()
    for caller in callers:
        if not crossing.outlast(caller.actor):
            raise never_ended(crossing, meeting.batch, caller.actor)
    outcome.failures += failures_of(callers)
    outcome.error = passage.error
    return outcome
