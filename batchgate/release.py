"""Let go of the targets' snapshots as soon as no gate is left that could ask for them."""

from collections.abc import Sequence
from typing import Any

import pytest

from batchgate.collect import GateItem
from batchgate.results import CARRIED
from batchgate.targets.desk import FrontDesk


class Release:
    """Counts the gates still to come; a snapshot that is held for nothing is in someone's way."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._left = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the gates that this process is going to run."""
        self._left = sum(is_on_target(item) for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Count the gates that workers are going to run; each of them collects the same."""
        gates = sum("::green[" in each or each.endswith("::green") for each in ids)
        self._left = gates + (self._left if node.config.getoption("dist") == "each" else 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Let go after the last gate."""
        carried: dict[str, Any] = getattr(report, CARRIED, {})
        if "gate" in carried:
            self._left -= 1
            if not self._left:
                self._desk.release()

    def pytest_keyboard_interrupt(self) -> None:
        """Cancel what runs on the servers, and let no worker begin another gate."""
        self._desk.interrupt()

    def pytest_sessionfinish(self) -> None:
        """Let go where the run ends before its last gate."""
        self._desk.release()


def is_on_target(item: pytest.Item) -> bool:
    """Tell whether an item is a gate that runs on a target."""
    return isinstance(item, GateItem) and item.target is not None
