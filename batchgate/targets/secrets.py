"""Find the passwords that connections use: in strings, services, the environment, ~/.pgpass."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from batchgate.scrub import Scrubber, passwords_in
from batchgate.targets.conninfo import KEYWORDS, fault_of, resolved

_SECRET = (
    *("password", "sslpassword", "oauth_client_secret"),
    *("scram_client_key", "scram_server_key"),
)
_VISIBLE = ("host", "hostaddr", "port", "dbname", "user", "service")


class Secrets(NamedTuple):
    """What must not come out, and the names that must."""

    passwords: frozenset[str]
    visible: frozenset[str]

    def scrubber(self) -> Scrubber:
        """Return what hides the passwords in a text."""
        return Scrubber(self.passwords, visible=self.visible)

    def __repr__(self) -> str:
        return "Secrets()"


def secrets_in(texts: Iterable[str]) -> Secrets:
    """Return the secrets of connection strings, malformed ones included.

    Those of the password file are taken whole: which of its lines libpq picks it does not tell.
    """
    passwords: set[str] = set()
    visible: set[str] = set()
    for text in texts:
        values = resolved(text)
        passwords.update(passwords_in(text))
        passwords.update(values[name] for name in _SECRET if name in values)
        passwords.update(_in_password_file(values.get("passfile", "")))
        if fault_of(text):
            # Nobody can tell which part of it is the password; the run ends here anyway.
            passwords.update((text, *re.split(r"[\s:/@?&='\"]+", text)))
        else:
            visible.update(values[name] for name in _VISIBLE if name in values)
    return Secrets(frozenset(passwords - KEYWORDS - {""}), frozenset(visible))


def _in_password_file(named: str) -> Iterator[str]:
    """Yield the last field of each line of a password file; \\ takes a colon's meaning away."""
    path = Path(named) if named else Path("~/.pgpass").expanduser()
    # As libpq does: what is no plain file is passed over in silence.
    if not path.is_file():
        return
    try:
        lines = path.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        # libpq cannot read it either, so that nothing of it is in use.
        return
    for line in lines:
        fields = re.split(r"(?<!\\)(?:\\\\)*:", line, maxsplit=4)
        if len(fields) == 5 and not line.startswith("#"):
            yield re.sub(r"\\(.)", r"\1", fields[4])
            yield fields[4]
