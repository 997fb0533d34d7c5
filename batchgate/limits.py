"""What a gate's transaction is held to: the settings a user may change, and their defaults."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from batchgate.errors import SuiteError

_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_KILOBYTES = {"B": 2**-10, "": 1, "kB": 1, "MB": 2**10, "GB": 2**20, "TB": 2**30}
# As the server reads the number of a setting, but that it takes one that begins with 0 for octal,
# and one without a unit may not be a fraction: it would be one of a millisecond.
_WHOLE = r"(?:0|[1-9]\d{0,9})"
AMOUNT = rf"(?:{_WHOLE}(?:\.\d{{0,9}})?|\.\d{{1,9}})"
_DURATION = re.compile(rf"({_WHOLE}(?!\S)|{AMOUNT}(?=\s*[a-z]))\s*(us|ms|s|min|h|d)?", re.ASCII)
_MEMORY = re.compile(rf"({_WHOLE}(?!\S)|{AMOUNT}(?=\s*[A-Za-z]))\s*(B|kB|MB|GB|TB)?", re.ASCII)
# What each setting may be, by a pattern and in words.
_FORMS = {
    "duration": (_DURATION, "a duration such as 30s, 1.5s, 500ms or 2min; 0 for no limit"),
    "memory": (_MEMORY, "an amount of memory such as 64MB, at least 64kB"),
    "number": (re.compile(r"\d{1,3}", re.ASCII), "a whole number below 1000"),
    "fraction": (re.compile(r"0?\.\d+|1(\.0+)?", re.ASCII), "a number above 0, at most 1"),
    "switch": (re.compile(r"on|off"), "on or off"),
    "names": (re.compile(r".+"), "schemas, separated by commas"),
}
_FORM_OF = {
    "client_connection_check_interval": "duration",
    "max_parallel_workers_per_gather": "number",
    "jit": "switch",
    "work_mem": "memory",
    "cursor_tuple_fraction": "fraction",
    "search_path": "names",
}
# What a gate is told of the server must not depend on who asks, and row security would hide rows
# from it: off, it makes an error of what would else be a pass.
_FIXED = {
    "row_security": "off",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # What a gate's text means must not depend on the database, either.
    "standard_conforming_strings": "on",
}
_SINCE = {"transaction_timeout": 170000}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """PostgreSQL's own settings, by their names and in their units.

    Parallel workers and JIT are off so that a check cannot take the cores of whoever else works
    there; the interval of the connection check ends the query of a client that was killed.
    """

    statement_timeout: str = "30s"
    lock_timeout: str = "2s"
    idle_in_transaction_session_timeout: str = "60s"
    transaction_timeout: str = "10min"
    client_connection_check_interval: str = "1s"
    max_parallel_workers_per_gather: str = "0"
    jit: str = "off"
    work_mem: str = "64MB"
    cursor_tuple_fraction: str = "1.0"
    search_path: str = "public"

    def settings(self, server_version: int) -> dict[str, str]:
        """Return every setting of a gate's transaction that a server of this version has."""
        known = {**asdict(self), **_FIXED}
        return {
            name: value for name, value in known.items() if server_version >= _SINCE.get(name, 0)
        }

    @property
    def patience(self) -> float | None:
        """Return after how many seconds without an answer the server is given up, or None."""
        for limit in (self.statement_timeout, self.transaction_timeout):
            if (allowed := seconds_of(limit)) > 0:
                return allowed + _GRACE
        return None


# For the server to notice its own limit, and for the answer to arrive.
_GRACE = 5.0

LIMITS: Mapping[str, str] = {each.name: str(each.default) for each in fields(Limits)}


def limits_from(given: Mapping[str, tuple[str, str]]) -> Limits:
    """Return the limits with the given values, each with where it is from.

    Raises SuiteError for a value that the server would not take.
    """
    for name, (value, source) in given.items():
        form = _FORM_OF.get(name, "duration")
        pattern, words = _FORMS[form]
        if not pattern.fullmatch(value.strip()) or not _is_within(form, value.strip()):
            raise SuiteError(
                f"{source}: expected {words}, found {value or 'nothing'}",
                fix=f"Leave it out for {LIMITS[name]}.",
            )
    return Limits(**{name: value.strip() for name, (value, _) in given.items()})


def _is_within(form: str, value: str) -> bool:
    """Tell whether the server's own bounds hold: below 2^31 ms, from 64 kB to below 2^31 kB."""
    if form == "duration":
        return is_setting(value)
    if form == "memory" and (match := _MEMORY.fullmatch(value)):
        return 64 <= float(match[1]) * _KILOBYTES[match[2] or ""] < 2**31
    return True


def is_setting(duration: str) -> bool:
    """Tell whether a setting in milliseconds keeps a duration: what it rounds to 0 is no limit."""
    try:
        milliseconds = seconds_of(duration) * 1000
    except ValueError:
        return False
    return milliseconds == 0 or 1 <= milliseconds < 2**31


def seconds_of(duration: str) -> float:
    """Return a duration as PostgreSQL writes it in seconds; without a unit it is milliseconds.

    Raises ValueError for anything else.
    """
    match = _DURATION.fullmatch(duration.strip())
    if not match:
        raise ValueError(duration)
    return float(match[1]) * _SECONDS[match[2] or ""]
