-- What bears the name that a statement would give to a relation, in the schema it would stand in.
select
    c.relkind::text,
    n.nspname::text,
    c.relname::text,
    format('%%I.%%I', n.nspname, c.relname)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relname = %(name)s
    and n.nspname = coalesce(
        %(schema)s,
        (
            select t.nspname
            from pg_catalog.pg_class as r
            join pg_catalog.pg_namespace as t on t.oid = r.relnamespace
            where r.oid = to_regclass(%(of_table)s)
        ),
        current_schema()
    )
