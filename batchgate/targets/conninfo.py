"""What a connection string says, and what is wrong with one, in words that are none of its own."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from threading import Lock
from typing import NamedTuple

from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict

SCHEMES = ("postgresql://", "postgres://")
KEYWORDS = frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
_LAST_PORT = 65535
# Without dots: what stands beside them is taken for the rest of a password that was cut.
_FORMS = (
    "Write postgresql://user@host/dbname, host=HOST dbname=DBNAME or service=NAME; several of "
    "them are named, as in shard1=postgresql://user@host/dbname."
)
_ENCODED = (
    "In names and passwords write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25 and "
    "a space as %20."
)
_QUOTED = (
    "Write host=HOST dbname=DBNAME, a value with a space between single quotes, and in it ' as "
    "\\' and \\ as \\\\."
)
# No file can have a section of this name.
_NO_SERVICE = "]"
# The environment is the whole process's: two threads must not put it back in the wrong order.
_TURN = Lock()


class Fault(NamedTuple):
    """What was expected and found, and what to do; nothing of the string itself."""

    said: str
    fix: str


def resolved(text: str) -> dict[str, str]:
    """Return each parameter's value as libpq will see it; of a malformed string, the defaults.

    What the string says comes before its service's section, that before the environment.
    """
    said = parsed(text) or {}
    defaults = _defaults(said.get("service", ""))
    return {**defaults, **{name: value for name, value in said.items() if value}}


def missing_service(text: str) -> str:
    """Return the name of the service where libpq finds nothing under it, or nothing."""
    name = (parsed(text) or {}).get("service") or os.environ.get("PGSERVICE", "")
    if not name:
        return ""
    found, none = _defaults(name), _defaults(_NO_SERVICE)
    return name if _but_service(found) == _but_service(none) else ""


def _defaults(service: str) -> dict[str, str]:
    # libpq reads the service's file itself here, and says nothing of one that is missing.
    with _service(service):
        return {
            option.keyword.decode(): option.val.decode("utf-8", "surrogateescape")
            for option in pq.Conninfo.get_defaults()
            if option.val
        }


def _but_service(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name != "service"}


def parsed(text: str) -> dict[str, str] | None:
    """Return what the string itself says, or None where libpq cannot read it."""
    with suppress(ProgrammingError):
        return {name: str(value) for name, value in conninfo_to_dict(text).items()}
    return None


def compiled() -> frozenset[str]:
    """Return the parameters that have a value although nobody gave them one."""
    return frozenset(
        option.keyword.decode() for option in pq.Conninfo.get_defaults() if option.compiled
    )


def split_name(text: str) -> tuple[str | None, str]:
    """Part the target's name from its connection string; None where there is no name.

    A first word that libpq knows is no name, unless a URL follows it.
    """
    name, equals, rest = text.partition("=")
    name, rest = name.strip(), rest.strip()
    if not equals or "://" in name:
        return None, text
    if rest.startswith(SCHEMES) or (name not in KEYWORDS and _is_keywords(rest)):
        return name, rest
    # A name and nothing after it, as name=$UNSET gives.
    if not rest and name not in KEYWORDS:
        return name, ""
    return None, text


def fault_of(text: str) -> Fault | None:
    """Say what is wrong with a connection string; libpq's own words would quote it."""
    if not text:
        return Fault("expected a connection string after the name, found none", _FORMS)
    is_url = text.startswith(SCHEMES)
    if not is_url and not _is_keywords(text):
        return _other_form(text)
    if "\0" in text:
        return Fault("expected text, found a zero byte", "libpq reads up to there, no further.")
    said = parsed(text)
    if said is None:
        form, fix = ("URL", _ENCODED) if is_url else ("keyword string", _QUOTED)
        return Fault(
            f"expected a {form} that libpq can read, found one that it cannot",
            fix + _near_keyword(text),
        )
    if is_url and "@" in _after_credentials(text):
        return Fault("expected the host after the first @, found another @", _ENCODED)
    if not all(map(_is_port, said.get("port", "").split(","))):
        return Fault(f"expected a port from 1 to {_LAST_PORT}, found another", _ENCODED)
    return None


def _other_form(text: str) -> Fault:
    scheme, separator, _ = text.partition(":/")
    if separator and "postgres" in scheme.lower() and re.fullmatch(r"[\w+:]{1,30}", scheme):
        return Fault(f"expected a URL that starts with postgresql://, found {scheme}:", _FORMS)
    return Fault("expected a URL or a keyword string, found neither", _FORMS + _near_keyword(text))


def _after_credentials(url: str) -> str:
    """Return host and path as libpq reads them: credentials end at the first @ before a /."""
    rest = url.partition("://")[2]
    if "@" in rest.partition("/")[0]:
        rest = rest.partition("@")[2]
    return rest.partition("?")[0]


def _near_keyword(text: str) -> str:
    """Name the keyword that was perhaps meant; a word of libpq's is no one's secret.

    Only the first word: one further on may stand in a password.
    """
    word = re.match(r"[A-Za-z_]{3,}(?=\s*=)", text)
    if not word or word[0] in KEYWORDS:
        return ""
    near = get_close_matches(word[0].lower(), KEYWORDS, 1, 0.75)
    return f" Perhaps {near[0]}= was meant." if near else ""


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and 0 < int(text) <= _LAST_PORT)


def _is_keywords(text: str) -> bool:
    return "=" in text and text.partition("=")[0].strip() in KEYWORDS


@contextmanager
def _service(name: str) -> Iterator[None]:
    """Let libpq's defaults be those of a service; without a name, the environment's own."""
    if not name:
        yield
        return
    with _TURN:
        before = os.environ.get("PGSERVICE")
        os.environ["PGSERVICE"] = name
        try:
            yield
        finally:
            if before is None:
                del os.environ["PGSERVICE"]
            else:
                os.environ["PGSERVICE"] = before
