"""Definitions as the server writes them out, changed in one point."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlparse import tokens as kinds

from batchgate.sqltokens import Token, tokens

_DIRECTION = re.compile(r"(?: DESC)?(?: NULLS (?:FIRST|LAST))?$")
_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_OF_TABLE = re.compile(rf"({_NAME}) on (.+)", re.DOTALL)
_OF_COLUMN = re.compile(rf"(.+)\.({_NAME})", re.DOTALL)
# What may follow the actions of a foreign key.
_AFTER_ACTIONS = ("deferrable", "not", "initially")
_OTHER_ACTION = {
    "NO ACTION": "CASCADE",
    "RESTRICT": "CASCADE",
    "CASCADE": "NO ACTION",
    "SET NULL": "CASCADE",
    "SET DEFAULT": "CASCADE",
}


@dataclass(frozen=True)
class Index:
    """An index's definition in its parts."""

    head: str
    keys: tuple[str, ...]
    tail: str
    predicate: str

    def __str__(self) -> str:
        where = f" WHERE {self.predicate}" if self.predicate else ""
        return f"{self.head} ({', '.join(self.keys)}){self.tail}{where}"

    @property
    def sorts(self) -> bool:
        """Tell whether its method knows a direction at all."""
        return self.head.endswith("USING btree")

    @property
    def unique(self) -> bool:
        """Tell whether it lets each key in once."""
        return self.head.startswith("CREATE UNIQUE ")

    def plain(self) -> "Index":
        """Let each key in as often as it comes."""
        return replace(
            self,
            head=self.head.replace("CREATE UNIQUE ", "CREATE ", 1),
            tail=self.tail.replace(" NULLS NOT DISTINCT", "", 1),
        )

    def unconditional(self) -> "Index":
        """Hold every row."""
        return replace(self, predicate="")

    def negated(self) -> "Index":
        """Hold exactly the other rows."""
        return replace(self, predicate=f"(NOT {self.predicate})")

    def flipped(self, place: int) -> "Index":
        """Sort one key the other way round."""
        key = self.keys[place]
        bare = _DIRECTION.sub("", key, count=1)
        other = bare if " DESC" in key[len(bare) :] else f"{bare} DESC"
        return replace(self, keys=(*self.keys[:place], other, *self.keys[place + 1 :]))


def read_index(definition: str) -> Index:
    """Take an index's definition apart; it may be created again from what comes back."""
    words = list(_outside(definition))
    opening = next(token for token in words if token.text == "(")
    closing = next(token for token in words if token.text == ")")
    head = definition[: opening.at].rstrip()
    for first, second in pairwise(words):
        # An index of a partitioned table is shown without those of its partitions.
        if second.text == "ONLY" and first.text == "ON" and second.at < opening.at:
            head = head[: second.at] + head[second.at + len("ONLY ") :]
    keys = _items(definition[opening.at + 1 : closing.at])
    tail, predicate = definition[closing.at + 1 :], ""
    for token in words:
        if token.text == "WHERE" and token.at > closing.at:
            tail = definition[closing.at + 1 : token.at].rstrip()
            predicate = definition[token.at + len("WHERE ") :]
    return Index(head, keys, tail, predicate)


def foreign_key_actions(definition: str) -> dict[str, str]:
    """Return what a foreign key does on delete and on update."""
    return {event: _action(definition, event)[0] for event in ("DELETE", "UPDATE")}


def with_other_action(definition: str, event: str) -> tuple[str, str]:
    """Let a foreign key do something else on an event; return that and the definition."""
    action, start, end = _action(definition, event)
    other = _OTHER_ACTION[action]
    return other, f"{definition[:start]} ON {event} {other}{definition[end:]}"


def check_made_true(definition: str) -> str:
    """Let a check accept every row."""
    words = list(_outside(definition))
    opening = next(token for token in words if token.text == "(")
    closing = next(token for token in words if token.text == ")")
    return f"{definition[: opening.at]}(true{definition[closing.at :]}"


def key_columns(definition: str) -> tuple[str, ...]:
    """Return the columns of a key's definition, quoted as they are there."""
    words = list(_outside(definition))
    opening = next(token for token in words if token.text == "(")
    closing = next(token for token in words if token.text == ")")
    return _items(definition[opening.at + 1 : closing.at])


def of_table(identity: str) -> tuple[str, str]:
    """Part the identity of what hangs on a table or domain: its name, and that one's."""
    found = _OF_TABLE.fullmatch(identity)
    return (found[1], found[2]) if found else (identity, "")


def of_column(identity: str) -> tuple[str, str]:
    """Part the identity of a column: its relation, and its name."""
    found = _OF_COLUMN.fullmatch(identity)
    return (found[1], found[2]) if found else ("", identity)


def bare(name: str) -> str:
    """Return a name without its schema, its quotes and its signature."""
    found = re.match(rf"(?:{_NAME}\.)*({_NAME}?)(?=\(|$)", name)
    last = found[1] if found else name
    return last[1:-1].replace('""', '"') if last.startswith('"') else last


def _outside(definition: str) -> Iterator[Token]:
    """Yield the words that stand outside of parentheses, and the outermost parentheses."""
    depth = 0
    for token in tokens(definition):
        if token.text == ")":
            depth -= 1
        if depth == 0 and token.kind is not kinds.Whitespace:
            yield token
        if token.text == "(":
            depth += 1


def _items(text: str) -> tuple[str, ...]:
    """Part a list at its own commas."""
    cuts = [token.at for token in _outside(text) if token.text == ","]
    starts = [0, *(cut + 1 for cut in cuts)]
    return tuple(
        text[start:end].strip() for start, end in zip(starts, [*cuts, len(text)], strict=True)
    )


def _action(definition: str, event: str) -> tuple[str, int, int]:
    """Return what happens on an event, and where the definition says so."""
    words = list(_outside(definition))
    for index, token in enumerate(words[:-2]):
        if token.text == "ON" and words[index + 1].text == event:
            said = words[index + 2]
            if said.text in ("SET", "NO"):
                said = words[index + 3]
            start, end = words[index + 2].at, said.at + len(said.text)
            columns = words[index + 4 : index + 6]
            if definition[start:end].startswith("SET") and [t.text for t in columns] == ["(", ")"]:
                return definition[start:end], token.at - 1, columns[1].at + 1
            return definition[start:end], token.at - 1, end
    after = (token.at for token in words if token.text.lower() in _AFTER_ACTIONS)
    place = next(after, len(definition) + 1) - 1
    return "NO ACTION", place, place
