"""Where templates and clones are kept: as databases of one server, or as servers of their own."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from itertools import count
from typing import Protocol

import psycopg

from batchgate.binaries import Binaries
from batchgate.database import connect, create_database, drop_database, ensure_template
from batchgate.server import Server, ThrowAwayServer

Build = Callable[[psycopg.Connection], None]

_BLANK = "blank"
_DATABASE = "batches"
# A route that commits in between does so on the few rows of a sample, too.
_SETTINGS = "-c batchgate.chunk=3"


class Store(Protocol):
    """What makes templates once and copies them often."""

    def ensure(self, name: str, base: str | None, *builds: Build) -> None:
        """Make the template of that name from `base` and what `builds` do, unless it stands."""

    def copy(self, template: str | None) -> AbstractContextManager[str]:
        """Give the name of a copy, which is dropped afterwards."""

    def connect(self, name: str) -> psycopg.Connection:
        """Connect to a copy as its owner."""

    def close(self) -> None:
        """End what is kept open."""


class Databases:
    """Databases of one server, whose templates all processes of a run share."""

    def __init__(self, server: Server, run_id: str) -> None:
        self._server = server
        self._run_id = run_id
        self._numbers = count(1)

    @cached_property
    def _maintenance(self) -> psycopg.Connection:
        """Keep one session for making and dropping clones, of which there are very many."""
        return connect(self._server, self._server.maintenance_dbname)

    def ensure(self, name: str, base: str | None, *builds: Build) -> None:
        """Make the template of that name from `base` and what `builds` do, unless it stands."""
        ensure_template(self._server, self._full(name), base and self._full(base), *builds)

    @contextmanager
    def copy(self, template: str | None) -> Iterator[str]:
        """Give the name of a copy, which is dropped afterwards."""
        name = f"clone_{self._run_id}_{os.getpid()}_{next(self._numbers)}"
        session = self._maintenance
        create_database(self._server, name, template and self._full(template), session=session)
        try:
            yield name
        finally:
            drop_database(self._server, name, session=session)

    def connect(self, name: str) -> psycopg.Connection:
        """Connect to a copy as its owner."""
        return connect(self._server, name, options=_SETTINGS)

    def close(self) -> None:
        """End the session for making and dropping."""
        self._maintenance.close()

    def _full(self, name: str) -> str:
        return f"height_{self._run_id}_{name}"


class Servers:
    """Servers of their own, for batches that change what the databases of a server share.

    A template is a server that has ended, a copy one that starts from its files; each process
    of a run makes its own.
    """

    def __init__(self, binaries: Binaries) -> None:
        self._binaries = binaries
        self._numbers = count(1)
        self._templates: dict[str, ThrowAwayServer] = {}
        self._copies: dict[str, Server] = {}

    def ensure(self, name: str, base: str | None, *builds: Build) -> None:
        """Make the template of that name from `base` and what `builds` do, unless it stands."""

        def run(server: Server) -> None:
            for build in builds:
                with connect(server, _DATABASE) as session:
                    build(session)

        if name not in self._templates:
            self._templates[name] = self._rested(self._files(base), run)

    @contextmanager
    def copy(self, template: str | None) -> Iterator[str]:
        """Give the name of a copy, which is dropped afterwards."""
        name = f"clone_{next(self._numbers)}"
        with ThrowAwayServer() as made:
            self._copies[name] = made.start(self._binaries, self._files(template))
            try:
                yield name
            finally:
                del self._copies[name]

    def connect(self, name: str) -> psycopg.Connection:
        """Connect to a copy as its owner."""
        return connect(self._copies[name], _DATABASE, options=_SETTINGS)

    def close(self) -> None:
        """Remove the templates."""
        for template in self._templates.values():
            template.stop()
        self._templates.clear()

    def _files(self, template: str | None) -> ThrowAwayServer:
        """Return the template to start from, made first where it is the empty one."""
        if template is None and _BLANK not in self._templates:
            self._templates[_BLANK] = self._rested(
                None, lambda server: create_database(server, _DATABASE)
            )
        return self._templates[template or _BLANK]

    def _rested(
        self, template: ThrowAwayServer | None, build: Callable[[Server], None]
    ) -> ThrowAwayServer:
        """Start a server, do to it what `build` does, and end it in order."""
        made = ThrowAwayServer()
        try:
            build(made.start(self._binaries, template))
            made.rest()
        except BaseException:
            made.stop()
            raise
        return made
