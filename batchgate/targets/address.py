"""Where a target is: a connection string that hides its password, and the way there."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeVar, overload

import psycopg

from batchgate.errors import ServerUnavailable, SuiteError
from batchgate.findings import cell_text
from batchgate.scrub import concealed, without_passwords
from batchgate.targets.conninfo import (
    compiled,
    fault_of,
    missing_service,
    parsed,
    resolved,
    split_name,
)
from batchgate.targets.refusals import Fault, refusal_of
from batchgate.targets.secrets import Secrets, secrets_in

OPTION, VARIABLE, SETTING = "--dsn", "BATCHGATE_DSN", "batchgate_dsn"

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# A wrong name may be shown where it cannot be part of a password.
_HARMLESS_NAME = re.compile(r"[\w .+/-]{1,60}")
_PREFIX = re.compile(r"connection (?:failed|is bad): ")
# libpq's own remedies, in lines that begin with a tab; ours say more.
_ADVICE = re.compile(r"\n\t.*")
# psycopg's list of several attempts; libpq's own words of each name host and port.
_LISTED = re.compile(
    r"^(?:Multiple connection attempts failed\. All failures were:\n?"
    r"|- host: .*?: (?=connection to server))",
    re.MULTILINE,
)
# The server's severity and its message are two blanks apart.
_BLANKS = re.compile(r"(?<=[A-Z]:) +")
_SHOWN = ("host", "port", "dbname", "user")
# In seconds, tcp_user_timeout in milliseconds: a host that is gone is noticed within half a
# minute, where the system's own defaults take hours.
_PATIENCE: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_Kind = TypeVar("_Kind", bound=psycopg.Connection[Any])


class Dsn:
    """A connection string whose text shows where it leads and never a password.

    It cannot be pickled or copied; another process gets what `reveal` returns, knowingly.
    """

    __slots__ = ("_address", "_reveal", "_settings")

    def __init__(self, text: str) -> None:
        text = concealed(text)
        self._reveal: Callable[[], str] = text.__str__
        self._address, self._settings = _described(text)

    def reveal(self) -> str:
        """Return what libpq takes, password and all; for who connects, and for no one else."""
        return self._reveal()

    @property
    def address(self) -> str:
        """Return host, port, database and role, after the service's file and the environment."""
        return self._address

    @property
    def settings(self) -> frozenset[str]:
        """Return the names of the parameters to which the user gave a value."""
        return self._settings

    def __str__(self) -> str:
        return self._address

    def __repr__(self) -> str:
        return f"Dsn({self._address})"

    def __format__(self, spec: str) -> str:
        return format(self._address, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dsn) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self._address)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Dsn is not pickled or copied: it would carry its password along")


@dataclass(frozen=True)
class Target:
    """A database that gates run on: its name in node ids, and who named it."""

    name: str
    dsn: Dsn
    source: str

    @property
    def address(self) -> str:
        """Return where it is, for messages and reports."""
        return self.dsn.address


class TargetUnavailable(ServerUnavailable):
    """A target could not be reached; `fault` is the reason, for machines."""

    def __init__(self, fault: Fault, headline: str, *, at: str, cause: str, fix: str) -> None:
        self.fault = fault
        super().__init__(headline, at=at, cause=cause, fix=fix)


class _Given(NamedTuple):
    """One connection string as the user gave it, and where; its repr shows nothing of it."""

    text: str
    source: str
    at: str


def read_targets(
    options: Sequence[str] | None, environment: str | None, ini: str | None
) -> tuple[Target, ...]:
    """Return the targets of the first that names any: options, environment, ini setting.

    Raises SuiteError without a sign of what was given: libpq's own words for a malformed string
    quote it, and an @ in a password makes a host of the password's end.
    """
    given = (
        list(_of_options(options or ()))
        or list(_of_lines(environment, VARIABLE))
        or list(_of_lines(ini, SETTING))
    )
    # An error shows these, where pytest is asked for the locals of every frame.
    options, environment, ini = None, None, None
    targets: list[Target] = []
    for each in given:
        found = _read(each, alone=len(given) == 1)
        if isinstance(found, SuiteError):
            raise found
        if any(found.name == other.name for other in targets):
            raise SuiteError(
                f"{each.at}: expected a name of its own, found {found.name} a second time",
                fix="Give each target another name: it stands in the names of its tests.",
            )
        targets.append(found)
    return tuple(targets)


def secrets_of(options: Sequence[str] | None, environment: str | None, ini: str | None) -> Secrets:
    """Return the secrets of all connection strings given anywhere; never raises for one of them."""
    given = (
        *_of_options(options or ()),
        *_of_lines(environment, VARIABLE),
        *_of_lines(ini, SETTING),
    )
    return secrets_in(split_name(each.text)[1] for each in given)


