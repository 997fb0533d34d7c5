"""What libpq reads from the environment, and how none of it reaches our own server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from psycopg import pq

# Said by who connects.
_ADDRESS = ("host", "port", "user", "dbname")
# An empty text is libpq's "not set" everywhere but here, or it would be the wrong choice.
_CHOSEN = {
    "client_encoding": "utf8",
    "connect_timeout": "60",
    "sslmode": "disable",
    "sslcertmode": "disable",
    "gssencmode": "disable",
    "channel_binding": "disable",
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
}
# A connection string cannot overrule these: the service's file is looked up even for an empty
# name, the others are sent to the server as settings of the session.
_UNANSWERABLE = ("PGSERVICE", "PGDATESTYLE", "PGTZ", "PGGEQO")
# The environment is the whole process's: two threads must not put it back in the wrong order.
_TURN = Lock()


def parameters() -> dict[str, str]:
    """Return a value for every parameter that this libpq would else take from the environment."""
    return {
        name: _CHOSEN.get(name, (option.compiled or b"").decode())
        for option in pq.Conninfo.get_defaults()
        if (name := option.keyword.decode()) not in (*_ADDRESS, "service") and option.envvar
    }


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hide what no parameter overrules while a connection is made, and nothing else."""
    if not any(name in os.environ for name in _UNANSWERABLE):
        yield
        return
    with _TURN:
        hidden = {name: os.environ.pop(name) for name in _UNANSWERABLE if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(hidden)
