"""What an error of the server says of a gate: nothing about the data, but why, and what to do."""

import psycopg

from batchgate.findings import Cause

_CAUSES = {
    "40001": Cause.CONFLICT,
    "40P01": Cause.CONFLICT,
    # What the catalogs held a moment ago is gone: a table dropped between its name and its lock.
    "XX000": Cause.CHANGED,
    "72000": Cause.CONFLICT,
    "57014": Cause.TIMED_OUT,
    "25P04": Cause.TIMED_OUT,
    "55P03": Cause.LOCK_WAIT,
    "42501": Cause.NOT_PERMITTED,
    "25P03": Cause.LOST,
    "57P01": Cause.LOST,
    "57P02": Cause.LOST,
    "57P03": Cause.LOST,
    "57P04": Cause.LOST,
    "57P05": Cause.LOST,
    "53100": Cause.NO_ROOM,
    "53200": Cause.NO_ROOM,
    "53400": Cause.NO_ROOM,
    "53300": Cause.UNREACHABLE,
    # What a pooler says that has no session to give, or that knows no transactions.
    "08P01": Cause.UNREACHABLE,
}
_CLASSES = {"08": Cause.CUT}
# 22023 to version 16, 42704 from 17 on; 55000 where the one who exported it is just gone.
_STALE = frozenset({"22023", "42704", "55000"})

_REMEDIES = {
    Cause.UNREACHABLE: "Put the connection right, and run the gates again; a pooler has to be in"
    " transaction mode, with a session for each worker and one more.",
    Cause.REFUSED: "Connect as a role that may do nothing but read, or say --allow-superuser.",
    Cause.TOO_FAR_BEHIND: "Wait until the replica has caught up, resume its replay or mend its"
    " stream; or raise --max-lag.",
    Cause.NO_SNAPSHOT: "Run the gates again, or with --snapshot=per-gate.",
    Cause.TOO_COSTLY: "Raise --max-cost where the server can bear it, or give the gate an index.",
    Cause.NOT_PERMITTED: "Grant what is missing to the role that connects.",
    Cause.LOCK_WAIT: "Run the gates again once the change of schema is through, or raise"
    " --lock-timeout.",
    Cause.TIMED_OUT: "Run the gates at a quieter time, or raise --statement-timeout.",
    Cause.CANCELLED: "Ask who cancelled it on the server, and run the gates again.",
    Cause.CONFLICT: "Run the gates again, with --snapshot=per-gate, or on a replica with"
    " hot_standby_feedback or a longer max_standby_streaming_delay.",
    Cause.CHANGED: "Run the gates again once the change of schema is through.",
    Cause.GAVE_WAY: "Run the gates at a quieter time, or raise --max-replay-wait.",
    Cause.PROMOTED: "Point the DSN at a replica, and run the gates again.",
    Cause.CUT: "Look at the network, and whether the server runs, and run the gates again.",
    Cause.LOST: "Look whether the server runs and who ended the session, and run again.",
    Cause.NO_ROOM: "Raise the role's temp_file_limit or --work-mem, or give the gate an index.",
}


def cause_of(error: psycopg.Error, *, broken: bool = False) -> Cause:
    """Return what kept a gate from a result, or `NONE` where the gate itself is wrong."""
    sqlstate = error.sqlstate or ""
    cause = _CAUSES.get(sqlstate) or _CLASSES.get(sqlstate[:2], Cause.NONE)
    # A limit's message speaks of it; the other 57014 is someone's wish.
    if sqlstate == "57014" and "timeout" not in (error.diag.message_primary or ""):
        return Cause.CANCELLED
    # Whoever ends a session says why; a wire that is cut says nothing, nor does, at times, a
    # standby that ends a session to let replay pass.
    return Cause.CUT if broken and not cause else cause


def is_stale(error: psycopg.Error) -> bool:
    """Tell whether a snapshot could not be imported because whoever exported it has let go."""
    return error.sqlstate in _STALE


def remedy_of(cause: Cause) -> str:
    """Return what to do about a gate that gave no result."""
    return _REMEDIES[cause]
