"""What the server said, with its true file and line and without people's data."""

import re

import psycopg

from batchgate.findings import MASK

# Data exceptions quote the values they stumbled on; constraint violations quote only names in
# their first line, and the values in their detail.
_DATA_EXCEPTION = "22"
_QUOTED = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'')
# An encoding's name is none of people's data, and these quote nothing else but bytes.
_OF_ENCODINGS = ("22021", "22P05")
_ENCODING = re.compile(r"[\"'„«»“‘「]([A-Z][A-Z0-9_]{2,19})[\"'“”«»’」]", re.ASCII)
_KEY = re.compile(r"\) ?= ?\(.*\)", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)")
_LINE_LENGTH = 100
# A value may itself hold quotes, and is then not doubled: all from the first to the last. The
# other signs are those of translated messages.
_VALUES = re.compile(
    r"[\"'„«»“‘「].*[\"'“”«»’」]|\b0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*", re.DOTALL | re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s\"'<>(),;:=]+@[^\s\"'<>(),;:=]+")
# A telephone number, an account, a date of birth.
_NUMBER = re.compile(r"\+?\(?\d(?:[ ()./-]{0,2}\d){6,}")
# Errors of these classes quote only names that stand: of the schema, or of the server's settings
# and files. Not 0A, 2D, 34, 3D and 3F, which quote what a value may have been taken for: a
# database, a cursor, a schema. 42, when it speaks of the statement's own text.
_NAMES_ONLY = re.compile("0[238BLP]|2[134-8B]|3B|40|5[3457]|58030")
_STATEMENT = "42"
_NOT_PERMITTED = "42501"
_MISSING_NAMES = frozenset(("42P01", "42703", "42883"))
# Where a function's own text is run. What EXECUTE runs was put together: RETURN QUERY may be one,
# and where SQL runs within SQL, as in query_to_xml, the context opens with a statement.
_OWN_TEXT = re.compile(
    r"PL/pgSQL function [^\n]* at (?:SQL statement|assignment|IF|PERFORM|RETURN"
    r"|FOR over SELECT rows)(?:\n|$)"
)
# Raised by a function's author, in words and a SQLSTATE of his own.
_RAISED = frozenset(("exec_stmt_raise", "exec_stmt_assert"))
_LANGUAGES = ("plpy", "plperl", "pltcl", "plv8", "plr")
_WITHHELD = "a function raised an error, whose text may quote data and is withheld"
# What a plan's line is made of, as far as it matters: strings first, for they may hold the rest.
_IN_PLAN = re.compile(
    r"(?P<string>'(?:[^']|'')*(?:'|$))"
    r'|(?P<kept>"(?:[^"]|"")*"|\(cost=[\d.]+ rows=\d+ width=\d+\)|\$\d+'
    r"|\b(?:Sub|Init)Plan \d+|\bWorkers Planned: \d+|[^\W\d][\w$]*)"
    r"|\d[\d.]*(?:e[+-]?\d+)?"
)
_ROW = re.compile(r"(Failing row contains) \(.*\)", re.DOTALL)


def masked(text: str, sqlstate: str) -> str:
    """Hide the values that a server's message or its detail quotes."""
    if sqlstate in _OF_ENCODINGS:
        text = _ENCODING.sub(r"\1", text)
    if sqlstate.startswith(_DATA_EXCEPTION):
        text = _QUOTED.sub(f'"{MASK}"', text)
    return _ROW.sub(rf"\1 ({MASK})", _KEY.sub(f")=({MASK})", text))


def shown_sql(text: str) -> str:
    """Return a statement's first line for a message, without the values it quotes."""
    first = _LITERAL.sub(f"'{MASK}'", text.strip().partition("\n")[0])
    return first if len(first) <= _LINE_LENGTH else first[: _LINE_LENGTH - 1] + "…"


def masked_plan(plan: str) -> str:
    """Hide the strings and numbers of a plan but for its estimates.

    The planner runs what is declared IMMUTABLE, and shows what it returned: a value of a row,
    where the declaration is wrong.
    """
    return _IN_PLAN.sub(_masked_literal, plan)


def server_words(error: psycopg.Error, text: str, path: str, line: int, *, skip: int = 0) -> str:
    """Return the server's message, its SQLSTATE, and the line of the file it speaks of.

    `line` is where `text` begins in the file at `path`; `skip` is how many characters were
    sent before `text`.
    """
    words = masked(_primary(error), _sqlstate(error))
    return f"{words} [{_sqlstate(error)}]{_place(error, text, path, line, skip)}"


def gate_words(error: psycopg.Error, text: str, path: str, line: int, *, skip: int = 0) -> str:
    """Return the same where the data is people's: names of the schema stay, no value does."""
    words = _strictly_masked(error)
    return f"{words} [{_sqlstate(error)}]{_place(error, text, path, line, skip)}"


def _masked_literal(found: re.Match[str]) -> str:
    return found["kept"] or (f"'{MASK}'" if found["string"] else MASK)


def _strictly_masked(error: psycopg.Error) -> str:
    if _is_raised(error):
        return _WITHHELD
    words = masked(_primary(error), _sqlstate(error))
    if not _quotes_names(error):
        words = _VALUES.sub(MASK, words)
    return _NUMBER.sub(MASK, _EMAIL.sub(MASK, words))


def _is_raised(error: psycopg.Error) -> bool:
    said = error.diag
    return (
        _sqlstate(error).startswith("P0")
        or said.source_function in _RAISED
        or (said.source_file or "").startswith(_LANGUAGES)
    )


def _quotes_names(error: psycopg.Error) -> bool:
    """Tell whether what a message quotes are names.

    A name that is missing is told with its place in the statement; without one it came from a
    value, such as `phone::regclass`. So may any of a statement that a function put together.
    """
    sqlstate, said = _sqlstate(error), error.diag
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    if not sqlstate.startswith(_STATEMENT):
        return _NAMES_ONLY.match(sqlstate) is not None
    if sqlstate == _NOT_PERMITTED:
        return True
    if said.internal_query:
        return sqlstate in _MISSING_NAMES and bool(_OWN_TEXT.match(said.context or ""))
    return said.statement_position is not None


def _primary(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]


def _sqlstate(error: psycopg.Error) -> str:
    return error.sqlstate or "no SQLSTATE"


def _place(error: psycopg.Error, text: str, path: str, line: int, skip: int) -> str:
    position = error.diag.statement_position
    if not path or not position:
        return ""
    before = text[: max(int(position) - 1 - skip, 0)]
    return f" at {path}:{line + before.count(chr(10))}"
