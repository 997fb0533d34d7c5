"""Why no connection to a target came: the reason, and what to do about it."""

import re
from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """Why a target cannot be reached; the values stay as they are, for machines."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNKNOWN_HOST = "unknown-host"
    UNKNOWN_SERVICE = "unknown-service"
    NO_PASSWORD = "no-password"
    PASSWORD_REFUSED = "password-refused"
    NOT_ALLOWED = "not-allowed"
    NO_SUCH_DATABASE = "no-such-database"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    TLS_REQUIRED = "tls-required"
    TLS_NOT_OFFERED = "tls-not-offered"
    CERTIFICATE_WRONG = "certificate-wrong"
    STARTING_UP = "starting-up"
    SHUTTING_DOWN = "shutting-down"
    WRONG_KIND = "wrong-kind"
    SETTING_REFUSED = "setting-refused"
    CLOSED = "closed"
    CONFLICT = "recovery-conflict"
    OTHER = "other"


# What may be over when the next one asks; nothing else is worth asking for again.
PASSING = frozenset(
    (Fault.CONFLICT, Fault.STARTING_UP, Fault.TOO_MANY_CONNECTIONS, Fault.CLOSED, Fault.OTHER)
)


class Refusal(NamedTuple):
    """A reason, how it is said after "expected a connection, ", and the remedy."""

    fault: Fault
    said: str
    fix: str


# The first that matches what libpq, the server or a pooler said. A server may speak another
# language: then the words stay unknown, and are shown as they are.
_KNOWN: tuple[tuple[str, Refusal], ...] = (
    (
        r"conflict with recovery",
        Refusal(
            Fault.CONFLICT,
            "replay was in the way",
            "Run it again, or on a replica with a longer max_standby_streaming_delay.",
        ),
    ),
    (
        r"definition of service|service file",
        Refusal(
            Fault.UNKNOWN_SERVICE,
            "the service is not defined",
            "Look for it in ~/.pg_service.conf, or in the file that PGSERVICEFILE names.",
        ),
    ),
    (
        r"no password supplied|empty password",
        Refusal(
            Fault.NO_PASSWORD,
            "the server asked for a password and got none",
            "Put it into ~/.pgpass, PGPASSWORD or the connection string; of a ~/.pgpass that others"
            " may read libpq takes nothing (chmod 0600).",
        ),
    ),
    (
        r"no pg_hba\.conf entry.*no encryption|SSL required|requires? (?:SSL|TLS|encryption)"
        r"|TLS required|pg_hba\.conf rejects.*no encryption",
        Refusal(
            Fault.TLS_REQUIRED,
            "the server takes encrypted connections only",
            "Add sslmode=require, or better verify-full, to the connection string.",
        ),
    ),
    (
        r"does not support SSL|server does not support TLS",
        Refusal(
            Fault.TLS_NOT_OFFERED,
            "the server offers no encryption",
            "Turn ssl on at the server, or lower sslmode in the connection string.",
        ),
    ),
    (
        r"certificate|host name .* does not match|\bsslrootcert\b",
        Refusal(
            Fault.CERTIFICATE_WRONG,
            "the certificates do not fit",
            "Look at sslrootcert, sslcert and sslkey, and whether the certificate names this host.",
        ),
    ),
    (
        r"(?:password|Peer|Ident|LDAP|PAM|GSSAPI|RADIUS|SCRAM|SASL|OAuth)\S* authentication"
        r"|role \".*\" does not exist|authentication failed|not permitted to log in",
        Refusal(
            Fault.PASSWORD_REFUSED,
            "the server refused the role or its password",
            "Look at user and password: of the connection string, PGPASSWORD and ~/.pgpass, the"
            " first that has one counts.",
        ),
    ),
    (
        r"pg_hba\.conf",
        Refusal(
            Fault.NOT_ALLOWED,
            "the server does not let this role in from here",
            "Add a line for role, database and address to the server's pg_hba.conf.",
        ),
    ),
    (
        r"permission denied for database",
        Refusal(
            Fault.NOT_ALLOWED,
            "the role may not connect to this database",
            "Let its owner say: grant connect on database … to …;",
        ),
    ),
    (
        r"database \".*\" does not exist|no such database",
        Refusal(
            Fault.NO_SUCH_DATABASE,
            "found no such database for this role",
            "Look at dbname; without one libpq takes the role's name.",
        ),
    ),
    (
        r"too many (?:clients|connections)|connection slots|no more connections allowed"
        r"|connection limit exceeded",
        Refusal(
            Fault.TOO_MANY_CONNECTIONS,
            "the server has no connection left",
            "Run with fewer workers (-n), or at another time.",
        ),
    ),
    (
        r"starting up|not yet accepting|in recovery mode|[Rr]ecovery state has not been"
        r"|[Hh]ot standby mode is disabled",
        Refusal(
            Fault.STARTING_UP,
            "the server takes no connections yet",
            "Wait until it has recovered; on a standby hot_standby must be on.",
        ),
    ),
    (
        r"shutting down|terminating connection due to administrator",
        Refusal(Fault.SHUTTING_DOWN, "the server is shutting down", "Try again once it is back."),
    ),
    (
        r"session is (?:not )?read-only|(?:not|is) in hot standby mode|server is (?:not )?in",
        Refusal(
            Fault.WRONG_KIND,
            "no host is of the kind that target_session_attrs asks for",
            "Look which host is the primary, and what target_session_attrs says.",
        ),
    ),
    (
        r"unsupported startup parameter|unrecognized configuration parameter",
        Refusal(
            Fault.SETTING_REFUSED,
            "a setting of the connection string was refused",
            "Look at options= and PGOPTIONS; behind PgBouncer leave both out.",
        ),
    ),
    (
        r"failed to resolve host|could not translate host name|codec failed"
        r"|[Nn]ame or service not known|nodename nor servname|failure in name resolution",
        Refusal(Fault.UNKNOWN_HOST, "the host is not known", "Look at host, and at the resolver."),
    ),
    (
        r"Connection refused|No such file or directory",
        Refusal(
            Fault.REFUSED,
            "nothing listens there",
            "Look at host and port, and whether the server runs and listens there.",
        ),
    ),
    (
        r"timeout expired|timed out",
        Refusal(
            Fault.TIMEOUT,
            "no answer came in time",
            "Look at host, port and firewalls; connect_timeout in the connection string is the"
            " time to wait in seconds.",
        ),
    ),
    (
        r"No route to host|[Nn]etwork is unreachable|Permission denied",
        Refusal(
            Fault.UNREACHABLE,
            "there is no way to it from here",
            "Look at the network, or at the rights of the socket's folder.",
        ),
    ),
    (
        r"closed the connection|[Cc]onnection reset|Broken pipe|unexpected EOF|EOF detected",
        Refusal(
            Fault.CLOSED,
            "the other side closed it at once",
            "Look whether that port is PostgreSQL's, and into the server's log.",
        ),
    ),
)
_UNKNOWN = Refusal(Fault.OTHER, "got none", "Put right what the cause says.")


def refusal_of(words: str) -> Refusal:
    """Return the reason that a failed connection's words tell."""
    # Of several hosts the last one tried stands first.
    return next((known for pattern, known in _KNOWN if re.search(pattern, words)), _UNKNOWN)
