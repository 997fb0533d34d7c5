"""The tables that stood before a batch, looked at alike before it, under it and after it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from batchgate.contents import Stored
from batchgate.rehearsal.data.sights import Rows, Sight, as_used, by_name, figures, take_rows

# Types between which a key can change and read the same.
_ALIKE = (
    re.compile(r"smallint|integer|bigint"),
    re.compile(r"text|(?:.*\.)?citext|character varying.*"),
)


class Scene:
    """The tables that stood, as they are found under a batch.

    Where rows can no longer be told apart by what told them apart before, only what all sights
    have in common is looked at.
    """

    def __init__(self, stood: Sequence[Stored], now: Sequence[Stored]) -> None:
        self.stood = stood
        self.now = now
        self.sights = as_used(stood, now)
        self.first: dict[str, Sight] = {}
        self.used: dict[str, Sight] = {}
        for identity, own in by_name(stood, stood).items():
            sight = self.sights.get(identity)
            if sight is None:
                self.first[identity] = own
            elif sight.key and not _key_is_another(own, sight):
                self.first[identity], self.used[identity] = own, sight
            else:
                names = sight.named.keys() - sight.retyped - set(own.key)
                self.first[identity] = _loosely(own, names)
                self.used[identity] = _loosely(sight, names)

    def end(self, last: Iterable[Stored]) -> dict[str, Sight]:
        """Look at the tables once the batch is rolled back, where they stood before."""
        return {
            identity: sight
            if self.first[identity].key
            else _loosely(sight, self.first[identity].named.keys())
            for identity, sight in by_name(self.stood, last).items()
        }

    def changed(
        self, first: psycopg.Connection[Any], applied: psycopg.Connection[Any]
    ) -> frozenset[str]:
        """Name the tables whose rows the batch changed, or writes in another way."""
        before = figures(first, self.first.values())
        after = figures(applied, self.used.values())
        return frozenset(
            identity
            for identity, sight in self.first.items()
            if before[identity] != after.get(identity)
            or self.used[identity].retyped
            or self.used[identity].named.keys() != sight.named.keys()
        )

    def read(
        self,
        connection: psycopg.Connection[Any],
        sights: Mapping[str, Sight],
        tables: Iterable[str],
    ) -> dict[str, Rows]:
        """Read tables row by row; one that is not there holds none."""
        asked = sorted(tables)
        rows = take_rows(connection, [sights[name] for name in asked if name in sights])
        return {name: rows.get(name) or self._nothing(name) for name in asked}

    def _nothing(self, name: str) -> Rows:
        return Rows((), {}) if self.first[name].key else Rows((), loose={})


def _loosely(sight: Sight, names: Iterable[str]) -> Sight:
    named = {name: now for name, now in sight.named.items() if name in set(names)}
    return sight._replace(named=named, key=())


def _key_is_another(own: Sight, sight: Sight) -> bool:
    """Tell whether a key's values are written in another way, so that no row has its own."""
    was = {column.name: column.type for column in own.now.columns}
    stands = {column.name: column.type for column in sight.now.columns}
    pairs = [(was[name], stands[sight.named[name]]) for name in own.key if name in sight.retyped]
    return not all(
        any(each.fullmatch(before) and each.fullmatch(after) for each in _ALIKE)
        for before, after in pairs
    )
