"""How values become text that a file can hold and a reader can see."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from batchgate.findings import State

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_RESULTS = {State.PASSED.name.lower(), State.FAILED.name.lower(), State.WARNED.name.lower()}
_UNUSUAL = re.compile(r"[^ -~]")


def has_result(gate: Mapping[str, Any]) -> bool:
    """Tell whether a document's gate says anything about the data."""
    return gate["count"] is not None and gate["state"] in _RESULTS


def slug(member: Enum) -> str:
    """Return the stable name of a state, cause or outcome; its value is for people."""
    return member.name.lower()


def is_unseen(char: str) -> bool:
    """Tell whether a character is not seen, or moves what stands beside it."""
    return unicodedata.category(char) in _UNSEEN


def written_out(char: str) -> str:
    """Return a character as its number."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """Return a text on one line, its control, bidi and unpaired characters written out."""
    line = text.replace("\n", " ")
    return _UNUSUAL.sub(
        lambda match: written_out(match[0]) if is_unseen(match[0]) else match[0], line
    )


def well_formed(text: str) -> str:
    """Write out lone surrogates: they have no UTF-8, and strict readers of JSON refuse them."""
    return text.encode("utf-8", "backslashreplace").decode()


def cut_text(text: str, limit: int) -> str:
    """Return at most `limit` bytes of a text; one that is cut says so in its last line."""
    whole = well_formed(text).encode()
    if len(whole) <= limit:
        return whole.decode()
    # The last characters may be cut in two.
    kept = whole[:limit].decode(errors="ignore")
    left = len(whole) - len(kept.encode())
    return f"{kept}\n-- … {left:,} more bytes are not kept here".replace(",", " ")


def cut_lines(lines: Sequence[str], limit: int) -> list[str]:
    """Return at most `limit` lines; where some are left out one more says how many."""
    if len(lines) <= limit:
        return list(lines)
    return [*lines[:limit], f"-- … {len(lines) - limit} more are not kept here"]
