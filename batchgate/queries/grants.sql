-- What the current user may not do of all that is asked, as statements that the owner can run.
with me as (
    select
        r.rolname as name,
        pg_catalog.quote_ident(r.rolname) as quoted
    from pg_catalog.pg_roles as r
    where r.rolname = current_user
),
relation as (
    select
        c.oid,
        c.relkind,
        c.relnamespace,
        n.nspname,
        c.relname,
        pg_catalog.format('%%I.%%I', n.nspname, c.relname) as identity,
        a.named,
        a.whole,
        a.words
    from pg_catalog.jsonb_to_recordset(%(relations)s::pg_catalog.jsonb) as a (
        number pg_catalog.oid,
        named boolean,
        whole boolean,
        words text[]
    )
    join pg_catalog.pg_class as c on c.oid = a.number
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
),
function as (
    select
        p.oid,
        p.prokind,
        p.pronamespace,
        pg_catalog.format(
            '%%I.%%I(%%s)',
            n.nspname,
            p.proname,
            pg_catalog.pg_get_function_identity_arguments(p.oid)
        ) as identity,
        a.named,
        -- Of several that a call may mean, one that may be called will do.
        pg_catalog.bool_or(pg_catalog.has_function_privilege(p.oid, 'execute')) over (
            partition by a.call
        ) as callable
    from pg_catalog.jsonb_to_recordset(%(functions)s::pg_catalog.jsonb) as a (
        number pg_catalog.oid,
        named boolean,
        call text
    )
    join pg_catalog.pg_proc as p on p.oid = a.number
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
),
needed_schema as (
    select r.relnamespace as oid
    from relation as r
    where r.named
    union
    select f.pronamespace
    from function as f
    where f.named
    union
    select n.oid
    from pg_catalog.pg_namespace as n
    where n.nspname = any (%(schemas)s::text[])
),
hidden as (
    select
        pg_catalog.string_agg(distinct r.identity, ', ' order by r.identity) as identities
    from relation as r
    where pg_catalog.row_security_active(r.oid)
),
statement as (
    select
        1 as place,
        pg_catalog.format('grant usage on schema %%I to %%s;', n.nspname, me.quoted) as line
    from needed_schema as s
    join pg_catalog.pg_namespace as n on n.oid = s.oid
    cross join me
    where not pg_catalog.has_schema_privilege(n.oid, 'usage')
    union all
    select distinct
        2,
        case
            when r.nspname = 'pg_catalog' and r.relname in ('pg_authid', 'pg_shadow')
                then '-- it holds the verifiers of passwords; better leave it out of the gates' || E'\n'
            else ''
        end
            || pg_catalog.format(
                'grant select on %%s%%s to %%s;',
                case when r.relkind = 'S' then 'sequence ' else '' end,
                r.identity,
                me.quoted
            )
    from relation as r
    cross join me
    where not pg_catalog.has_table_privilege(r.oid, 'select')
        and (
            r.relkind = 'S'
            or not pg_catalog.has_any_column_privilege(r.oid, 'select')
            or exists (
                select
                from pg_catalog.pg_attribute as c
                where c.attrelid = r.oid
                    and c.attnum > 0
                    and not c.attisdropped
                    and (r.whole or c.attname = any (r.words))
                    and not pg_catalog.has_column_privilege(r.oid, c.attnum, 'select')
            )
        )
    union all
    select distinct
        3,
        pg_catalog.format(
            'grant execute on %%s %%s to %%s;',
            case when f.prokind = 'p' then 'procedure' else 'function' end,
            f.identity,
            me.quoted
        )
    from function as f
    cross join me
    where not f.callable
    union all
    select
        4,
        pg_catalog.format(
            '-- row security hides rows of %%s, and a gate would pass over them' || E'\n'
                || 'alter role %%s bypassrls;',
            h.identities,
            me.quoted
        )
    from hidden as h
    cross join me
    where h.identities is not null
    union all
    select
        5,
        pg_catalog.format(
            '-- without it neither the receiver nor what replay waits for can be seen' || E'\n'
                || 'grant pg_read_all_stats to %%s;',
            me.quoted
        )
    from me
    where not pg_catalog.pg_has_role('pg_read_all_stats', 'usage')
)
select s.line
from statement as s
order by
    s.place,
    s.line
