"""How apply, rollback and validate go: enter, plan, ask, run file by file, and say how it ended."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from batchgate.activity import Item, Stage
from batchgate.cli.consent import Consent, with_more
from batchgate.cli.endings import Ended, Ending, ending_of
from batchgate.cli.live import Live
from batchgate.cli.project import Project
from batchgate.cli.streams import as_json, leave, put
from batchgate.cli.telling import Telling
from batchgate.cli.verdicts import closing_line, failure_of, part_of
from batchgate.cli.width import fitted
from batchgate.errors import BatchgateError, Refused
from batchgate.operate.carrying import Carrier, script_of
from batchgate.operate.entry import Entrance, entered
from batchgate.operate.interruption import Interruption
from batchgate.operate.plan import expect_dry
from batchgate.operate.readiness import expect_gates, heavy_burdens
from batchgate.operate.standing import Standing, standing
from batchgate.operate.task import Plan, Route, Task, Way
from batchgate.operate.weight import Burden, NotWeighed
from batchgate.targets.secrets import secrets_in
from batchgate.verdict import counted


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a command was asked for.

    `choose` makes a plan of what stands, `verb` asks for the word to begin, and with `goes_on` a
    file that fails does not keep the next from being run.
    """

    command: str
    project: Project
    way: Way
    choose: Callable[[Standing], Plan]
    verb: str = ""
    yes: bool = True
    accept_locks: bool = True
    large: int = 0
    as_json: bool = False
    goes_on: bool = False


def fulfil(wish: Wish) -> None:
    """Do what is wished for; it ends by an exception that carries the exit code."""
    work = _Work(wish)
    try:
        ending, message = work.done(), ""
    except click.ClickException as error:
        ending, message = Ending(error.exit_code), error.format_message()
    except (BatchgateError, OSError) as error:
        ending, message = ending_of(error), str(error)
    leave(work.scrub("\n".join(work.told)))
    if wish.as_json:
        put(as_json(work.document(), work.scrub))
    if message:
        raise Ended(work.scrub(message), ending)
    raise click.exceptions.Exit(int(ending))


