"""The page of a large run, without the run: what a small one reported, told once a batch and gate.

Whatever reports carry is thereby on the page, and in the folders stand as many files.
"""

import re
from pathlib import Path

from pages import EXAMPLES, REPORTS, Example, write_page

BATCHES, FAILING_BATCHES = 60, 6
GATES, FAILING_GATES = 200, 20
SOUND_BATCH, BROKEN_BATCH = "01_add_orders", "03_add_notes"
PASSING_GATE, FAILING_GATE = "04_roles_are_both_there", "01_orders_have_currency"

REPLAYS = """\
import json
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    ended = yield
    config = session.config
    with open("reports.jsonl", encoding="utf-8") as file:
        for line in file:
            report = config.hook.pytest_report_from_serializable(
                config=config, data=json.loads(line)
            )
            config.hook.pytest_runtest_logreport(report=report)
    return ended
"""
TEST = "def test_something():\n    pass\n"


def write_large_page(small: Path, folder: Path) -> Path:
    """Write the page of 60 batches, of which six fail, and of 200 gates, of which twenty do.

    `small` is where the failing example has been run.
    """
    failing = EXAMPLES["failing"]
    reports = (small / REPORTS).read_text(encoding="utf-8").splitlines()
    files = {"conftest.py": REPLAYS, "test_something.py": TEST}
    told: list[str] = []
    for number in range(1, BATCHES + 1):
        before = BROKEN_BATCH if number > BATCHES - FAILING_BATCHES else SOUND_BATCH
        after = f"{number:02d}{before[2:]}"
        files |= _copied(failing, f"sql/{before}/", f"sql/{after}/")
        told += _renamed(reports, before, after)
    for number in range(1, GATES + 1):
        before = FAILING_GATE if number > GATES - FAILING_GATES else PASSING_GATE
        after = f"{number:03d}{before[2:]}"
        files |= _copied(failing, f"gates/{before}.", f"gates/{after}.")
        told += _renamed(reports, before, after)
    files[REPORTS] = "\n".join(told)
    return write_page(Example(files, ("test_something.py",), code=1), folder)


def _copied(example: Example, before: str, after: str) -> dict[str, str]:
    return {
        path.replace(before, after): text
        for path, text in example.files.items()
        if path.startswith(before)
    }


def _renamed(reports: list[str], before: str, after: str) -> list[str]:
    """Return what was reported of one batch or gate as if it were of another."""
    numbers = [f'"number": {int(name.partition("_")[0])}' for name in (before, after)]
    own = re.compile(rf'"nodeid": "(sql|gates)/{before}[./]')
    return [line.replace(before, after).replace(*numbers) for line in reports if own.search(line)]
