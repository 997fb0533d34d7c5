"""What to do, as words and as what can be pasted."""

from itertools import groupby
from typing import NamedTuple

from batchgate.whereabouts import is_statement


class Passage(NamedTuple):
    """Neighbouring lines of one kind."""

    text: str
    code: bool


def passages_of(fix: str) -> list[Passage]:
    """Tell the SQL of a fix from its words.

    After a line that ends with a colon all is SQL, up to the last line that ends a statement.
    """
    lines = fix.splitlines()
    begin = next((at for at, line in enumerate(lines, 1) if line.endswith(":")), len(lines))
    ends = [at for at, line in enumerate(lines, 1) if is_statement(line) or "; --" in line]
    last = max(ends, default=0)

    def is_code(at: int) -> bool:
        return begin < at <= last or at in ends

    return [
        Passage("\n".join(lines[at - 1] for at in group), code)
        for code, group in groupby(range(1, len(lines) + 1), is_code)
    ]
