"""What lies in a project's folders, and what is said where they cannot be read."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from batchgate.config import Settings
from batchgate.errors import SuiteError

_Read = TypeVar("_Read")


def entries(folder: Path) -> list[Path]:
    """Return what lies in a folder by name, without the hidden files of editors and systems."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def is_sql(path: Path) -> bool:
    """Tell whether a name ends like an SQL file's, in capitals too."""
    return path.suffix.lower() == ".sql"


def guarded(
    problems: list[SuiteError], settings: Settings, read: Callable[[], _Read]
) -> _Read | None:
    """Return what was read; where that is refused, note why and return None."""
    try:
        return read()
    except SuiteError as problem:
        problems.append(problem)
    except OSError as error:
        path = settings.relative(Path(error.filename)) if error.filename else ""
        problems.append(
            SuiteError(
                f"{path}: expected to be able to read it, found no way",
                at=path,
                cause=error.strerror or str(error),
                fix="Let this user read it, or remove it.",
            )
        )
    return None