@overload
def connect(target: Target, *, application_name: str) -> psycopg.Connection[Any]: ...
@overload
def connect(target: Target, *, application_name: str, kind: type[_Kind]) -> _Kind: ...
def connect(
    target: Target, *, application_name: str, kind: type[psycopg.Connection[Any]] | None = None
) -> psycopg.Connection[Any]:
    """Connect to a target, outside of any transaction; raises TargetUnavailable.

    Whatever is raised has no frame of the driver's in its traceback, and no other exception
    before it: their locals hold the password.
    """
    opened = _attempt(target, application_name, kind or psycopg.Connection)
    if isinstance(opened, str):
        words = _told_once(_PREFIX.sub("", _ADVICE.sub("", opened)))
        refusal = refusal_of(words)
        name = f"target {target.name}" if target.name else "target"
        raise TargetUnavailable(
            refusal.fault,
            f"{name}: expected a connection, {refusal.said}",
            at=target.address,
            cause=words,
            fix=refusal.fix,
        )
    if isinstance(opened, BaseException):
        raise opened
    return opened


def _attempt(
    target: Target, application_name: str, kind: type[psycopg.Connection[Any]]
) -> psycopg.Connection[Any] | str | BaseException:
    """Return the connection, or the words of why there is none, or what else came up."""
    given = target.dsn.settings
    patience = {name: value for name, value in _PATIENCE.items() if name not in given}
    try:
        return kind.connect(
            target.dsn.reveal(),
            autocommit=True,
            # A pooler gives each transaction another backend, which knows no statement of ours.
            prepare_threshold=None,
            application_name=application_name,
            client_encoding="utf8",
            **patience,
        )
    except (psycopg.Error, OSError, UnicodeError) as error:
        return secrets_in([target.dsn.reveal()]).scrubber()(str(error).strip())
    except BaseException as error:
        # Ctrl-C too: `--full-trace` shows each frame's arguments.
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)


def _told_once(words: str) -> str:
    """Leave out repeated lines: libpq tries again, with or without TLS, what fails for good."""
    lines = _BLANKS.sub(" ", _LISTED.sub("", words)).splitlines()
    return "\n".join(dict.fromkeys(lines))


def _of_options(options: Sequence[str]) -> Iterator[_Given]:
    for number, text in enumerate(options, 1):
        at = OPTION if len(options) == 1 else f"{OPTION} number {number}"
        yield _Given(concealed(text.strip()), OPTION, at)


def _of_lines(text: str | None, source: str) -> Iterator[_Given]:
    lines = [concealed(line.strip()) for line in (text or "").splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        yield _Given(line, source, source if len(lines) == 1 else f"{source} line {number}")


def _read(given: _Given, *, alone: bool) -> Target | SuiteError:
    """Return the target, or the error to raise where no frame holds a piece of the string."""
    if not given.text:
        return SuiteError(
            f"{given.at}: expected a connection string, found none",
            cause="An empty value mostly comes from a variable that is not set.",
            fix=f"Set the variable. To take everything from PG* variables, say {OPTION}"
            " postgresql://.",
        )
    name, text = split_name(given.text)
    if name is not None and not _NAME.fullmatch(name):
        found = cell_text(name) if _HARMLESS_NAME.fullmatch(name) else "other signs"
        return SuiteError(
            f"{given.at}: expected a name of letters, digits, _ . and -, found {found}",
            fix="The name stands in the names of tests: shard1=postgresql://user@host/dbname.",
        )
    if fault := fault_of(text):
        shown = f"{given.at} {name}" if name else given.at
        return SuiteError(f"{shown}: {fault.said}", fix=fault.fix)
    if name is None and not alone:
        return SuiteError(
            f"{given.at}: expected a name, for there are several targets, found none",
            fix="Put a name and = before each, as in shard1=postgresql://user@host/dbname.",
        )
    return Target(name or "", Dsn(text), given.source)


def _described(text: str) -> tuple[str, frozenset[str]]:
    values = resolved(text)
    if missing := missing_service(text):
        # What libpq would take without it is not where this target is.
        said = {**(parsed(text) or {}), "service": missing}
        words = (f"{name}={_word(said[name])}" for name in ("service", *_SHOWN) if said.get(name))
        return without_passwords(" ".join(words)), frozenset(values) - compiled()
    shown = {
        "host": values.get("host") or values.get("hostaddr") or "[local]",
        "port": values.get("port", ""),
        "dbname": values.get("dbname") or values.get("user", ""),
        "user": values.get("user", ""),
    }
    words = (f"{name}={_word(shown[name])}" for name in _SHOWN if shown[name])
    return without_passwords(" ".join(words)), frozenset(values) - compiled()


def _word(text: str) -> str:
    visible = cell_text(text)
    return f"'{visible}'" if re.search(r"[\s']", visible) else visible
