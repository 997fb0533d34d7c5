"""What the plugin's own tests share: inner runs borrow our server instead of starting their own."""

import pytest

from batchgate.collect import HARNESS
from batchgate.server import Server


class Lender:
    """A pytest plugin that lends the inner run a server that already stands."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        session.config.stash[HARNESS].lend(self.server)


@pytest.fixture
def run_inside(pytester, batchgate_server):
    """Run pytest on pytester's folder in this process and on our server.

    Without the plugin that collects garbage five times at the end: our own run does, and its
    heap makes that the dearest part of an inner one. And without the warning that modules are
    here already, which is only true inside.
    """
    inside = ("-p", "no:unraisableexception", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    return lambda *arguments: pytester.runpytest_inprocess(
        *inside, *arguments, plugins=[Lender(batchgate_server)]
    )
