"""The keys of rows: which columns carry them, and which of them can take other values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from batchgate.reading import read_query

# A column's place: its table's qualified name, and its own.
Place: TypeAlias = tuple[str, str]

# What can be given another value, by kind; the first are taken first.
_KINDS = {
    "uuid": ("uuid",),
    "number": ("int2", "int4", "int8", "numeric", "float4", "float8"),
    "text": ("text", "varchar", "bpchar", "citext", "name"),
    "bytes": ("bytea",),
    "time": ("date", "timestamp", "timestamptz"),
    "span": ("interval",),
    "document": ("json", "jsonb"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_RANK = {kind: rank for rank, kind in enumerate(_KINDS)}
_NAME_LENGTH = 63
# What is shorter holds too few hashes for all its values to get one of their own.
_CODE_LENGTH = 8
_HIGHEST = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
_HIGHEST |= dict.fromkeys(("date", "timestamp", "timestamptz"), 3_000_000)
# Room for the numbers that the database itself gives out next.
_GAPS = (1_000_000, 10_000, 100, 0)
_WAYS = {
    "number": "{value} + {distance}::bigint * {copy}",
    "day": "{value} + ({distance} * {copy})::integer",
    "time": "{value} + {distance}::bigint * {copy} * interval '1 day'",
    "span": "{value} + {far}::bigint * {copy} * interval '1 day'",
    "uuid": "pg_catalog.md5({value}::text || {suffix})::uuid",
    "text": "{value}::text || {suffix}",
    "short text": "case when char_length({value}::text || {suffix}) <= {length}"
    " then {value}::text || {suffix} else left(pg_catalog.md5({value}::text || {suffix}), {length})"
    " end",
    "code": "pg_catalog.chr(((ascii({value}) + 347 * ({salt}::bigint + {copy})) % 50000 + 161)"
    "::integer) || substr({value}, 2)",
    "bytes": "{value} || pg_catalog.convert_to({suffix}, 'UTF8')",
}


_CHANGES = {
    "number": "coalesce({value}, '0') + 1",
    "boolean": "not coalesce({value}, false)",
    "day": "coalesce({value}, '2000-01-01') + 1",
    "time": "coalesce({value}, '2000-01-01') + interval '1 day'",
    "span": "coalesce({value}, '0') + interval '1 day'",
    "uuid": "pg_catalog.md5(concat({value}, 'x'))::uuid",
    "text": "concat({value}, 'x')",
    "short text": "left(concat('x', {value}), {length})",
    "bytes": "coalesce({value}, '') || convert_to('x', 'UTF8')",
    "document": "coalesce({value}::jsonb, '{{}}') || jsonb_build_object('batchgate', 1)",
}


class KeyColumn(NamedTuple):
    """A column that a copy has to give, by the base of its type."""

    name: str
    type: str
    modifier: int
    of_partition: bool
    has_default: bool

    @property
    def kind(self) -> str | None:
        """Return in which way its values can be changed, or None where in none."""
        return _KIND_OF.get(self.type)

    @property
    def length(self) -> int | None:
        """Return how many characters fit, or None where there is no limit."""
        if self.type == "name":
            return _NAME_LENGTH
        limited = self.type in ("varchar", "bpchar") and self.modifier > 4
        return self.modifier - 4 if limited else None


class KeyLink(NamedTuple):
    """One column of a foreign key; `follows` where rows change with what they refer to."""

    column: str
    other: str
    referenced: str
    name: str
    follows: bool


class KeyTable(NamedTuple):
    """One row of queries/copied.sql."""

    identity: str
    kind: str
    schema: str
    relation: str
    columns: list[KeyColumn]
    keys: list[list[str]]
    links: list[KeyLink]

    @property
    def source(self) -> sql.Composed:
        """Name the table alone; what inherits from it is a table of its own."""
        only = sql.SQL("only " if self.kind == "r" else "")
        return only + sql.Identifier(self.schema, self.relation)


class Size(NamedTuple):
    """How many rows a table holds, and from where to where the numbers and times of its keys go."""

    rows: int
    ranges: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Plan:
    """The tables to copy, and the columns that get another value, with the family of each."""

    tables: Mapping[str, KeyTable]
    moved: Mapping[Place, frozenset[Place]]

    def column(self, place: Place) -> KeyColumn:
        """Return what is known of a column."""
        return next(each for each in self.tables[place[0]].columns if each.name == place[1])


def read_tables(connection: psycopg.Connection[Any]) -> dict[str, KeyTable]:
    """Read what can be copied, under settings that are undone."""
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(read_query("settings.sql"))
        read = [KeyTable(*row) for row in cursor.execute(read_query("copied.sql"))]
    return {
        each.identity: each._replace(
            columns=[KeyColumn(*column) for column in each.columns],
            links=[KeyLink(*link) for link in each.links],
        )
        for each in read
    }


def measure(cursor: psycopg.Cursor[Any], tables: Mapping[str, KeyTable]) -> dict[str, Size]:
    """Measure the tables that hold rows, all in one statement."""
    parts = [_size(table) for table in tables.values()]
    if not parts:
        return {}
    return {
        name: Size(rows, {column: (low, high) for column, (low, high) in ranges.items()})
        for name, rows, ranges in cursor.execute(sql.SQL("\nunion all\n").join(parts))
        if rows
    }


def _size(table: KeyTable) -> sql.Composed:
    numbers = {"number": "t.{0}::numeric", "time": "extract(epoch from t.{0})::numeric / 86400"}
    ends = []
    keys = {name for key in table.keys for name in key} | {link.column for link in table.links}
    for column in (each for each in table.columns if each.name in keys):
        if text := numbers.get(column.kind or ""):
            value = sql.SQL(text).format(sql.Identifier(column.name))
            ends.append(
                sql.SQL(
                    "{name}, jsonb_build_array(coalesce(floor(min({value}) filter ({finite})), 0),"
                    " coalesce(ceil(max({value}) filter ({finite})), 0))"
                ).format(
                    name=sql.Literal(column.name),
                    value=value,
                    finite=sql.SQL("where {} not in ('NaN', 'Infinity', '-Infinity')").format(
                        value
                    ),
                )
            )
    ranges = [sql.SQL("jsonb_build_object({})").format(pair) for pair in ends]
    return sql.SQL("select {}, count(*), {} from {} as t").format(
        sql.Literal(table.identity),
        sql.SQL(" || ").join([sql.SQL("'{}'::jsonb"), *ranges]),
        table.source,
    )


def plan_moves(tables: Mapping[str, KeyTable], refused: dict[str, str]) -> Plan:
    """Choose what is to change in each unique key; what has nothing to change is refused."""
    while True:
        plan, stuck = _attempt({name: tables[name] for name in tables.keys() - refused.keys()})
        if not stuck:
            return plan
        refused |= stuck


def _attempt(tables: Mapping[str, KeyTable]) -> tuple[Plan, dict[str, str]]:
    """Plan for these tables, short keys first; tell those that have a key of fixed values."""
    families = _families(tables)
    moved: dict[Place, frozenset[Place]] = {}
    stuck = {}
    plan = Plan(tables, moved)
    for _, name, key in sorted(
        (len(key), name, key) for name, table in tables.items() for key in table.keys
    ):
        if any((name, column) in moved for column in key):
            continue
        free = [(name, column) for column in key if (name, column) in families]
        if free:
            chosen = families[min(free, key=lambda place: reluctance(plan.column(place)))]
            moved.update(dict.fromkeys(chosen, chosen))
        else:
            stuck[name] = f"no column of its key ({', '.join(key)}) can be given another value"
    return plan, stuck


def _families(tables: Mapping[str, KeyTable]) -> dict[Place, frozenset[Place]]:
    """Join the columns that foreign keys join, and leave out those that cannot change."""
    columns = {
        (name, column.name): column.kind
        for name, table in tables.items()
        for column in table.columns
    }
    family = {column: {column} for column in columns}
    fixed: set[Place] = set()
    for name, table in tables.items():
        for link in table.links:
            here, there = (name, link.column), (link.other, link.referenced)
            if not {here, there} <= columns.keys():
                fixed |= {here, there}
            elif family[here] is not family[there]:
                joined = family[here] | family[there]
                family.update(dict.fromkeys(joined, joined))
    return {
        column: frozenset(joined)
        for column, joined in family.items()
        if not joined & fixed
        and len(kinds := {columns[each] for each in joined}) == 1
        and None not in kinds
    }


def reluctance(column: KeyColumn) -> tuple[bool, int, str]:
    """Rank what may change: what tells the partition of a row last."""
    return column.of_partition, _RANK[column.kind or ""], column.name


def other_value(
    column: KeyColumn, value: sql.Composable, copy: sql.Composable, distance: int, salt: int
) -> sql.Composed:
    """Write a value that no row has, another one for each value, each copy and each salt."""
    way = "day" if column.type == "date" else column.kind or ""
    if way == "text" and column.length:
        way = "short text" if column.length > _CODE_LENGTH else "code"
    return sql.SQL(_WAYS.get(way) or read_query("copied_document.sql").decode()).format(
        value=value,
        copy=copy,
        suffix=sql.SQL("pg_catalog.concat({}, {})").format(f"-{salt}-", copy),
        salt=sql.Literal(salt),
        far=sql.Literal(1_000_000 * salt),
        distance=sql.Literal(distance),
        length=sql.Literal(column.length),
    )


def distance_of(columns: Sequence[KeyColumn], ends: Iterable[tuple[int, int]], times: int) -> int:
    """Return how far numbers and times move, beyond all that these columns hold.

    Upwards, and with room for what sequences give out next; downwards where the narrowest type
    has no room above.
    """
    ends = list(ends)
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    limit = min(_HIGHEST.get(each.type, 2**62) for each in columns)
    step = high - low + 1
    for gap in _GAPS if columns[0].kind == "number" else (0,):
        if high + times * (step + gap) <= limit:
            return step + gap
    return -step if low - times * step > -limit else step


def literal_of(column: KeyColumn, text: str) -> sql.Composed:
    """Write a value of a column's base type."""
    known = column.type if column.type != "citext" else "text"
    return sql.SQL("{}::{}").format(sql.Literal(text), sql.Identifier("pg_catalog", known))


def next_value(column: KeyColumn, value: sql.Composable) -> sql.Composed | None:
    """Write a value other than the one that stands, null or not; None where no way is known."""
    way = {"bool": "boolean", "date": "day"}.get(column.type, column.kind or "")
    if way == "text" and column.length:
        way = "short text"
    if way not in _CHANGES:
        return None
    return sql.SQL(_CHANGES[way]).format(value=value, length=sql.Literal(column.length))
