"""What a file must prove of its failures: whatever befalls a statement, nothing is left halfway."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from batchgate.activity import one_by_one
from batchgate.batches import FileRun
from batchgate.gates.presence import is_present
from batchgate.heights import Heights
from batchgate.rehearsal.evidence import Evidence
from batchgate.rehearsal.failures.choice import Choice, choose
from batchgate.rehearsal.failures.faults import (
    HALFWAY,
    Blow,
    Connection,
    Fault,
    Rival,
    Scene,
    Way,
    strike,
)
from batchgate.rehearsal.failures.halfway import (
    failed_by_itself,
    left_halfway,
    not_finished,
    not_rolled_back,
    passed_over,
    present_too_early,
)
from batchgate.rehearsal.failures.record import Record, record
from batchgate.rehearsal.failures.tried import Ground, Tried, WayBack
from batchgate.rehearsal.failures.undisturbed import differences
from batchgate.rehearsal.stage import run
from batchgate.states import Differing, State, take_state
from batchgate.suite import Batch


def migration_fails_cleanly(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the migration is applied wholly or not at all, whichever statement fails."""
    return _prove(heights, batch, batch.migration)


def online_fails_cleanly(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the online route can be rolled back and finished wherever it was cut off."""
    return _prove(heights, batch, batch.online)


def rollback_fails_cleanly(heights: Heights, batch: Batch) -> Evidence:
    """Prove that the rollback takes the batch back wholly or not at all."""
    return _prove(heights, batch, batch.rollback)


def _prove(heights: Heights, batch: Batch, path: Path | None) -> Evidence:
    assert path is not None, "a check is only made of a file that is there"
    tried = Tried(heights, batch, path)
    with closing(Ground(tried)) as ground:
        return Trial(tried, ground).evidence()


@dataclass
class Trial:
    """Lets everything befall a file's statements that may, and looks at what is left."""

    tried: Tried
    ground: Ground
    beyond: dict[str, None] = field(default_factory=dict)
    patient: dict[str, None] = field(default_factory=dict)
    missed: dict[str, None] = field(default_factory=dict)

    @cached_property
    def way_back(self) -> WayBack:
        """Return how the ground is brought back to its start."""
        return WayBack(self.tried, self.ground)

    def evidence(self) -> Evidence:
        """Try all that was chosen; raise BatchFailed at the first failure that is not clean."""
        known, changes = self._record()
        choice = choose(self.tried.script, known)
        quiet = {fault for fault in choice.faults if _is_quiet(fault, known)}
        # What leaves nothing where the file goes on leaves nothing where it stops.
        told = {replace(fault, stop=True) for fault in quiet if not fault.stop}
        clean = self._leave_nothing(
            [fault for fault in choice.faults if fault in quiet and fault not in told]
        )
        for fault in one_by_one("failure", choice.faults):
            if not (clean and fault in quiet):
                self._try(fault, known)
        return self._concluded(choice, known, changes=changes)

    def _record(self) -> tuple[Record, bool]:
        """Run the file undisturbed; one that fails by itself is judged by what it leaves."""
        scene, start = self.ground.fresh()
        with scene.connect() as session:
            known = record(session, scene.observer, self.tried.script)
        left = differences(start, take_state(scene.observer))
        if left:
            self.ground.leave()
        if known.run.error is not None:
            if left and not self.tried.declared:
                raise failed_by_itself(self.tried, known, left)
            ran = FileRun(self.tried.batch, self.tried.shown, known.run, 0.0)
            raise ran.failure(f"{'rollback' if self.tried.undoes else 'migration'} to succeed")
        return known, bool(left)

    def _leave_nothing(self, faults: Sequence[Fault]) -> bool:
        """Try faults one after another in one clone, and look at the end whether all is as it was.

        They befall a file before anything of it is committed, so the next starts where the last
        did; whatever is not as expected is tried again one by one.
        """
        scene, start = self.ground.fresh()
        with scene.connect() as used:
            for fault in one_by_one("failure", faults):
                within = used if fault.way is Way.ERROR else None
                blow = self._strike(scene, fault, within)
                went_on = fault.stop and blow.run.error is None
                if went_on or not (blow.struck or fault.held):
                    self.ground.leave()
                    return False
        if differences(start, take_state(scene.observer)):
            self.ground.leave()
            return False
        return True

    def _try(self, fault: Fault, known: Record) -> None:
        """Let one fault befall the file, and judge what it leaves."""
        scene, start = self.ground.fresh()
        blow = self._strike(scene, fault)
        state = take_state(scene.observer)
        left = differences(start, state)
        if not blow.struck:
            self._miss(fault)
        elif fault.way is Way.TIMEOUT and blow.run.error is None:
            self._expect_end(fault, state)
        elif left and self.tried.declared:
            self._expect_a_way_on(fault, state)
            return
        elif left:
            if self.tried.undisturbed.differences(scene.observer, state):
                raise left_halfway(self.tried, known, fault, blow, state, left)
            self.beyond[fault.sent.sending.at] = None
        if left:
            self.ground.leave()

    def _strike(self, scene: Scene, fault: Fault, within: Connection | None = None) -> Blow:
        blow = strike(scene, self.tried.script, fault, within)
        if blow.waited_on:
            self.patient[fault.sent.sending.at] = None
        return blow

    def _expect_end(self, fault: Fault, state: State) -> None:
        """Expect of a file that went on although a lock was not to be had that all is done."""
        scene, _ = self.ground.fresh()
        if missing := self.tried.undisturbed.differences(scene.observer, state):
            raise passed_over(self.tried, fault, missing)

    def _expect_a_way_on(self, fault: Fault, state: State) -> None:
        """Expect that half a batch does not stand, and can be rolled back, and finished."""
        scene, start = self.ground.fresh()
        undisturbed = self.tried.undisturbed
        known = self.way_back.is_known(fault.place, state)
        missing = [] if known else undisturbed.differences(scene.observer, state)
        if not missing:
            self.way_back.take(fault.place, state)
            return
        if fault.stop:
            self._expect_absent(fault, missing)
        taken = self.way_back.take(fault.place, state)
        if taken and (left := differences(start, taken.state, exactly=False)):
            raise not_rolled_back(self.tried, fault, taken.ran, state, left)
        scene, _ = self.ground.fresh()
        if not self._strike(scene, fault).struck:
            self._miss(fault)
            self.ground.leave()
            return
        again = run(self.tried.heights, scene.database, self.tried.batch, self.tried.path)
        end = take_state(scene.observer)
        missing = undisturbed.differences(scene.observer, end)
        if missing or not again.succeeded:
            raise not_finished(self.tried, fault, again, state, missing)
        self.way_back.take(("end",), end)

    def _expect_absent(self, fault: Fault, missing: Sequence[Differing]) -> None:
        """Expect of half a batch that it does not say it stands: who asks would not finish it."""
        scene, _ = self.ground.fresh()
        batch = self.tried.batch
        if batch.present and not self.tried.undoes and is_present(scene.observer, batch):
            raise present_too_early(self.tried, fault, missing)

    def _miss(self, fault: Fault) -> None:
        """Note what could not be made to happen; not everything has to be possible."""
        sending = fault.sent.sending
        if fault.way in HALFWAY and fault.rival is not Rival.READER:
            missed = f"{sending.shown} ({sending.at}) commits inside, and did not wait halfway"
        elif fault.way in (Way.ERROR, Way.KILL):
            missed = f"{fault.words} ({sending.at}) did not come about again"
        else:
            return
        self.missed[missed] = None

    def _concluded(self, choice: Choice, known: Record, *, changes: bool) -> Evidence:
        """Say what was tried, and what could not have been seen on this data."""
        unexercised = list(self.missed)
        if not changes:
            unexercised.append("it changes nothing on this data, so nothing could stay halfway")
        writing = known.writing_transactions()
        if changes and not self.tried.declared and len(writing) > 1:
            places = ", ".join(dict.fromkeys(one.sending.at for one in writing))
            unexercised.append(
                f"transactions of their own write at {places}; on this data no half shows"
            )
        notes = [f"at {at} everything is done already" for at in self.beyond]
        notes += [f"at {at} it waits on in spite of lock_timeout" for at in self.patient]
        return Evidence((*choice.notes, *notes), tuple(unexercised))


def _is_quiet(fault: Fault, known: Record) -> bool:
    """Tell a fault that nothing can be committed before, and nothing after unless by mistake."""
    return fault.sent.stage == 0 and fault.way not in HALFWAY and (fault.stop or known.stages <= 1)
