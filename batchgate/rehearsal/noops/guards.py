"""Read IF NOT EXISTS and IF EXISTS out of a statement: what each of them guards, by its name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlparse import tokens as kinds

from batchgate.rehearsal.noops.reading import Reader

# What a parenthesis follows is a condition of PL/pgSQL, and guards no name.
_GAP = r"(?:\s|/\*[\s\S]*?\*/|--[^\n]*\n)"
_MENTIONED = re.compile(rf"\bif{_GAP}+(?:not{_GAP}+)?exists\b(?!{_GAP}*\()", re.IGNORECASE)
_ASIDE = ("or", "replace", "global", "local", "temp", "temporary", "unlogged", "unique")
_ON_A_TABLE = ("trigger", "rule", "policy")
# What a table is given without a name.
_UNNAMED = ("primary", "unique", "check", "foreign", "exclude", "not")
_WITH_ACTIONS = ("table", "foreign table", "type", "domain")


@dataclass(frozen=True)
class Guard:
    """One IF NOT EXISTS or IF EXISTS: what it would make, or what it looks for.

    Names are as the server takes them, part by part; a label's name is followed by that of the
    neighbour before or after which it is to stand. `alone` is a statement that makes what
    the guard guards and nothing else, and that can run in a transaction; `words` are the words
    that it is written in.
    """

    makes: bool
    class_: str
    name: tuple[str, ...]
    on: tuple[str, ...] = ()
    alone: str = ""
    words: frozenset[str] = field(default=frozenset())

    @property
    def temporary(self) -> bool:
        """Tell what goes with its session, and stands in no snapshot."""
        return self.name[:1] == ("pg_temp",) or not self.words.isdisjoint({"temp", "temporary"})


def mentions_guard(text: str) -> bool:
    """Tell quickly whether a text may hold a guard, a string in it included."""
    return _MENTIONED.search(text) is not None


def guards_of(statement: str) -> list[Guard]:
    """Return the guards of one statement; a body that is a string is not looked into."""
    if not mentions_guard(statement):
        return []
    reader = Reader(statement)
    verb = reader.word()
    if verb == "drop":
        return list(_dropped(reader))
    return list(_made(verb, reader, guarded=True))


def definition_of(statement: str) -> Guard | None:
    """Return what a statement without a guard makes, as if it had one; None for any other."""
    reader = Reader(statement)
    return next(_made(reader.word(), reader, guarded=False), None)


def _made(verb: str, reader: Reader, *, guarded: bool) -> Iterator[Guard]:
    if verb == "create":
        yield from _created(reader, guarded=guarded)
    elif verb == "alter":
        yield from _altered(reader, guarded=guarded)


def _created(reader: Reader, *, guarded: bool) -> Iterator[Guard]:
    while reader.peek() in _ASIDE:
        reader.next += 1
    class_ = reader.class_()
    text = reader.text
    if reader.peek() == "concurrently":
        at = reader.at(reader.next)
        text = text[:at] + text[at + len("concurrently") :]
        reader.next += 1
    comes = reader.take("if", "not", "exists")
    if not class_ or comes is not guarded or reader.peek() == "on":
        return
    on: tuple[str, ...] = ()
    if class_ == "user mapping" and reader.take("for"):
        name = reader.name()
        on = reader.name() if reader.take("server") else ()
    else:
        reader.take("authorization")
        name = reader.name()
    if class_ in ("index", *_ON_A_TABLE):
        on = reader.name_after("on")
    if name:
        yield Guard(True, class_, name, on, text, reader.words())


def _altered(reader: Reader, *, guarded: bool) -> Iterator[Guard]:
    class_ = reader.class_()
    if not class_:
        return
    found = reader.take("if", "exists")
    reader.take("only")
    table = reader.name()
    reader.take("*")
    if found and guarded and table:
        yield Guard(False, class_, table)
    if class_ in _WITH_ACTIONS:
        head = reader.text[: reader.at(reader.next)]
        for start, stop in reader.cut():
            if start < stop:
                last = reader.pieces[stop - 1]
                action = reader.text[reader.at(start) : last.at + len(last.text)]
                alone, inner = f"{head}{action}", Reader(action)
                yield from _of_action(class_, table, alone, inner, guarded=guarded)


def _of_action(
    class_: str, table: tuple[str, ...], alone: str, reader: Reader, *, guarded: bool
) -> Iterator[Guard]:
    verb = reader.word()
    if verb == "add":
        yield from _added(class_, table, alone, reader, guarded=guarded)
    elif verb == "drop" and guarded:
        part = reader.word() if reader.peek() in ("column", "constraint", "attribute") else "column"
        if reader.take("if", "exists") and (name := reader.name()):
            yield Guard(False, "column" if part == "attribute" else part, name, table)
    elif verb == "alter" and guarded:
        reader.take("column")
        name = reader.name()
        for part in ("identity", "expression"):
            if reader.take("drop", part, "if", "exists"):
                yield Guard(False, part, name, table)


def _added(
    class_: str, table: tuple[str, ...], alone: str, reader: Reader, *, guarded: bool
) -> Iterator[Guard]:
    part = "label" if class_ == "type" and reader.take("value") else "column"
    if not guarded and reader.take("constraint"):
        part = "constraint"
    elif part == "column":
        reader.take("column")
    unnamed = part == "column" and reader.peek() in _UNNAMED
    if reader.take("if", "not", "exists") is not guarded or unnamed:
        return
    name = _label(reader) if part == "label" else reader.name()
    if name:
        yield Guard(True, part, name, table, alone, reader.words())


def _dropped(reader: Reader) -> Iterator[Guard]:
    class_ = reader.class_()
    reader.take("concurrently")
    if not class_ or not reader.take("if", "exists"):
        return
    for start, _ in reader.cut():
        reader.next = start
        reader.take("for")
        name = reader.name()
        on: tuple[str, ...] = ()
        if class_ in _ON_A_TABLE and reader.take("on"):
            on = reader.name()
        if name:
            yield Guard(False, class_, name, on)


def _label(reader: Reader) -> tuple[str, ...]:
    """Return the strings that follow, without their quotes."""
    texts = (each.text for each in reader.pieces[reader.next :] if each.kind in kinds.String)
    return tuple(text.lstrip("eE").strip("'").replace("''", "'") for text in texts)
