"""One object that a batch added or changed, and what a damage to one point of it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from psycopg import sql

from batchgate.mutation.definitions import key_columns, of_column, of_table
from batchgate.wholes import ASPECTS, Attributes, Key

# What a connection executes.
Statement: TypeAlias = sql.SQL | sql.Composed

_TABLES = ("table", "partitioned table", "foreign table")


@dataclass(frozen=True)
class Mutant:
    """One damage: what it is in words, the object it is done to, and the statements that do it.

    A `required` one is of a kind that every validation has to notice; `attribute` is what of
    the object it damages, None where that is dropped or brought back. One that
    `may_be_equivalent` says what might have been said before, and then damages nothing.
    """

    name: str
    key: Key
    attribute: str | None
    statements: tuple[Statement, ...] = field(compare=False)
    required: bool = True
    may_be_equivalent: bool = False


@dataclass(frozen=True)
class Standing:
    """All that stands at a height."""

    facts: Mapping[Key, Attributes]

    def attributes(self, class_: str, name: str) -> Attributes:
        """Return what is known of an object, which is nothing where there is none."""
        return self.facts.get((class_, name), {})

    @cached_property
    def of_constraints(self) -> frozenset[str]:
        """The indexes that stand for constraints, not for themselves."""
        return frozenset(
            str(facts["index"])
            for (class_, _), facts in self.facts.items()
            if class_ == "constraint" and facts["type"] in "pux"
        )

    @cached_property
    def primary(self) -> frozenset[tuple[str, str]]:
        """The tables and columns of primary keys."""
        return frozenset(
            (of_table(name)[1], column)
            for (class_, name), facts in self.facts.items()
            if class_ == "constraint" and facts["type"] == "p"
            for column in key_columns(str(facts["definition"]))
        )


@dataclass(frozen=True)
class Change:
    """One object that a batch added or changed, and all that stands around it."""

    key: Key
    was: Attributes | None
    now: Attributes
    around: Standing

    @property
    def name(self) -> str:
        """Return the object's name as the server quotes it."""
        return self.key[1]

    @property
    def added(self) -> bool:
        """Tell an object that was not there from one that was another."""
        return self.was is None

    def has(self, attribute: str) -> bool:
        """Tell whether the batch made an attribute what it is."""
        return self.was is None or self.was.get(attribute) != self.now.get(attribute)

    def mutant(
        self,
        damage: str,
        attribute: str | None,
        *statements: Statement,
        required: bool = True,
        may_be_equivalent: bool = False,
    ) -> Mutant:
        """Return a mutant of this object."""
        class_ = str(self.now["kind"]) if self.key[0] == "relation" else self.key[0]
        name = f"{class_} {self.name}{damage}"
        return Mutant(name, self.key, attribute, statements, required, may_be_equivalent)

    @property
    def is_told_elsewhere(self) -> bool:
        """Tell what stands and falls with another object, by which it is damaged."""
        now = self.now
        match self.key[0]:
            case "column":
                whole = self.around.attributes("relation", of_column(self.name)[0])
                return whole.get("kind") not in _TABLES or not now["local"]
            case "constraint":
                return bool(now["type"] == "n" or not now["local"])
            case "index":
                return self.name in self.around.of_constraints or bool(now["parent"])
            case "relation":
                # Without its identity column such a sequence cannot be dropped.
                owner = str(self.around.attributes("sequence", self.name).get("owned by"))
                return bool(self.around.attributes("column", owner).get("identity"))
            case "trigger":
                return not now["definition"]
            case "type":
                return bool(now["kind"] == "c")
            case class_:
                return class_ in ASPECTS


def words(template: str, **said: str) -> sql.Composed:
    """Fill a statement with names and definitions as the server wrote and quoted them."""
    return sql.SQL(template).format(**{name: sql.SQL(text) for name, text in said.items()})
