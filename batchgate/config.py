"""The settings of a run, read once from options, environment and ini file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the suite lies and how strictly it is judged."""

    root: Path
    sql: Path
    gates: Path
    sample: Path
    reports: Path
    pg_bin: str | None = None
    pg_bin_source: str = ""
    strict_gates: bool = False
    allow_empty: bool = False

    def relative(self, path: Path) -> str:
        """Return `path` as messages print it: relative to the root, with forward slashes."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )
