"""What to do about an error that ended a file, where its SQLSTATE tells."""

from typing import Any

import psycopg

from batchgate.script import ScriptError

_FIXES = {
    "40P01": "Run it again at a quieter time, or with more --retries.",
    "42501": "Grant the role what is missing, or run it as one that may do it, such as the owner"
    " of the tables.",
    "53100": "Make room on the server's disk, then run the same command again.",
    "53200": "Give the server the memory that the cause speaks of, then run the same command"
    " again.",
    "55P03": "Run it again at a quieter time, or raise --lock-timeout or --retries.",
}
_SETTINGS = {"25006": ("default_transaction_read_only", "off"), "57014": ("statement_timeout", "0")}
_UNTRANSLATED = ("22P05", "22021")
_UNSUPPORTED = "0A000"
_CANCELLED = "Ask who cancelled it on the server, then run the same command again."
# Where a setting comes from, and how it is taken back there.
_PLACES = {
    "database": "alter database {database} set {name} = {off}",
    "user": "alter role {role} set {name} = {off}",
    "database user": "alter role {role} in database {database} set {name} = {off}",
    "global": "alter role all set {name} = {off}",
}
_SOURCE = """
select
    s.source,
    s.setting,
    pg_catalog.quote_ident(pg_catalog.current_database()),
    pg_catalog.quote_ident(session_user)
from pg_catalog.pg_settings as s
where s.name = %s
"""


def remedy_of(error: ScriptError, connection: psycopg.Connection[Any]) -> str:
    """Return what to do, or nothing; asked of the session as the file has left it."""
    if fix := _FIXES.get(error.sqlstate):
        return fix
    if connection.broken:
        return ""
    unfit = error.sqlstate == _UNSUPPORTED and "UTF8" in error.message
    if error.sqlstate in _UNTRANSLATED or unfit:
        return _of_encoding(connection.info.parameter_status("server_encoding") or "")
    if error.sqlstate == "57014" and "user request" in error.message:
        return _CANCELLED
    if error.sqlstate in _SETTINGS:
        return _of_setting(connection, *_SETTINGS[error.sqlstate])
    return ""


def _of_encoding(encoding: str) -> str:
    """Say which encoding is needed; in a database that has it, what is said is of a value."""
    if encoding == "UTF8":
        return ""
    return (
        f"The database is encoded in {encoding}, and not every character of the file can be kept in"
        " that: run it on one that was made with encoding 'UTF8'."
    )


def _of_setting(connection: psycopg.Connection[Any], name: str, off: str) -> str:
    """Say where a setting of the session comes from, and how it is taken back."""
    try:
        row = connection.execute(_SOURCE, [name]).fetchone()
    except psycopg.Error:
        # Where little time is given there may be none for this question, either.
        row = None
    if row is None:
        return f"Look at {name}: of the role, of the database, in PGOPTIONS and in the file."
    source, setting, database, role = row
    if source == "session" or setting == off:
        return f"Look where the file itself sets {name}, or the like for its transaction."
    if source == "client":
        return f"Look at {name} in PGOPTIONS, or in options= of the connection string."
    once = f"for this run alone: PGOPTIONS='-c {name}={off}'."
    if place := _PLACES.get(source):
        back = place.format(database=database, role=role, name=name, off=off)
        return f"Take it back, {back}; or {once}"
    return f"Look at {name}, which is set for the whole server; or {once}"
