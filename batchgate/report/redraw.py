"""Draw a page from a document alone: a run of pytest without tests, plugins or settings."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from batchgate.report.hooks import PageHooks
from batchgate.report.page import draw_strictly

_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG")
_NOTHING_ELSE = (
    *("--disable-plugin-autoload", "-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin"),
    *("-p", "no:terminal", "-p", "no:cacheprovider", "--self-contained-html"),
)


def draw_page(document: Mapping[str, Any]) -> str:
    """Return the page that the document's run left, or would have left.

    In a run a part that cannot be drawn says so on the page; here it raises.
    """
    draw_strictly(document)
    with TemporaryDirectory() as folder, _unset(_VARIABLES):
        page = Path(folder).resolve() / "report.html"
        # Here ends pytest's search for settings and conftests.
        page.with_name("pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        hooks = PageHooks(lambda: document)
        ended = pytest.main([*_NOTHING_ELSE, f"--html={page}", folder], plugins=[hooks])
        if ended != pytest.ExitCode.NO_TESTS_COLLECTED:
            raise RuntimeError(f"expected pytest to draw the page, it ended with {ended!r}")
        return page.read_text(encoding="utf-8")


@contextmanager
def _unset(names: tuple[str, ...]) -> Iterator[None]:
    """Hide variables of the environment from pytest."""
    found = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(found)
