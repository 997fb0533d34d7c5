"""Write the check that a validation lacks, ready to be pasted into it."""

from psycopg import sql

from batchgate.mutation.damage import Mutant
from batchgate.mutation.definitions import bare, of_column, of_table
from batchgate.wholes import Attributes, Json

# Names are qualified in what the server says while the path is empty, wherever the file set it.
_CHECK = """\
do $check$
declare
    path constant text := current_setting('search_path');
begin
    perform set_config('search_path', '', true);
    if ({found}) is distinct from {expected} then
        raise exception {message};
    end if;
    perform set_config('search_path', path, true);
end
$check$;"""
_CONSTRAINT = """\
select pg_get_constraintdef(c.oid)
        from pg_catalog.pg_constraint as c
        where {owner} in (c.conrelid::regclass::text, c.contypid::regtype::text)
            and c.conname = {name}"""
_COLUMN = """\
select {what}
        from pg_catalog.pg_attribute as a
        left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = to_regclass({table})
            and a.attname = {column}"""
_COLUMN_IS = {
    None: ("format_type(a.atttypid, a.atttypmod)", "type"),
    "default": ("pg_get_expr(d.adbin, d.adrelid)", "default"),
    "not null": ("a.attnotnull", "not null"),
}
_TRIGGER = """\
select pg_get_triggerdef(t.oid)
        from pg_catalog.pg_trigger as t
        where t.tgrelid = to_regclass({owner})
            and t.tgname = {name}"""
_LABELS = """\
select string_agg(e.enumlabel, ', ' order by e.enumsortorder)
        from pg_catalog.pg_enum as e
        where e.enumtypid = to_regtype({name})"""
_STANDS = {
    "extension": "select e.extname from pg_catalog.pg_extension as e where e.extname = {bare}",
    "relation": "select to_regclass({name})::text",
    "routine": "select to_regprocedure({name})::text",
    "schema": "select to_regnamespace({name})::text",
    "type": "select to_regtype({name})::text",
}


def assertion(mutant: Mutant, now: Attributes) -> str:
    """Return a block that raises where a required mutant stands, or nothing if we know none."""
    found, expected = _told_by(mutant, now) if mutant.required else (None, None)
    if found is None:
        return ""
    class_, name = mutant.key
    message = sql.Literal(f"{class_} {name} is not as it should be".replace("%", "%%"))
    check = sql.SQL(_CHECK).format(found=found, expected=sql.Literal(expected), message=message)
    return check.as_string()


def sight_of(mutant: Mutant, now: Attributes) -> sql.Composed | None:
    """Return a query for what tells a mutant from what should be, or None if we know none.

    It is asked with an empty search path, and costs a fraction of a snapshot.
    """
    return _told_by(mutant, now)[0]


def _told_by(mutant: Mutant, now: Attributes) -> tuple[sql.Composed | None, Json]:
    """Return the query that tells an object from its mutant, and what it yields now."""
    class_, name = mutant.key
    match class_:
        case "index":
            query = sql.SQL("select pg_get_indexdef(to_regclass({}))")
            return query.format(sql.Literal(name)), now["definition"]
        case "constraint":
            return _of_constraint(name), now["definition"]
        case "trigger":
            trigger, table = of_table(name)
            named = sql.SQL(_TRIGGER).format(
                owner=sql.Literal(table), name=sql.Literal(bare(trigger))
            )
            return named, now["definition"]
        case "column":
            return _of_column(mutant, now)
        case "type" if mutant.attribute == "labels":
            return sql.SQL(_LABELS).format(name=sql.Literal(name)), ", ".join(now["labels"])
    if class_ in _STANDS and mutant.attribute is None:
        expected = bare(name) if class_ == "extension" else name
        stands = sql.SQL(_STANDS[class_])
        return stands.format(name=sql.Literal(name), bare=sql.Literal(bare(name))), expected
    return None, None


def _of_constraint(identity: str) -> sql.Composed:
    name, owner = of_table(identity)
    return sql.SQL(_CONSTRAINT).format(owner=sql.Literal(owner), name=sql.Literal(bare(name)))


def _of_column(mutant: Mutant, now: Attributes) -> tuple[sql.Composed | None, Json]:
    if mutant.attribute not in _COLUMN_IS:
        return None, None
    what, attribute = _COLUMN_IS[mutant.attribute]
    table, column = of_column(mutant.key[1])
    query = sql.SQL(_COLUMN).format(
        what=sql.SQL(what), table=sql.Literal(table), column=sql.Literal(bare(column))
    )
    return query, now[attribute]
