"""One SQL file and all that it includes, read and checked before anything runs."""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from batchgate.errors import SuiteError
from batchgate.psqlmeta import BRANCHES, INCLUDES, arguments, check_command, check_send
from batchgate.sqltext import MetaCommand, Part, Statement, read_sql, split


class Script:
    """A file's statements and meta-commands; raises SuiteError for what cannot be run."""

    def __init__(self, path: Path, root: Path, *, within: tuple[Path, ...] = ()) -> None:
        self.path, self.root = path.resolve(), root.resolve()
        self.within = (*within, self.path)
        inside = self.path.is_relative_to(self.root)
        self.shown = (self.path.relative_to(self.root) if inside else self.path).as_posix()
        self.parts: tuple[Part, ...] = tuple(
            split(read_sql(self.path, shown=self.shown), path=self.shown)
        )
        self.included: dict[int, Script] = {}
        self._check_branches()
        for index, part in enumerate(self.parts):
            if isinstance(part, Statement):
                check_send(part, self.at(part.line))
                continue
            check_command(part, self.at(part.line))
            if part.name in INCLUDES:
                self.included[index] = self._include(part)

    @property
    def count(self) -> int:
        """How many statements this file and those that it includes hold."""
        own = sum(isinstance(part, Statement) for part in self.parts)
        return own + sum(script.count for script in self.included.values())

    @property
    def commands(self) -> Iterator[MetaCommand]:
        """The file's own meta-commands."""
        return (part for part in self.parts if isinstance(part, MetaCommand))

    def at(self, line: int) -> str:
        """Name a line of this file as messages do."""
        return f"{self.shown}:{line}"

    def _include(self, command: MetaCommand) -> "Script":
        """Read an included file: \\ir goes from this file's folder, \\i from the root."""
        named = arguments(command.arguments, {})[0].value.rstrip(";")
        start = self.path.parent if command.name in ("ir", "include_relative") else self.root
        path = (start / named).resolve()
        if path in self.within:
            chain = " → ".join(file.name for file in (*self.within, path))
            raise SuiteError(
                f"\\{command.name} {named} includes itself",
                at=self.at(command.line),
                cause=chain,
            )
        if not path.is_file():
            raise SuiteError(
                f"\\{command.name} expects a file, found none named {named}",
                at=self.at(command.line),
                fix=f"Looked for {path}.",
            )
        return Script(path, self.root, within=self.within)

    def _check_branches(self) -> None:
        """Refuse branches that do not pair up within this file."""
        opened: list[MetaCommand] = []
        for command in self.commands:
            if command.name not in BRANCHES:
                continue
            if command.name == "if":
                opened.append(command)
            elif not opened:
                self._refuse(command, "has no \\if before it")
            elif command.name == "endif":
                opened.pop()
            elif opened[-1].name == "else":
                self._refuse(command, "comes after \\else")
            else:
                opened[-1] = command
        if opened:
            self._refuse(opened[-1], "has no \\endif")

    def _refuse(self, command: MetaCommand, why: str) -> None:
        raise SuiteError(f"\\{command.name} {why}", at=self.at(command.line))


class _Branch(Enum):
    TAKEN = "its lines count"
    WAITING = "none was true so far"
    OVER = "one was true before, or the whole is passed by"


class Branches:
    """Which of the lines between \\if and \\endif count."""

    def __init__(self) -> None:
        self._open: list[_Branch] = []

    @property
    def active(self) -> bool:
        """Whether the lines here count."""
        return not self._open or self._open[-1] is _Branch.TAKEN

    def take(self, name: str, condition: Callable[[], bool]) -> None:
        """Go on to the next branch; the condition is asked only where psql asks it."""
        if name == "endif":
            self._open.pop()
        elif name == "if":
            asked = self.active
            self._open.append(_Branch.WAITING if asked else _Branch.OVER)
            self._choose(condition)
        elif self._open[-1] is _Branch.TAKEN:
            self._open[-1] = _Branch.OVER
        else:
            self._choose(condition if name == "elif" else lambda: True)

    def _choose(self, condition: Callable[[], bool]) -> None:
        if self._open[-1] is _Branch.WAITING and condition():
            self._open[-1] = _Branch.TAKEN
