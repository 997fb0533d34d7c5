"""The earlier run that a run is compared with: the one that was named, else the last one here."""

from dataclasses import dataclass
from os.path import lexists
from pathlib import Path
from typing import Any

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.outcomes.reading import read_document
from batchgate.outcomes.words import visible

_NAME = 60


@dataclass(frozen=True)
class Earlier:
    """An earlier run's document, or in words why there is none."""

    document: dict[str, Any] | None = None
    why: str = ""


def earlier_run(settings: Settings, report: str, project: str) -> Earlier:
    """Return the run of `--compare`, else that of the report which this run is about to replace.

    `report` is that file's name. A file that was named and is not there yet is that of a job's
    first run. Raises SuiteError where one that was named cannot be used; one that merely lies
    there is nobody's mistake.
    """
    named = settings.compare
    if named is not None:
        # A link that leads nowhere is a mistake.
        if lexists(named):
            return Earlier(read_document(named))
        return Earlier(why=f"{visible(settings.relative(named))} is not there yet")
    return _lying_there(settings.reports / report, settings, project)


def _lying_there(path: Path, settings: Settings, project: str) -> Earlier:
    shown = visible(settings.relative(path))
    if not lexists(path):
        return Earlier(why=f"{shown} is not there yet")
    try:
        # Of a pipe nobody knows when it ends.
        if not path.is_file():
            return Earlier(why=f"{shown} is no file")
        document = read_document(path)
    except OSError as error:
        return Earlier(why=f"{shown}: {error.strerror or type(error).__name__}")
    except SuiteError as error:
        said = visible(error.message.headline.removeprefix(f"{path}: "))
        return Earlier(why=f"{shown}: {said}")
    if (other := document["about"]["project"]) != project:
        return Earlier(why=f"{shown} is of another project, {visible(other)[:_NAME]}")
    return Earlier(document)
