"""Read the folder of one batch, and refuse what is wrong with its files."""

import re
from difflib import get_close_matches
from pathlib import Path

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.header import BATCH_KEYS, Header, read_header
from batchgate.listing import entries, is_sql
from batchgate.psqlfile import Script
from batchgate.sqltext import MetaCommand, read_sql, split
from batchgate.suite import Batch

_NUMBERED = re.compile(r"(\d+)_(\w+)")
_BEGINS_WITH_A_NUMBER = re.compile(r"\W*\d")


def numbered_folder(path: Path, settings: Settings) -> Batch | None:
    """Return the batch whose folder this is, its header unread; None for what is no batch.

    Raises SuiteError for what seems to be meant as a batch and would be passed by.
    """
    match = _NUMBERED.fullmatch(path.name)
    is_folder = path.is_dir()
    if match and is_folder:
        return Batch(path.name, int(match[1]), path)
    if _BEGINS_WITH_A_NUMBER.match(path.name) and (match or is_folder or is_sql(path)):
        raise SuiteError(
            f"{settings.relative(path)}: expected a folder name such as 01_verb_object, "
            f"found {'the folder' if is_folder else 'a file'} `{path.name}`",
            at=settings.relative(path),
            fix="A batch is a folder named by its number and, in letters, digits and "
            "underscores, by what it does. Rename it, or remove the number if it is no batch.",
        )
    return None


def read_batch(batch: Batch, settings: Settings) -> Header:
    """Read the files of one batch, refusing an incomplete folder and a wrong header."""
    for path in entries(batch.folder):
        _check_name(path, settings)
    files = [path for name in Batch.FILES if (path := batch.folder / name).is_file()]
    headers = [_read_header(path, settings) for path in files]
    header = headers[0] if headers else Header()
    _check_folder(batch, header, settings)
    if batch.migration:
        _check_plain(batch.migration, settings)
    if batch.online:
        Script(batch.online, settings.root)
    return header


def _check_name(path: Path, settings: Settings) -> None:
    """Refuse what bears a batch file's name, or that name in capitals, and is no such file."""
    name = path.name.lower()
    if name in Batch.FILES and not (path.is_file() and path.name == name):
        raise SuiteError(
            f"{settings.relative(path)}: expected a file named {name}, found none",
            at=settings.relative(path),
            fix="Put a file of that name in its place, or remove it.",
        )
    meant = get_close_matches(name, Batch.FILES, n=1, cutoff=0.7)
    if name not in Batch.FILES and meant and not (path.parent / meant[0]).exists():
        raise SuiteError(
            f"{settings.relative(path)}: expected {meant[0]}, found `{path.name}`",
            at=settings.relative(path),
            fix=f"Rename it to {meant[0]}; a file of another name is not run.",
        )


def _read_header(path: Path, settings: Settings) -> Header:
    where = settings.relative(path)
    header = read_header(read_sql(path, shown=where), path=where, keys=BATCH_KEYS, required=False)
    if header.get("transaction", "none") != "none":
        raise SuiteError(
            f"{where}: expected `transaction` to be none, found `{header.get('transaction')}`",
            at=f"{where}:{header.line('transaction')}",
            fix="Write `-- transaction: none` where the file commits in between, else nothing.",
        )
    if header.get("requires") and not header.items("requires"):
        raise SuiteError(
            f"{where}: expected `requires` to name batches, found none",
            at=f"{where}:{header.line('requires')}",
            fix="Name them, separated by commas, or leave the line out.",
        )
    return header


def _check_folder(batch: Batch, header: Header, settings: Settings) -> None:
    where = settings.relative(batch.folder)
    if not batch.migration and (batch.rollback or batch.online or not batch.validation):
        lone = batch.rollback or batch.online
        found = f"{lone.name} alone" if lone else "neither"
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


def _check_plain(path: Path, settings: Settings) -> None:
    """Refuse meta-commands in a migration: other tools than psql run it too."""
    where = settings.relative(path)
    for part in split(read_sql(path, shown=where), path=where):
        command = part.name if isinstance(part, MetaCommand) else part.send
        if command:
            raise SuiteError(
                f"{where}: expected plain SQL, found the psql command `\\{command}`",
                at=f"{where}:{part.line}",
                fix="A migration is run by other tools than psql: keep psql's commands to "
                "validation.sql, rollback.sql and migration.online.sql.",
            )
