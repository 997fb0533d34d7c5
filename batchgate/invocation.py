"""How pytest was called: what of it leads pytest astray, and whether a page can be written."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

# Options whose value is a path that pytest would take for a place of tests.
_PATHS = ("--pg-bin", "--compare", "--metrics-file")
# With these pytest proves nothing, and a page of an earlier run is worth more than theirs.
_ONLY_LOOKING = (
    *("collectonly", "setupplan", "setuponly", "showfixtures", "show_fixtures_per_test"),
    *("markers", "cacheshow", "help", "version"),
)


def joined_option(config: pytest.Config) -> list[str] | None:
    """Return the arguments with `--pg-bin=DIR` for `--pg-bin DIR`, or None where they were so.

    pytest looks for its root before it knows any plugin's option: it takes a path that stands
    alone for a place of tests, and the folder's surroundings for the project.
    """
    added = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    if apart := [option for option in _PATHS if option in added]:
        raise pytest.UsageError(
            f"PYTEST_ADDOPTS: expected {apart[0]}=PATH in one word, found two\n"
            "  fix: Join them by =: pytest takes a word alone for a place of tests."
        )
    given = [os.fspath(argument) for argument in config.invocation_params.args]
    options = given[: given.index("--")] if "--" in given else given
    if not any(option in options[:-1] for option in _PATHS):
        return None
    return _joined(options) + given[len(options) :]


def _joined(options: Sequence[str]) -> list[str]:
    words = iter(options)
    return [
        f"{word}={value}" if word in _PATHS and (value := next(words, "")) else word
        for word in words
    ]


def only_looks(config: pytest.Config) -> bool:
    """Tell whether pytest was asked to list or explain rather than to run."""
    return any(config.getoption(name, False) for name in _ONLY_LOOKING)


def drop_page(config: pytest.Config) -> None:
    """Keep pytest-html from writing over the page of the last run."""
    # It registers its writer without a name; the type tells it from everything else.
    for plugin in list(config.pluginmanager.get_plugins()):
        if type(plugin).__module__.partition(".")[0] == "pytest_html":
            config.pluginmanager.unregister(plugin)
    config.option.htmlpath = None


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
