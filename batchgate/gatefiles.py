"""Read the gates and their red proofs, and refuse what is wrong with their files."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.findings import Level
from batchgate.header import GATE_KEYS, Header, read_header
from batchgate.listing import entries, guarded, is_sql
from batchgate.sqltext import (
    MetaCommand,
    Statement,
    first_parameter,
    read_sql,
    split,
    words,
    writing_word,
)
from batchgate.suite import RED_SUFFIX, Batch, Gate

_NUMBERED = re.compile(r"(\d+)_(\w+)")
_TRANSACTION = tuple(
    (word,) for word in ("begin", "start", "commit", "end", "rollback", "abort", "prepare")
)


def read_gates(
    settings: Settings, batches: Sequence[Batch] | None, problems: list[SuiteError]
) -> Iterator[Gate]:
    """Yield the gates by number; what is wrong with the others goes to `problems`.

    `batches` is None where not all of them could be read: then no gate is blamed for `after`.
    """
    numbers: dict[int, str] = {}
    for path in sorted(entries(settings.gates), key=_number_and_name):
        if not is_sql(path):
            guarded(problems, settings, partial(_check_no_gates_below, path, settings))
        elif gate := guarded(
            problems, settings, partial(_read_gate, path, settings, batches, numbers)
        ):
            yield gate


def _number_and_name(path: Path) -> tuple[int, str]:
    match = re.match(r"\d+", path.name)
    return (int(match[0]) if match else 0, path.name)


def _check_no_gates_below(folder: Path, settings: Settings) -> None:
    """Refuse a folder of SQL files: gates are looked for in one folder only."""
    if not folder.is_dir():
        return
    for path in entries(folder):
        if is_sql(path):
            raise SuiteError(
                f"{settings.relative(path)}: expected gates in {settings.relative(settings.gates)}"
                " alone, found one in a folder below",
                at=settings.relative(path),
                fix="Move it up, or out of the gates' folder if it is no gate.",
            )
        _check_no_gates_below(path, settings)


def _what_else(path: Path) -> str:
    if path.is_dir():
        return f"the folder `{path.name}`"
    return f"`{path.name}`" if path.exists() else "a link that leads nowhere"


def _read_gate(
    path: Path, settings: Settings, batches: Sequence[Batch] | None, numbers: dict[int, str]
) -> Gate | None:
    where = settings.relative(path)
    if path.is_dir() or not path.exists() or path.suffix != ".sql":
        raise SuiteError(
            f"{where}: expected a file such as 01_true_statement.sql, found " + _what_else(path),
            at=where,
            fix="Put a file in its place, or remove it.",
        )
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
    text = read_sql(path, shown=where)
    header = read_header(text, path=where, keys=GATE_KEYS, required=True)
    _check_gate_header(header, where)
    if batches is not None:
        _check_after(header, where, batches)
    statement = _one_read_only_statement(path.stem, text, where)
    gate = Gate(path.stem, number, path, header, statement.text, statement.line)
    if not gate.red.exists():
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
    for key in ("of", "after", "show"):
        if header.get(key) and not header.items(key):
            raise SuiteError(
                f"{where}: expected names for header key `{key}`, found `{header.get(key)}`",
                at=f"{where}:{header.line(key)}",
                fix=f"Write `-- {key}: one, two`, or remove the line.",
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
    if parameter := first_parameter(statements[0].text):
        raise SuiteError(
            f"gate {name}: expected a statement without parameters, found `{parameter}`",
            at=f"{where}:{statements[0].line}",
            fix="Nobody gives it a value: write the value itself.",
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
    parts = split(read_sql(path, shown=where), path=where)
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
