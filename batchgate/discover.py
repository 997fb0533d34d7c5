"""Find the batches and gates of a project, and refuse what is wrong with their files."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.findings import Level
from batchgate.header import BATCH_KEYS, GATE_KEYS, Header, read_header
from batchgate.sqltext import MetaCommand, Statement, read_sql, split, words, writing_word
from batchgate.suite import RED_SUFFIX, Batch, Gate, Suite

_NUMBERED = re.compile(r"(\d+)_(\w+)")
_TRANSACTION = tuple(
    (word,) for word in ("begin", "start", "commit", "end", "rollback", "abort", "prepare")
)
_Read = TypeVar("_Read")


def discover(settings: Settings) -> Suite:
    """Read the batches and gates of a project; what is wrong is returned, all of it."""
    problems: list[SuiteError] = []
    batches = tuple(_batches(settings, problems))
    _check_numbers(batches, settings, problems)
    _check_requires(batches, settings, problems)
    gates = tuple(_gates(settings, batches, problems))
    if batches:
        problems.extend(_sample_orphans(settings, batches))
    return Suite(batches, gates, tuple(problems))


def _batches(settings: Settings, problems: list[SuiteError]) -> Iterator[Batch]:
    if not settings.sql.is_dir():
        return
    found: list[tuple[int, str, Path]] = []
    for folder in sorted(settings.sql.iterdir()):
        if folder.is_dir() and (match := _NUMBERED.fullmatch(folder.name)):
            found.append((int(match[1]), folder.name, folder))
    for number, name, folder in sorted(found):
        batch = Batch(name, number, folder)
        header = _guarded(problems, partial(_read_batch, batch, settings))
        yield Batch(name, number, folder, header or Header())


def _read_batch(batch: Batch, settings: Settings) -> Header:
    """Read the files of one batch, refusing an incomplete folder and a wrong header."""
    where = settings.relative(batch.folder)
    files = [path for path in (batch.migration, batch.validation, batch.rollback) if path]
    headers = {
        path: read_header(
            read_sql(path), path=settings.relative(path), keys=BATCH_KEYS, required=False
        )
        for path in files
    }
    first = batch.migration or batch.validation
    header = headers[first] if first else Header()
    if not batch.migration and (batch.rollback or not batch.validation):
        found = "rollback.sql alone" if batch.rollback else "neither"
        raise SuiteError(
            f"batch {batch.name}: expected migration.sql or a validation alone, found {found}",
            at=where,
            fix="Add migration.sql, or remove the folder's number if it is no batch.",
        )
    if batch.migration and not batch.rollback and not header.get("irreversible"):
        raise SuiteError(
            f"batch {batch.name}: expected rollback.sql, found none",
            at=where,
            fix="Write rollback.sql, or say `-- irreversible: <reason>` in migration.sql's header.",
        )
    if batch.migration and batch.rollback and header.get("irreversible"):
        raise SuiteError(
            f"batch {batch.name}: expected no rollback.sql for an irreversible batch, found one",
            at=f"{settings.relative(batch.migration)}:{header.line('irreversible')}",
            fix="Remove the header's `irreversible` line, or the rollback.",
        )
    if batch.migration:
        _check_plain(batch.migration, settings)
    return header


def _check_plain(path: Path, settings: Settings) -> None:
    """Refuse meta-commands in a migration: other tools than psql run it too."""
    where = settings.relative(path)
    for part in split(read_sql(path), path=where):
        command = part.name if isinstance(part, MetaCommand) else part.send
        if command:
            raise SuiteError(
                f"{where}: expected plain SQL, found the psql command `\\{command}`",
                at=f"{where}:{part.line}",
                fix="A migration is run by other tools than psql: keep psql's commands to "
                "validation.sql, rollback.sql and migration.online.sql.",
            )


def _check_numbers(
    batches: Sequence[Batch], settings: Settings, problems: list[SuiteError]
) -> None:
    for lower, upper in pairwise(batches):
        if upper.number == lower.number:
            problems.append(
                SuiteError(
                    f"batch {upper.name}: expected a number of its own, "
                    f"found {upper.number} also at {lower.name}",
                    at=settings.relative(upper.folder),
                    fix="Renumber one of the two: the number is the order.",
                )
            )
        elif upper.number > lower.number + 1:
            problems.append(
                SuiteError(
                    f"batch {upper.name}: expected number {lower.number + 1} "
                    f"after {lower.name}, found {upper.number}",
                    at=settings.relative(upper.folder),
                    fix="Close the gap: renumber the folder, or restore the missing batch.",
                )
            )


def _check_requires(
    batches: Sequence[Batch], settings: Settings, problems: list[SuiteError]
) -> None:
    for index, batch in enumerate(batches):
        earlier = {each.name for each in batches[:index]}
        for name in batch.requires:
            if name not in earlier and batch.migration:
                problems.append(
                    SuiteError(
                        f"batch {batch.name}: expected `requires` to name earlier batches, "
                        f"found `{name}`",
                        at=f"{settings.relative(batch.migration)}:{batch.header.line('requires')}",
                        fix=f"One of: {', '.join(sorted(earlier)) or 'none stands before it'}.",
                    )
                )


def _gates(
    settings: Settings, batches: Sequence[Batch], problems: list[SuiteError]
) -> Iterator[Gate]:
    if not settings.gates.is_dir():
        return
    numbers: dict[int, str] = {}
    for path in sorted(settings.gates.glob("*.sql"), key=_number_and_name):
        gate = _guarded(problems, partial(_read_gate, path, settings, batches, numbers))
        if gate:
            yield gate


def _read_gate(
    path: Path, settings: Settings, batches: Sequence[Batch], numbers: dict[int, str]
) -> Gate | None:
    where = settings.relative(path)
    if path.name.endswith(RED_SUFFIX):
        _check_red_proof(path, settings)
        return None
    match = _NUMBERED.fullmatch(path.stem)
    if not match:
        raise SuiteError(
            f"{where}: expected a name such as 01_true_statement.sql, found `{path.name}`",
            at=where,
            fix="Number the gate and name it by the statement that should be true.",
        )
    number = int(match[1])
    if number in numbers:
        raise SuiteError(
            f"gate {path.stem}: expected a number of its own, "
            f"found {number} also at {numbers[number]}",
            at=where,
            fix="Renumber one of the two.",
        )
    numbers[number] = path.stem
    text = read_sql(path)
    header = read_header(text, path=where, keys=GATE_KEYS, required=True)
    _check_gate_header(header, where)
    _check_after(header, where, batches)
    statement = _one_read_only_statement(path.stem, text, where)
    gate = Gate(path.stem, number, path, header, statement.text, statement.line)
    if not gate.red.is_file():
        raise SuiteError(
            f"gate {gate.name}: expected a red proof, found none",
            at=where,
            fix=f"Write {settings.relative(gate.red)}: "
            "the smallest damage that must turn the gate red.",
        )
    return gate


def _check_gate_header(header: Header, where: str) -> None:
    for key in ("level", "of", "fix"):
        if not header.get(key):
            raise SuiteError(
                f"{where}: expected header key `{key}`, found none",
                at=f"{where}:1",
                fix=f"Add `-- {key}: …` below the sentence.",
            )
    choices = {"level": tuple(Level), "rows": ("violations", "figures")}
    for key, allowed in choices.items():
        value = header.get(key, allowed[0])
        if value not in allowed:
            raise SuiteError(
                f"{where}: expected `{key}` to be {' or '.join(allowed)}, found `{value}`",
                at=f"{where}:{header.line(key)}",
                fix=f"Write `-- {key}: {allowed[0]}`.",
            )


def _check_after(header: Header, where: str, batches: Sequence[Batch]) -> None:
    """Refuse an `after` that names no batch, or one that cannot be asked whether it stands."""
    present = {batch.name: batch.present for batch in batches}
    for name in header.items("after"):
        if not present.get(name):
            found = "one without a `present` expression" if name in present else "no batch"
            raise SuiteError(
                f"{where}: expected `after` to name a batch that says when it stands, "
                f"found `{name}`, {found}",
                at=f"{where}:{header.line('after')}",
                fix=f"Add `-- present: <boolean SQL>` to sql/{name}/migration.sql."
                if name in present
                else f"One of: {', '.join(sorted(present)) or 'there are none'}.",
            )


def _one_read_only_statement(name: str, text: str, where: str) -> Statement:
    statements: list[Statement] = []
    for part in split(text, path=where):
        if isinstance(part, MetaCommand) or part.send:
            command = part.name if isinstance(part, MetaCommand) else part.send
            raise SuiteError(
                f"gate {name}: expected one SQL statement, found the psql command `\\{command}`",
                at=f"{where}:{part.line}",
                fix="A gate is plain SQL: remove the command.",
            )
        statements.append(part)
    if len(statements) != 1:
        found = "none" if not statements else f"{len(statements)}"
        raise SuiteError(
            f"gate {name}: expected one statement, found {found}",
            at=f"{where}:{statements[1].line if statements else 1}",
            fix="One gate is one read-only statement whose rows are the violations.",
        )
    if found_word := writing_word(statements[0].text):
        raise SuiteError(
            f"gate {name}: expected a statement that only reads, found `{found_word}`",
            at=f"{where}:{statements[0].line}",
            sql=statements[0].text.splitlines()[0],
            fix="Return the offending rows with select; leave repairs to batches.",
        )
    return statements[0]


def _check_red_proof(path: Path, settings: Settings) -> None:
    where = settings.relative(path)
    gate = path.with_name(path.name.removesuffix(RED_SUFFIX) + ".sql")
    if not gate.is_file():
        raise SuiteError(
            f"{where}: expected a gate to prove, found no {gate.name}",
            at=where,
            fix=f"Write {settings.relative(gate)}, or remove the proof.",
        )
    parts = split(read_sql(path), path=where)
    if not parts:
        raise SuiteError(
            f"{where}: expected statements that do damage, found none",
            at=f"{where}:1",
            fix="Write the smallest damage that must turn the gate red.",
        )
    for part in parts:
        if isinstance(part, MetaCommand) or part.send or words(part.text)[:1] in _TRANSACTION:
            found = part.text.splitlines()[0] if isinstance(part, Statement) else f"\\{part.name}"
            raise SuiteError(
                f"{where}: expected damage inside the harness's transaction, found `{found}`",
                at=f"{where}:{part.line}",
                fix="Plain statements only: no psql commands, no begin, commit or rollback.",
            )


def _sample_orphans(settings: Settings, batches: Sequence[Batch]) -> Iterator[SuiteError]:
    """Yield a problem for each sample file whose number no batch bears."""
    numbers = {batch.number for batch in batches}
    for path in sorted(settings.sample.glob("*.sql")) if settings.sample.is_dir() else ():
        if not path.stem.isdigit() or int(path.stem) not in numbers:
            yield SuiteError(
                f"{settings.relative(path)}: expected the number of a batch, found `{path.stem}`",
                at=settings.relative(path),
                fix="Name it NN.sql: it is loaded once batch NN stands.",
            )


def _guarded(problems: list[SuiteError], read: Callable[[], _Read]) -> _Read | None:
    try:
        return read()
    except SuiteError as problem:
        problems.append(problem)
        return None


def _number_and_name(path: Path) -> tuple[int, str]:
    match = re.match(r"\d+", path.name)
    return (int(match[0]) if match else 0, path.name)
