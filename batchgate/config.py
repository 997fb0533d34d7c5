"""The settings of a run, read once from options, environment and ini file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the suite lies and how strictly it is judged.

    `chosen` are the folders of batches, gates and samples that a setting names; `progress` is after
    how many seconds of a test a line tells of it, 0 for never, None where the terminal decides.
    """

    root: Path
    sql: Path
    gates: Path
    sample: Path
    reports: Path
    traffic: Path | None = None
    pg_bin: str | None = None
    pg_bin_source: str = ""
    strict_gates: bool = False
    allow_empty: bool = False
    search_path: str = "public"
    locked_rows: int = 0
    mutants: int = 1000
    compare: Path | None = None
    metrics: Path | None = None
    progress: float | None = None
    chosen: Mapping[str, Path] = field(default_factory=dict)

    def relative(self, path: Path) -> str:
        """Return `path` as messages print it: relative to the root, with forward slashes."""
        # The root, or the folder that is looked at, may be reached by a link.
        for place in (path, path.resolve()):
            for root in (self.root, self.root.resolve()):
                if place.is_relative_to(root):
                    return place.relative_to(root).as_posix()
        return str(path)
