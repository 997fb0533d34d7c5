"""What a function of one's own does that READ ONLY does not stop and that is no call."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile

from psycopg import errors

from batchgate.reach.pieces import Piece, pieces_of

# What READ ONLY lets a function do that is no call: each is refused with its word.
_STATEMENTS: Mapping[str, str] = {
    "analyze": "changes the planner's statistics",
    "analyse": "changes the planner's statistics",
    "checkpoint": "makes the server write",
    "copy": "reads and writes files, or runs programs",
    "do": "runs a block, which is not looked into",
    "listen": "listens to other sessions",
    "load": "loads a library",
    "lock": "takes a lock that other sessions wait for",
    "notify": "speaks to other sessions",
    "reset": "changes settings, also the role and the gate's own limits",
    "set": "changes settings, also the role and the gate's own limits",
    "unlisten": "listens to other sessions",
    "vacuum": "writes to tables",
}
_BEFORE_STATEMENTS = ("begin", "then", "else", "loop", ">")
_AFTER_NAMES = (":=", "=", ".", "[", "when", "else", "end")

# How values are read and written, and which plan is chosen: no limit, no role, no right.
_HARMLESS_SETTINGS = re.compile(
    r"search_path|datestyle|intervalstyle|timezone|extra_float_digits|bytea_output"
    r"|xmlbinary|xmloption|lc_(?:monetary|numeric|time)|client_min_messages|enable_\w+"
    r"|plpgsql\.\w+"
)

# Errors that the data bring about, or the function itself: classes 21 and 22, what a domain does
# not take, and PL/pgSQL's own. No refusal, no timeout and no lock is among them.
_CODES_OF_DATA = re.compile("2[12]...|20000|23502|23514|P000[123]")
_HANDLER_BEGINS = ("exception", ";", "then")


def why_body(body: str, language: str) -> str:
    """Say by which statement a body does what READ ONLY does not stop, or keeps from an answer."""
    pieces = pieces_of(body)
    for at, piece in enumerate(pieces):
        if piece.kind == "word" and piece.name == "execute" and pieces[at - 1].text != ".":
            return "runs SQL text, which cannot be seen"
    for piece in _statement_heads(pieces, blocks=language == "plpgsql"):
        if why := _STATEMENTS.get(piece.name):
            return why
    if language == "plpgsql" and not all(map(_is_of_data, _handlers(pieces))):
        return "may swallow what keeps it from an answer"
    return ""


def why_settings(settings: Sequence[str]) -> str:
    """Say which settings a function has for itself that may undo what a gate runs under."""
    found = [each for each in settings if not _HARMLESS_SETTINGS.fullmatch(each.lower())]
    return f"sets {', '.join(found)} for itself" if found else ""


def _statement_heads(pieces: Sequence[Piece], *, blocks: bool) -> Iterator[Piece]:
    """Yield the words that a statement may begin with; what DECLARE declares begins none."""
    declaring = False
    for at, piece in enumerate(pieces):
        before = pieces[at - 1].text.lower() if at else ";"
        after = pieces[at + 1].text.lower() if at + 1 < len(pieces) else ";"
        if piece.kind != "word":
            continue
        if blocks and piece.name in ("declare", "begin"):
            declaring = piece.name == "declare"
        begins = before == ";" or (blocks and before in _BEFORE_STATEMENTS)
        if begins and not declaring and after not in _AFTER_NAMES:
            yield piece


def _handlers(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Yield what stands between WHEN and THEN wherever it may be a handler of exceptions.

    After the first handler a WHEN of a CASE statement looks the same where it tells a bare name.
    """
    handling = False
    for at, piece in enumerate(pieces):
        if piece.kind != "word" or piece.name != "when":
            continue
        before = pieces[at - 1].text.lower() if at else ""
        conditions = list(takewhile(lambda each: each.text.lower() != "then", pieces[at + 1 :]))
        handling = handling or before == "exception"
        bare = all(each.name or each.kind == "string" for each in conditions)
        if handling and before in _HANDLER_BEGINS and bare:
            yield conditions


def _is_of_data(conditions: Sequence[Piece]) -> bool:
    """Say whether each of `a or b or sqlstate '…'` is an error of the data."""
    known = conditions_of_data()
    wanted = iter(conditions)
    for piece in wanted:
        if piece.kind == "word" and piece.name == "sqlstate":
            code = next(wanted, piece).text
            if not _CODES_OF_DATA.fullmatch(code.strip("'")):
                return False
        elif piece.name not in known and piece.text.lower() != "or":
            return False
    return True


@cache
def conditions_of_data() -> frozenset[str]:
    """Return PL/pgSQL's names of the errors that say something of the data."""
    return frozenset(
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for name, each in vars(errors).items()
        if isinstance(code := getattr(each, "sqlstate", None), str)
        and _CODES_OF_DATA.fullmatch(code)
    )
