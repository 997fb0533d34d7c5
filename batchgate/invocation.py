"""How pytest was called: what of it leads pytest astray, and whether a page can be written."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

_OPTION = "--pg-bin"
# With these pytest proves nothing, and a page of an earlier run is worth more than theirs.
_ONLY_LOOKING = (
    *("collectonly", "setupplan", "setuponly", "showfixtures", "show_fixtures_per_test"),
    *("markers", "cacheshow", "help", "version"),
)


def joined_option(config: pytest.Config) -> list[str] | None:
    """Return the arguments with `--pg-bin=DIR` for `--pg-bin DIR`, or None where they were so.

    pytest looks for its root before it knows any plugin's option: it takes a folder that stands
    alone for a place of tests, and the folder's surroundings for the project.
    """
    if _OPTION in shlex.split(os.environ.get("PYTEST_ADDOPTS", "")):
        raise pytest.UsageError(
            f"PYTEST_ADDOPTS: expected {_OPTION}=DIR in one word, found two\n"
            "  fix: Join them by =, or set BATCHGATE_PG_BIN: pytest takes a word alone for a"
            " place of tests."
        )
    given = [os.fspath(argument) for argument in config.invocation_params.args]
    options = given[: given.index("--")] if "--" in given else given
    if _OPTION not in options[:-1]:
        return None
    return _joined(options) + given[len(options) :]


def _joined(options: Sequence[str]) -> list[str]:
    words = iter(options)
    return [
        f"{_OPTION}={value}" if word == _OPTION and (value := next(words, "")) else word
        for word in words
    ]


def only_looks(config: pytest.Config) -> bool:
    """Tell whether pytest was asked to list or explain rather than to run."""
    return any(config.getoption(name, False) for name in _ONLY_LOOKING)


def no_page(config: pytest.Config, page: Path) -> str:
    """Return why a page cannot be written there, or nothing."""
    if not config.pluginmanager.hasplugin("metadata"):
        return "pytest-html needs pytest-metadata, which is off"
    if page.is_dir() or (page.exists() and not os.access(page, os.W_OK)):
        return f"{page} cannot be written"
    folder = next(each for each in page.parents if each.exists())
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written to"
