"""How a statement begins, without any value."""

from functools import lru_cache

from sqlparse import tokens as kinds

from batchgate.sqltokens import is_blank, tokens

# Some statements are megabytes long.
_READ = 400
_ROOM = 60
_NAMES = (kinds.Name, kinds.String.Symbol, kinds.Punctuation, kinds.Operator, kinds.Assignment)
_LEFT_OPEN = " (,.=:<>|+-*/"


@lru_cache(maxsize=64)
def opening_of(sql: str) -> str:
    """Return a statement's first words, none after its first literal: that may be anybody's."""
    kept: list[str] = []
    for token in tokens(sql[:_READ]):
        if not is_blank(token) and token.kind not in _NAMES:
            break
        kept.append(" " if is_blank(token) else token.text)
    words = " ".join("".join(kept).split())
    if len(words) > _ROOM:
        words = words[:_ROOM].rpartition(" ")[0] or words[:_ROOM]
    return words.rstrip(_LEFT_OPEN)
