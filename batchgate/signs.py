"""Signs that are not seen, or move what stands beside them, and how they are written out."""

import re
import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_UNUSUAL = re.compile(r"[^\n -~]")


def is_unseen(char: str) -> bool:
    """Tell whether a character is not seen, or moves what stands beside it."""
    return unicodedata.category(char) in _UNSEEN


def written_out(char: str) -> str:
    """Return a character as its number."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def spelled_out(text: str) -> str:
    """Return a text with its control, bidi and unpaired characters written out; lines stay."""
    return _UNUSUAL.sub(
        lambda match: written_out(match[0]) if is_unseen(match[0]) else match[0], text
    )
