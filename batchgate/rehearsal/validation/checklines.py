"""Which line of a validation is at fault: told by its text, once it is known that one is."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlparse import tokens as kinds

from batchgate.psqlfile import Script
from batchgate.sqltext import Statement, words
from batchgate.sqltokens import Token, is_blank, tokens

# Levels of RAISE that let the block go on; without one, or with EXCEPTION, it ends there.
_MERELY_SAID = ("debug", "log", "info", "notice", "warning")
_PREPARING = (("begin",), ("start",), ("set",), ("reset",), ())
_OPENING = ("begin", "case", "if", "loop")
# What RAISE EXCEPTION raises, where no other code is given.
_ANYTHING = ("others", "raise_exception")


class Placed(NamedTuple):
    """A statement, and the file that holds it."""

    script: Script
    statement: Statement

    def at(self, offset: int = 0) -> str:
        """Name the line of an offset into the statement."""
        below = self.statement.text.count("\n", 0, offset)
        return self.script.at(self.statement.line + below)


def statements_of(script: Script) -> Iterator[Placed]:
    """Yield the statements of a file and of those that it includes, in their order."""
    for index, part in enumerate(script.parts):
        if isinstance(part, Statement):
            yield Placed(script, part)
        elif index in script.included:
            yield from statements_of(script.included[index])


def spoken_in(script: Script) -> str:
    """Return all text of a file: what it prints of that is its author's, not its data's."""
    said = [placed.statement.text for placed in statements_of(script)]
    return "\n".join([*said, *(command.arguments for command in script.commands)])


def swallowing_handlers(script: Script, names: Collection[str] = ()) -> list[str]:
    """Return the lines of the handlers that take any exception and raise none of their own.

    Where names are given, only in statements that speak of one of them.
    """
    return [
        placed.at(offset)
        for placed in statements_of(script)
        if not names or any(_word(name).search(placed.statement.text) for name in names)
        for offset in _swallowing(placed.statement.text)
    ]


def first_check(script: Script) -> str:
    """Return the line of the first statement that could check something."""
    found = (
        placed.at()
        for placed in statements_of(script)
        if words(placed.statement.text)[:1] not in _PREPARING
    )
    return next(found, script.at(1))


def nearest_line(script: Script, name: str, owner: str = "") -> str:
    """Return the line that speaks of an object: beside its owner, else of that, else alone.

    Empty where none does.
    """
    for names in ([name, owner], [owner], [name]):
        patterns = [_word(each) for each in names if each]
        for placed in statements_of(script):
            found = [match for each in patterns if (match := each.search(placed.statement.text))]
            if found and len(found) == len(patterns):
                return placed.at(found[0].start())
    return ""


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _swallowing(text: str) -> Iterator[int]:
    """Yield where in a statement's bodies such handlers begin."""
    for token in tokens(text):
        if token.kind is kinds.Literal:
            start = token.text.index("$", 1) + 1
            body = token.text[start : len(token.text) - start]
            for offset in _handlers(body):
                yield token.at + start + offset


def _handlers(body: str) -> Iterator[int]:
    said = [token for token in tokens(body) if not is_blank(token)]
    for place, word in enumerate(said):
        if _says(word, "when"):
            then = next((i for i in range(place, len(said)) if _says(said[i], "then")), None)
            asked = [each.text.lower() for each in said[place:then]]
            if (
                then
                and any(each in _ANYTHING for each in asked)
                and not _passes_on(said[then + 1 :])
            ):
                yield word.at


def _passes_on(said: Sequence[Token]) -> bool:
    """Tell whether a handler, which ends with its block or at the next WHEN, raises.

    One that sets a variable may leave that to what comes after it.
    """
    depth = 0
    for place, word in enumerate(said):
        before = said[place - 1] if place else None
        if _says(word, *_OPENING) and not (before and _says(before, "end")):
            depth += 1
        elif _says(word, "end"):
            depth -= 1
        if depth < 0 or (depth == 0 and _says(word, "when")):
            return False
        following = said[place + 1 : place + 2]
        if word.text == ":=":
            return True
        if _says(word, "raise") and not (following and _says(following[0], *_MERELY_SAID)):
            return True
    return False


def _says(token: Token, *any_of: str) -> bool:
    return token.kind is kinds.Name and token.text.lower() in any_of
