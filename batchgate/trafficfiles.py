"""Read the traffic: what sessions of the application run while batches are applied."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.header import TRAFFIC_KEYS, Header, read_header
from batchgate.listing import entries, guarded, is_sql
from batchgate.sqltext import MetaCommand, Statement, read_sql, split
from batchgate.suite import Batch, Traffic


def read_traffic(
    settings: Settings, batches: Sequence[Batch] | None, problems: list[SuiteError]
) -> Iterator[Traffic]:
    """Yield the sessions by name; what is wrong with the other files goes to `problems`.

    `batches` is None where not all of them could be read: then no file is blamed for `after`.
    """
    if settings.traffic is None or not settings.traffic.is_dir():
        return
    for path in entries(settings.traffic):
        if path.is_dir():
            guarded(problems, settings, partial(_check_no_files_below, path, settings))
        elif is_sql(path) and (
            traffic := guarded(problems, settings, partial(_read, path, settings, batches))
        ):
            yield traffic


def turn_of(traffic: Traffic, settings: Settings) -> tuple[Statement, ...]:
    """Return what a session runs, again and again: one turn after another."""
    where = settings.relative(traffic.path)
    parts = split(read_sql(traffic.path, shown=where), path=where)
    return tuple(part for part in parts if isinstance(part, Statement))


def _check_no_files_below(folder: Path, settings: Settings) -> None:
    """Refuse a folder of SQL files: they would be passed by without a word."""
    for path in sorted(folder.rglob("*")):
        if is_sql(path) or is_sql(folder):
            raise SuiteError(
                f"{settings.relative(path)}: expected traffic in one folder alone, "
                "found a file below it",
                at=settings.relative(path),
                fix=f"Move it up to {settings.relative(folder.parent)}, or out of there.",
            )


def _read(path: Path, settings: Settings, batches: Sequence[Batch] | None) -> Traffic:
    where = settings.relative(path)
    if path.suffix != ".sql" or not path.is_file():
        raise SuiteError(
            f"{where}: expected a file such as reader_orders.sql, found `{path.name}`",
            at=where,
            fix="Name it by what its session does, in small letters to the end.",
        )
    text = read_sql(path, shown=where)
    header = read_header(text, path=where, keys=TRAFFIC_KEYS, required=True)
    _check_statements(text, where)
    if batches is not None:
        _check_times(header, where, [batch.name for batch in batches])
    return Traffic(path.stem, path, header)


def _check_statements(text: str, where: str) -> None:
    parts = split(text, path=where)
    for part in parts:
        command = part.name if isinstance(part, MetaCommand) else part.send
        if command:
            raise SuiteError(
                f"{where}: expected plain SQL, found the psql command `\\{command}`",
                at=f"{where}:{part.line}",
                fix="Traffic is what the application sends: remove the command.",
            )
    if not parts:
        raise SuiteError(
            f"{where}: expected what the session runs, found no statement",
            at=f"{where}:1",
            fix="Write the statements of one turn below the header, or remove the file.",
        )


def _check_times(header: Header, where: str, names: Sequence[str]) -> None:
    """Refuse a time that names no batch, and one that is over before it begins."""
    for key in ("after", "until"):
        name = header.get(key)
        if name and name not in names:
            raise SuiteError(
                f"{where}: expected `{key}` to name a batch, found `{name}`",
                at=f"{where}:{header.line(key)}",
                fix=f"One of: {', '.join(names)}.",
            )
    until = header.get("until")
    after = header.get("after", names[0] if names else "")
    if until and names.index(until) <= names.index(after):
        raise SuiteError(
            f"{where}: expected `until` to name a batch above {after}, found `{until}`",
            at=f"{where}:{header.line('until')}",
            fix=f"A session runs once `after` stands ({after}, the first, where it says nothing)"
            " and no longer once `until` does: this one would never run.",
        )
