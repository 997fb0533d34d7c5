"""How far a target is behind the server it replays, and whether that is too far."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Event
from time import monotonic
from typing import Any, NamedTuple, Self

import psycopg
from psycopg.rows import namedtuple_row

from batchgate.errors import SuiteError
from batchgate.limits import AMOUNT
from batchgate.reading import read_query

_BYTES = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_SECONDS = {"us": 0.000001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LIMIT = re.compile(rf"({AMOUNT})\s*([a-z]+)", re.IGNORECASE | re.ASCII)
# A receiver that hears nothing asks after half of its timeout, and gives up after the whole.
_HEARD_WITHIN = 0.75
# Where it has no timeout: the same share of the default one.
_HEARD_BY_DEFAULT = 45.0
_NOT_HEARD = "the sender has said nothing yet"
_SETTLE = 0.5
_LOOK_AGAIN = 0.02


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How far a server is behind: not at all where it is a primary, or not known, and why.

    `bytes` are known to be on the way and not replayed. `seconds` is the age of the last commit
    replayed, and zero where nothing is left to replay, however long ago that was.
    """

    standby: bool
    bytes: int | None = None
    seconds: float | None = None
    unknown: str = ""

    def __str__(self) -> str:
        if not self.standby:
            return "a primary"
        if self.unknown:
            return f"unknown: {self.unknown}"
        behind = f"{_size(self.bytes or 0)} behind"
        if not self.bytes:
            return behind
        if self.seconds is None:
            return f"{behind}, no commit replayed yet"
        return f"{behind}, last commit {_age(self.seconds)} ago"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return what `as_dict` described."""
        return cls(**fields)


@dataclass(frozen=True)
class LagLimit:
    """How far behind a target may be, in bytes or in seconds."""

    text: str
    bytes: int | None
    seconds: float | None

    def exceeded(self, lag: Lag) -> str:
        """Return why a target is too far behind, or nothing; what is not known is too far."""
        if not lag.standby:
            return ""
        if lag.unknown:
            return f"lag unknown: {lag.unknown}"
        for limit, found in ((self.bytes, lag.bytes), (self.seconds, lag.seconds)):
            if limit is not None and (found is None or found > limit):
                return f"{lag}, more than {self.text}"
        return ""


def lag_limit(text: str) -> LagLimit:
    """Read a size such as 16MB or a time such as 30s; raises SuiteError for anything else."""
    if found := _LIMIT.fullmatch(text.strip()):
        number, unit = float(found[1]), found[2].lower()
        if unit in _BYTES:
            return LagLimit(text.strip(), int(number * _BYTES[unit]), None)
        if unit in _SECONDS:
            return LagLimit(text.strip(), None, number * _SECONDS[unit])
    raise SuiteError(
        "--max-lag: expected a size such as 16MB or a time such as 30s,"
        f" found {text.strip() or 'nothing'}",
        fix="Give a number and one of B, kB, MB, GB, TB, or us, ms, s, min, h, d.",
    )


def measure_lag(
    connection: psycopg.Connection[Any], *, silence: float | None = None, settle: float = _SETTLE
) -> Lag:
    """Measure how far the server is behind, in the transaction that is open, if one is.

    A stream that has been quiet for longer than `silence` seconds counts as broken, by default
    three quarters of the standby's wal_receiver_timeout. What was on its way and is replayed
    within `settle` seconds was never late: on an idle primary the last commit may be a day old
    when a checkpoint passes. A standby of a standby knows its sender alone, and not whether that
    one still hears from the primary.
    """
    start = monotonic()
    pause = Event()
    known = None
    while True:
        now, elapsed = _look(connection), monotonic() - start
        if not now.standby:
            return Lag(standby=False)
        unknown = _unknown(now, silence)
        if unknown and (unknown != _NOT_HEARD or elapsed >= settle):
            return Lag(standby=True, unknown=unknown)
        if not unknown:
            known = now.known if known is None else known
            if elapsed >= settle or now.replayed >= min(known, now.known):
                return _behind(now, elapsed if now.replayed >= known else None)
        pause.wait(_LOOK_AGAIN)


def _behind(look: "_Look", within: float | None) -> Lag:
    """Tell how far replay is behind; `within` so many seconds, where that is known."""
    if look.replayed >= look.known:
        return Lag(standby=True, bytes=0, seconds=0.0)
    ages = [age for age in (look.age, within) if age is not None]
    seconds = max(min(ages), 0.0) if ages else None
    return Lag(standby=True, bytes=int(look.known - look.replayed), seconds=seconds)


class _Look(NamedTuple):
    standby: bool
    receives: bool
    status: str | None
    heard: bool | None
    silence: float | None
    timeout: float
    paused: bool | None
    known: Any
    replayed: Any
    age: float | None
    who: str


def _look(connection: psycopg.Connection[Any]) -> _Look:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        # Unprepared: a pooler may give the next transaction to another session.
        row = cursor.execute(read_query("lag.sql"), prepare=False).fetchone()
    assert row is not None, "the query returns one row"
    return _Look(*row)


def _unknown(look: _Look, silence: float | None) -> str:
    if not look.receives:
        return "not streaming"
    if look.status is None:
        return f"not permitted to see the receiver: grant pg_read_all_stats to {look.who}"
    if look.status != "streaming":
        return f"not streaming: the receiver is {look.status}"
    if silence is None:
        silence = look.timeout * _HEARD_WITHIN or _HEARD_BY_DEFAULT
    if look.silence is not None and look.silence > silence:
        return f"silent for {_age(look.silence)}"
    if look.paused:
        return "replay is paused"
    if not look.heard or look.known is None or look.replayed is None:
        return _NOT_HEARD
    return ""


def _size(number: float) -> str:
    if number < 2**10:
        return f"{number:.0f} byte{'' if number == 1 else 's'}"
    for unit in ("kB", "MB", "GB"):
        number /= 2**10
        if number < 2**10:
            return f"{number:.1f} {unit}"
    return f"{number / 2**10:.1f} TB"


def _age(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for unit, length, next_length in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < next_length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
