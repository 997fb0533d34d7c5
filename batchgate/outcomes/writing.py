"""Write a file whole or not at all, so that whoever reads it never sees half of it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from batchgate.errors import SuiteError


def replace_file(path: Path, text: str, *, mode: int | None = None) -> None:
    """Put a text in a file's place at once, making its folders; raise SuiteError where it fails.

    Without a mode the umask decides. A device or a pipe cannot be replaced: it is written to.
    """
    try:
        real = path.resolve()
        if real.exists() and not real.is_file() and not real.is_dir():
            real.write_text(text, encoding="utf-8")
            return
        real.parent.mkdir(parents=True, exist_ok=True)
        _replace(real, text, mode)
    except OSError as error:
        raise not_written(path, error) from None


def append_to(path: Path, text: str) -> None:
    """Add a text to a file's end; raise SuiteError where it fails."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise not_written(path, error) from None


def not_written(path: Path, error: OSError) -> SuiteError:
    """Say that a file could not be written, and why."""
    return SuiteError(
        f"{path}: expected to write it, found: {error.strerror or error}",
        fix="Name a file in a folder that this user may write to.",
    )


def _replace(path: Path, text: str, mode: int | None) -> None:
    # Beside it, since only within one file system is a file replaced at once; a name of another
    # ending, since node_exporter reads every *.prom of its folder.
    beside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise
