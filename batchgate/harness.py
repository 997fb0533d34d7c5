"""One run: its settings and suite, its server once it is needed, and what was applied."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from batchgate.activity import Stage
from batchgate.binaries import Binaries, find_binaries
from batchgate.config import Settings
from batchgate.errors import ServerUnavailable
from batchgate.heights import Heights
from batchgate.run import Application
from batchgate.server import Server, ThrowAwayServer
from batchgate.shared import changes_server
from batchgate.sigterm import end_in_order
from batchgate.stores import Databases, Servers, Store
from batchgate.suite import Batch, Gate, Suite
from batchgate.targets.address import Target
from batchgate.targets.desk import DistantDesk, FrontDesk
from batchgate.targets.keeper import Keeper
from batchgate.targets.terms import Terms
from batchgate.targets.visitor import Visitor, asked_by
from batchgate.verdict import counted


class Harness:
    """Starts the server when it is first asked for, and stops what it started.

    A worker is lent the controller's server, shares its templates, and starts none; what its gates
    see of a target, the controller keeps.
    """

    def __init__(
        self,
        settings: Settings,
        suite: Suite,
        targets: Sequence[Target] = (),
        terms: Terms | None = None,
    ) -> None:
        self.settings = settings
        self.suite = suite
        self.targets = targets
        self.terms = terms or Terms()
        self._distant: DistantDesk | None = None
        self._visitor: Visitor | None = None
        self.run_id = secrets.token_hex(4)
        self._server: Server | None = None
        self._started: ThrowAwayServer | None = None
        self._heights: Heights | None = None
        self._applied: list[Application] = []
        self._undo: Callable[[], None] | None = None

    @property
    def active(self) -> bool:
        """Return whether the project has anything for us to do."""
        return bool(self.suite.batches or self.suite.gates or self.suite.problems)

    @property
    def described(self) -> str:
        """Return in one line what is run, on which server, and by which means that was found.

        Reports travel: where this machine keeps its programs is for the terminal alone.
        """
        counts = ", ".join(
            (
                counted(len(self.suite.batches), "batch", "batches"),
                counted(len(self.suite.gates), "gate"),
            )
        )
        try:
            found = self._binaries
        except ServerUnavailable as error:
            return f"{counts}, no server: {error.message.headline}"
        return f"{counts}, PostgreSQL {found.version} ({found.source})"

    @property
    def programs(self) -> str:
        """Return the folder of the server's programs, or nothing where there are none."""
        try:
            return str(self._binaries.directory)
        except ServerUnavailable:
            return ""

    @property
    def aims(self) -> list[str]:
        """Return a line a target: where the gates run, and which setting says so."""
        return [
            f"gates on {f'{target.name}: ' if target.name else ''}{target.address}"
            f" ({target.source})"
            for target in self.targets
        ]

    def lend(self, server: Server, run_id: str = "") -> None:
        """Use a server that another process started, and the templates of its run."""
        self._server = server
        self.run_id = run_id or self.run_id

    def lend_desk(self, found_at: Mapping[str, str]) -> None:
        """Let the gates of this process see what the controller keeps of the targets."""
        self._distant = DistantDesk(found_at)

    @cached_property
    def desk(self) -> FrontDesk:
        """Return the keepers of the targets, in the process that leads the run."""
        asked = [text for gate in self.suite.gates for text in asked_by(gate, self.needed_by(gate))]
        return FrontDesk([Keeper(target, self.terms, asked) for target in self.targets])

    @property
    def visitor(self) -> Visitor:
        """Return who runs gates on targets for this process."""
        if self._visitor is None:
            self._undo = self._undo or end_in_order()
            self._visitor = Visitor(self._distant or self.desk, self.terms)
            if self._distant:
                # Who leads us may be killed: then nobody asks for the gate that still runs.
                self._distant.on_end(self._visitor.abandon)
        return self._visitor

    @cached_property
    def _binaries(self) -> Binaries:
        """Find the server's binaries; raise ServerUnavailable where there are none."""
        return find_binaries(
            explicit=self.settings.pg_bin, explicit_source=self.settings.pg_bin_source
        )

    @property
    def server(self) -> Server:
        """Return the server's address, starting it first where this run has none yet."""
        if self._server is None:
            # A template a batch, with the sample data and without.
            self._undo = self._undo or end_in_order()
            self._started = ThrowAwayServer(databases=2 * len(self.suite.batches))
            with Stage("starting PostgreSQL"):
                self._server = self._started.start(self._binaries)
        return self._server

    @property
    def heights(self) -> Heights:
        """Return the databases at each batch."""
        if self._heights is None:
            self._heights = Heights(self._store(), self.settings, self.suite, self._applied.append)
        return self._heights

    def _store(self) -> Store:
        """Keep clones apart as far as the batches reach."""
        if changes_server(self.suite, self.settings):
            return Servers(self._binaries)
        return Databases(self.server, self.run_id)

    @property
    def top(self) -> Batch | None:
        """Return the last batch, at whose height gates run."""
        return self.suite.batches[-1] if self.suite.batches else None

    def needed_by(self, gate: Gate) -> Sequence[Batch]:
        """Return the batches a gate needs."""
        return [self.suite.batch(name) for name in gate.after]

    def drain_applied(self) -> list[dict[str, Any]]:
        """Return what was applied since the last call, as plain values."""
        applied = [vars(each).copy() for each in self._applied]
        self._applied.clear()
        return applied

    def close(self) -> None:
        """End the sessions, and stop the server if this run started it."""
        if self._visitor is not None:
            self._visitor.close()
            self._visitor = None
        if "desk" in vars(self):
            self.desk.close()
        if self._heights is not None:
            self._heights.close()
            self._heights = None
        if self._started is not None:
            self._started.stop()
            self._started = None
        if self._undo is not None:
            self._undo()
            self._undo = None
