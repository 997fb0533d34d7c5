"""How values become text that a file can hold and a reader can see."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from batchgate.findings import State
from batchgate.signs import spelled_out

_RESULTS = {State.PASSED.name.lower(), State.FAILED.name.lower(), State.WARNED.name.lower()}


def has_result(gate: Mapping[str, Any]) -> bool:
    """Tell whether a document's gate says anything about the data."""
    return gate["count"] is not None and gate["state"] in _RESULTS


def slug(member: Enum) -> str:
    """Return the stable name of a state, cause or outcome; its value is for people."""
    return member.name.lower()


def visible(text: str) -> str:
    """Return a text on one line, its control, bidi and unpaired characters written out."""
    return spelled_out(text.replace("\n", " "))


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
