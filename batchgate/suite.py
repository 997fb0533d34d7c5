"""The suite: batches and gates, in order, as their files declare them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from batchgate.errors import SuiteError
from batchgate.findings import Level
from batchgate.header import Header

RED_SUFFIX = ".red.sql"


@dataclass(frozen=True)
class Batch:
    """One numbered folder: a migration with what proves and undoes it, or a validation alone."""

    name: str
    number: int
    folder: Path
    header: Header = field(default_factory=Header)

    FILES: ClassVar = ("migration.sql", "validation.sql", "rollback.sql", "migration.online.sql")

    @property
    def migration(self) -> Path | None:
        """Return the file that applies the batch; None for a validation-only folder."""
        return self._file("migration.sql")

    @property
    def validation(self) -> Path | None:
        """Return the file that proves the batch."""
        return self._file("validation.sql")

    @property
    def rollback(self) -> Path | None:
        """Return the file that undoes the batch."""
        return self._file("rollback.sql")

    @property
    def online(self) -> Path | None:
        """Return the file that applies the batch to a large table that stays in use."""
        return self._file("migration.online.sql")

    @property
    def present(self) -> str:
        """Return the boolean SQL that is true exactly while the batch stands, or nothing."""
        return self.header.get("present")

    @property
    def requires(self) -> tuple[str, ...]:
        """Return the names of the batches this one builds on."""
        return self.header.items("requires")

    @property
    def irreversible(self) -> str:
        """Return why there is no rollback, or nothing."""
        return self.header.get("irreversible")

    @property
    def summary(self) -> str:
        """Return the sentence the migration opens with, or the name in words."""
        return self.header.sentence or self.name.partition("_")[2].replace("_", " ")

    def _file(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None


@dataclass(frozen=True)
class Gate:
    """One read-only statement whose rows are violations, and how they are to be taken."""

    name: str
    number: int
    path: Path
    header: Header
    sql: str
    line: int

    @property
    def red(self) -> Path:
        """Return the file with the smallest damage that must turn the gate red."""
        return self.path.with_name(self.name + RED_SUFFIX)

    @property
    def level(self) -> Level:
        """Return whether the gate is required or informational."""
        return Level(self.header.get("level"))

    @property
    def after(self) -> tuple[str, ...]:
        """Return the batches that must stand before the gate means anything."""
        return self.header.items("after")

    @property
    def of(self) -> tuple[str, ...]:
        """Return the tables the gate speaks of: where one is empty it was not exercised."""
        return self.header.items("of")

    @property
    def show(self) -> tuple[str, ...]:
        """Return the columns that may be shown; every other one is masked."""
        return self.header.items("show")

    @property
    def fix(self) -> str:
        """Return what to do when the gate finds something."""
        return self.header.get("fix")

    @property
    def rows(self) -> str:
        """Return `figures` when the rows are to be read, else `violations`."""
        return self.header.get("rows", "violations")

    @property
    def title(self) -> str:
        """Return the gate's short title."""
        words = self.name.partition("_")[2].replace("_", " ")
        return self.header.get("title", words.capitalize())

    @property
    def pass_line(self) -> str:
        """Return the sentence that says the gate passed."""
        return self.header.get("pass", self.header.sentence.rstrip("."))


@dataclass(frozen=True)
class Traffic:
    """One session of the application, named by its file: what it runs, and from when to when."""

    name: str
    path: Path
    header: Header

    @property
    def after(self) -> str:
        """Return the batch from which on the session runs; without one, the first."""
        return self.header.get("after")

    @property
    def until(self) -> str:
        """Return the batch that is the last to be applied while the session runs, if any."""
        return self.header.get("until")


@dataclass(frozen=True)
class Suite:
    """All batches and gates, in order, and everything that is wrong with their files."""

    batches: tuple[Batch, ...] = ()
    gates: tuple[Gate, ...] = ()
    problems: tuple[SuiteError, ...] = ()
    traffic: tuple[Traffic, ...] = ()

    def batch(self, name: str) -> Batch:
        """Return the batch of that name, or say which there are."""
        for batch in self.batches:
            if batch.name == name:
                return batch
        known = ", ".join(batch.name for batch in self.batches)
        raise SuiteError(f"expected the name of a batch, found `{name}`", fix=f"One of: {known}.")

    def below(self, batch: Batch) -> Batch | None:
        """Return the batch before this one; None below the first."""
        index = self.batches.index(batch)
        return self.batches[index - 1] if index else None

    def up_to(self, batch: Batch) -> tuple[Batch, ...]:
        """Return the batches up to and including this one."""
        return self.batches[: self.batches.index(batch) + 1]

    def traffic_at(self, batch: Batch | None) -> tuple[Traffic, ...]:
        """Return the sessions that run at a height: also while the batch above it is applied."""
        standing = {each.name for each in self.up_to(batch)} if batch else set()
        return tuple(
            each
            for each in self.traffic
            if (each.after or self.batches[0].name) in standing and each.until not in standing
        )