class _Work:
    """One call of a command: what it was asked for, and what came of it so far."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._target = wish.project.target()
        self.scrub = secrets_in([self._target.dsn.reveal()]).scrubber()
        self._done: list[str] = []
        self.told: list[str] = []
        self._parts: list[Mapping[str, Any]] = []
        self._plan = Plan((), {})
        self._about: Mapping[str, Any] = {}
        self._stopped = False
        self._failure: BatchgateError | Ended | None = None
        self._ending: Ending | None = None

    def done(self) -> Ending:
        """Do it and return how it ended; raises BatchgateError where it went no further."""
        try:
            return self._do()
        except KeyboardInterrupt:
            # While a file is run an Interruption hears of signals. One that comes once it has
            # ended changes nothing, and must not take the place of what there is to say.
            if self._failure:
                raise self._failure from None
            if self._ending is not None:
                return self._ending
            raise Ended(f"interrupted: {self._until_now()}", Ending.INTERRUPTED) from None

    def document(self) -> Mapping[str, Any]:
        """Return what came of it, as values."""
        return {
            "command": self._wish.command,
            "database": self._target.address,
            **self._about,
            "dry_run": self._wish.way.dry,
            "batches": self._parts,
            "left_out": dict(self._plan.left_out),
        }

    def _do(self) -> Ending:
        wish = self._wish
        shown = not wish.as_json and wish.project.settings.progress != 0
        beside = wish.command == "validate"
        with Live(shown=shown, target=self._target, scrub=self.scrub) as self._live:
            self._telling = Telling(
                self._live, self.scrub, as_json=wish.as_json, verbose=wish.way.verbose
            )
            with entered(self._target, wish.command, beside_others=beside) as entrance:
                self._ending = self._go(entrance)
        return self._ending

    def _go(self, entrance: Entrance) -> Ending:
        wish, place = self._wish, entrance.place
        self._about = {"role": place.role, "server_version": place.version}
        self._say(f"database {place}")
        suite = wish.project.suite
        self._plan = wish.choose(standing(entrance.connection, suite))
        if wish.way.dry:
            expect_dry(self._plan)
        for task in self._plan.tasks:
            script_of(task, wish.project.settings, wish.way)
        self._announce()
        if not self._plan.tasks:
            self._say("nothing to do")
            return Ending.DONE
        consent = Consent.of(
            self._live, yes=wish.yes, locks=wish.accept_locks, as_json=wish.as_json
        )
        if not wish.way.dry:
            consent.to_write(place, f"{wish.verb} {self._named()} on {place.database}?")
        failures = []
        for number, task in enumerate(self._plan.tasks, start=1):
            if self._stopped:
                # The signal came once the file before had done its work.
                raise KeyboardInterrupt
            if (of := len(self._plan.tasks)) > 1:
                self._say(f"── {task.batch.name} ({number} of {of})")
            failures.append(self._carry_out(entrance, consent, task))
        self._sum_up(failures)
        return Ending.FAILED if any(failures) else Ending.DONE

    def _carry_out(self, entrance: Entrance, consent: Consent, task: Task) -> bool:
        """Run one task; tell whether it failed and the next may be run all the same."""
        wish, project = self._wish, self._wish.project
        try:
            self._make_ready(entrance, consent, task)
        except Refused as error:
            raise self._in_its_place(error) from None
        self._telling.begin(reads_failures=task.route is Route.VALIDATION)
        with Item(project.settings.relative(task.path)), Interruption(self._telling.note) as stop:
            carrier = Carrier(entrance, project.settings, wish.way, stop)
            carried = carrier.carry_out(task, self._telling)
            if not carried.error:
                self._telling.tell_passed_over()
            failure = failure_of(carried, self._telling.failures, dry=wish.way.dry)
            part = {**part_of(carried, failed=failure is not None), **self._telling.kept()}
            self._parts.append(part)
            self._stopped = stop.requested
            goes_on = wish.goes_on and ending_of_failure(failure) is Ending.FAILED
            if failure is None:
                self._done.append(task.batch.name)
            elif not goes_on:
                self._failure = failure
        if failure is None:
            text = closing_line(carried, entrance.place.database, dry=wish.way.dry)
            self.told += [text, *carried.standing()]
            self._line(text, "green")
        elif goes_on:
            self.told.append(f"❌ {failure}")
            self._line(fitted(f"❌ {failure}", sys.stdout), "red")
        else:
            raise failure
        return failure is not None

    def _make_ready(self, entrance: Entrance, consent: Consent, task: Task) -> None:
        """Expect that nothing speaks against a task; raises Refused."""
        wish, project = self._wish, self._wish.project
        if task.route is Route.VALIDATION:
            return
        if not wish.accept_locks:
            try:
                consent.to_lock(task, self._weighed(entrance, task))
            except NotWeighed as error:
                consent.to_go_unmeasured(task, error)
        if task.applies:
            manner = project.terms.manner
            expect_gates(entrance, project.suite, project.settings, task, manner)

    def _weighed(self, entrance: Entrance, task: Task) -> list[Burden]:
        """Measure what a task does to large tables; raises NotWeighed."""
        wish, project = self._wish, self._wish.project
        with Stage(f"weighing {project.settings.relative(task.path)}"):
            return heavy_burdens(entrance, project.suite, project.settings, task, wish.large)

    def _in_its_place(self, error: Refused) -> Refused:
        """Add to a refusal on the way what was done before it."""
        if not self._done:
            return error
        return with_more(error, left=f"Done before: {', '.join(self._done)}.")

    def _announce(self) -> None:
        settings = self._wish.project.settings
        for task in self._plan.tasks:
            self._say(f"  {settings.relative(task.path)}")
            if task.route is not Route.VALIDATION and (sentence := task.sentence):
                self._say(f"    {sentence}")
            if task.applies and task.stood:
                self._say("    It stands already; its file is run once more.")
        if self._plan.left_out:
            self._say("left out:")
        for name, reason in self._plan.left_out.items():
            self._say(f"  {name}: {reason}")

    def _named(self) -> str:
        names = [task.batch.name for task in self._plan.tasks]
        return names[0] if len(names) == 1 else counted(len(names), "batch", "batches")

    def _until_now(self) -> str:
        return f"done before: {', '.join(self._done)}" if self._done else "nothing was changed"

    def _sum_up(self, failures: Sequence[bool]) -> None:
        """Say how many passed where a failure does not end the run, and what comes next."""
        if self._wish.goes_on and len(failures) > 1:
            failed = sum(failures)
            text = f"{len(failures) - failed} validated, {failed} failed"
            self._line(text, "red" if failed else "green")
        applied = [task.batch for task in self._plan.tasks if task.applies]
        if any(batch.validation for batch in applied) and not self._wish.way.dry:
            named = f" {applied[0].name}" if len(applied) == 1 else ""
            self._say(f"next: batchgate validate{named}")

    def _say(self, text: str) -> None:
        """Say what is no result, beside the results."""
        if not self._wish.as_json:
            self._telling.line(fitted(text, sys.stderr), err=True)

    def _line(self, text: str, colour: str) -> None:
        if not self._wish.as_json:
            self._telling.line(text, colour)


def ending_of_failure(failure: BatchgateError | Ended | None) -> Ending:
    """Return the exit code that a failure carries."""
    if failure is None:
        return Ending.DONE
    return failure.ending if isinstance(failure, Ended) else ending_of(failure)
