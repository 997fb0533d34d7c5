-- The functions, relations and types that names and numbers stand for, what is known of each, and
-- what it calls and reads in turn. Stored expressions name everything by its number, so views and
-- bodies of SQL's own form are followed exactly; of other bodies the text is returned.
with recursive asked as (
    select
        a.source,
        a.name,
        a.schema,
        a.called,
        a.arguments,
        a.field,
        a.path
    from pg_catalog.jsonb_to_recordset(%(names)s::pg_catalog.jsonb) as a (
        source integer,
        -- This type cuts a name as a statement does: by the bytes of the server's encoding.
        name pg_catalog.name,
        schema pg_catalog.name,
        called boolean,
        arguments integer,
        field boolean,
        path pg_catalog.name[]
    )
),
numbered as (
    select
        b.source,
        b.kind,
        b.number
    from pg_catalog.jsonb_to_recordset(%(numbers)s::pg_catalog.jsonb) as b (
        source integer,
        kind text,
        number pg_catalog.oid
    )
),
sign as (
    select
        s.source,
        s.name
    from pg_catalog.jsonb_to_recordset(%(operators)s::pg_catalog.jsonb) as s (
        source integer,
        name pg_catalog.name
    )
),
function as (
    select
        a.source,
        p.oid
    from asked as a
    join pg_catalog.pg_proc as p on p.proname = a.name
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    where a.called
        and (n.nspname = a.schema or (a.schema is null and n.nspname = any (a.path)))
        and (
            a.arguments is null
            -- What a procedure only gives back is written among its arguments, and not counted.
            or p.prokind in ('a', 'p')
            or p.provariadic <> 0
            or a.arguments between p.pronargs - p.pronargdefaults and p.pronargs
        )
    union
    -- A function of one row can be called as if it were a column: `t.f` for `f(t)`.
    select
        a.source,
        p.oid
    from asked as a
    join pg_catalog.pg_proc as p on p.proname = a.name
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    join pg_catalog.pg_type as t on t.oid = p.proargtypes[0]
    where a.field
        and p.oid >= 16384
        and n.nspname = any (a.path)
        and p.pronargs - p.pronargdefaults <= 1
        and t.typtype in ('c', 'p')
    union
    select
        s.source,
        o.oprcode
    from sign as s
    join pg_catalog.pg_operator as w on w.oprname = s.name
    -- The planner may turn an operator around, and `not` into its opposite.
    join pg_catalog.pg_operator as o on o.oid in (w.oid, w.oprcom, w.oprnegate)
    where o.oid >= 16384
    union
    select
        b.source,
        b.number
    from numbered as b
    where b.kind = 'function'
),
relation as (
    select
        a.source,
        c.oid
    from asked as a
    join pg_catalog.pg_class as c on c.relname = a.name
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where not a.called
        and (n.nspname = a.schema or (a.schema is null and n.nspname = any (a.path)))
    union
    select
        b.source,
        b.number
    from numbered as b
    where b.kind = 'relation'
),
below as (
    select
        r.oid as top,
        r.oid
    from relation as r
    union
    select
        b.top,
        i.inhrelid
    from below as b
    join pg_catalog.pg_inherits as i on i.inhparent = b.oid
),
type as (
    select
        a.source,
        t.oid
    from asked as a
    join pg_catalog.pg_type as t on t.typname = a.name
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
    where (n.nspname = a.schema or (a.schema is null and n.nspname = any (a.path)))
        and t.oid >= 16384
        -- Who names a table does not cast to its type.
        and t.typtype <> 'c'
    union
    select
        b.source,
        b.number
    from numbered as b
    where b.kind = 'type'
),
stored as (
    select
        'function' as kind,
        p.oid,
        p.prosqlbody::text as tree
    from pg_catalog.pg_proc as p
    where p.oid in (select f.oid from function as f where f.oid >= 16384)
        and p.prosqlbody is not null
    union all
    select
        'function',
        p.oid,
        p.proargdefaults::text
    from pg_catalog.pg_proc as p
    where p.oid in (select f.oid from function as f where f.oid >= 16384)
        and p.proargdefaults is not null
    union all
    select
        'relation',
        w.ev_class,
        w.ev_action::text
    from pg_catalog.pg_rewrite as w
    join pg_catalog.pg_class as c on c.oid = w.ev_class
    where w.ev_class in (select r.oid from relation as r)
        and c.relkind = 'v'
        and w.ev_type = '1'
    union all
    select
        'type',
        k.contypid,
        k.conbin::text
    from pg_catalog.pg_constraint as k
    where k.contypid in (select t.oid from type as t)
),
next as (
    select distinct
        s.kind,
        s.oid,
        case
            when m.found[1] = 'relid' then 'relation'
            when m.found[1] = 'resulttype' then 'type'
            else 'function'
        end as next_kind,
        m.found[2]::pg_catalog.oid as next_oid
    from stored as s
    cross join pg_catalog.regexp_matches(
        s.tree,
        ':(funcid|opfuncid|aggfnoid|winfnoid|relid|resulttype) ([0-9]+)',
        'g'
    ) as m (found)
    union
    select
        'function',
        g.aggfnoid,
        'function',
        part.oid
    from pg_catalog.pg_aggregate as g
    cross join pg_catalog.unnest(
        array[
            g.aggtransfn,
            g.aggfinalfn,
            g.aggcombinefn,
            g.aggserialfn,
            g.aggdeserialfn,
            g.aggmtransfn,
            g.aggminvtransfn,
            g.aggmfinalfn
        ]::pg_catalog.oid[]
    ) as part (oid)
    where g.aggfnoid::pg_catalog.oid in (select f.oid from function as f where f.oid >= 16384)
    union
    select
        'relation',
        b.top,
        'relation',
        b.oid
    from below as b
    join pg_catalog.pg_class as c on c.oid = b.oid
    where c.relkind = 'f'
    union
    select
        'type',
        t.oid,
        'type',
        t.typbasetype
    from pg_catalog.pg_type as t
    where t.oid in (select y.oid from type as y)
    union
    select
        'type',
        t.oid,
        'function',
        c.castfunc
    from type as t
    join pg_catalog.pg_cast as c on t.oid in (c.castsource, c.casttarget)
    where c.castfunc >= 16384
),
onward as (
    select
        x.kind,
        x.oid,
        pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_array(x.next_kind, x.next_oid::bigint)
            order by x.next_kind, x.next_oid
        ) as parts
    from next as x
    where x.next_oid <> 0
        and (x.next_kind <> 'type' or x.next_oid >= 16384)
    group by
        x.kind,
        x.oid
)
select
    f.source,
    'function' as kind,
    p.oid::bigint as number,
    n.nspname::text as schema,
    p.proname::text as name,
    pg_catalog.jsonb_build_object(
        'own', p.oid >= 16384,
        'of', (
            select e.extname
            from pg_catalog.pg_depend as d
            join pg_catalog.pg_extension as e on e.oid = d.refobjid
            where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                and d.objid = p.oid
                and d.deptype = 'e'
        ),
        'arguments', p.pronargs,
        'language', l.lanname,
        'trusted', l.lanpltrusted,
        'volatile', p.provolatile = 'v',
        'callable', not (
            p.prorettype = 'pg_catalog.internal'::pg_catalog.regtype
            or 'pg_catalog.internal'::pg_catalog.regtype = any (p.proargtypes)
            or exists (
                select
                from pg_catalog.pg_type as r
                where r.oid = p.prorettype
                    and r.typtype = 'p'
                    and r.typname ~ '(trigger|handler)$'
            )
        ),
        'same', (
            select i.proname
            from pg_catalog.pg_proc as i
            where p.oid >= 16384
                and l.lanname = 'internal'
                and i.prolang = l.oid
                and i.oid < 16384
                and i.prosrc = p.prosrc
            order by i.proname
            limit 1
        ),
        'body', case
            when p.oid >= 16384 and p.prosqlbody is null and l.lanname in ('sql', 'plpgsql')
                then p.prosrc
        end,
        'definer', p.prosecdef,
        'settings', array(
            select pg_catalog.split_part(s.setting, '=', 1)
            from pg_catalog.unnest(p.proconfig) as s (setting)
        ),
        'owner', pg_catalog.pg_get_userbyid(p.proowner),
        'path', (
            select pg_catalog.substr(s.setting, 13)
            from pg_catalog.unnest(p.proconfig) as s (setting)
            where pg_catalog.starts_with(s.setting, 'search_path=')
        )
    ) as facts,
    coalesce(o.parts, '[]') as parts
from function as f
join pg_catalog.pg_proc as p on p.oid = f.oid
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
left join onward as o on o.kind = 'function' and o.oid = p.oid
union all
select
    r.source,
    'relation',
    c.oid::bigint,
    n.nspname::text,
    c.relname::text,
    pg_catalog.jsonb_build_object(
        'view', c.relkind = 'v',
        'invoker', exists (
            select
            from pg_catalog.pg_options_to_table(c.reloptions) as q
            where q.option_name = 'security_invoker'
                and q.option_value::boolean
        ),
        'foreign', c.relkind = 'f',
        'wrapper', w.fdwname,
        'handler', h.proname,
        'program', exists (
            select
            from pg_catalog.unnest(t.ftoptions) as q (setting)
            where pg_catalog.starts_with(q.setting, 'program=')
        )
    ),
    coalesce(o.parts, '[]')
from relation as r
join pg_catalog.pg_class as c on c.oid = r.oid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_foreign_table as t on t.ftrelid = c.oid
left join pg_catalog.pg_foreign_server as s on s.oid = t.ftserver
left join pg_catalog.pg_foreign_data_wrapper as w on w.oid = s.srvfdw
left join pg_catalog.pg_proc as h on h.oid = w.fdwhandler
left join onward as o on o.kind = 'relation' and o.oid = c.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
union all
select
    t.source,
    'type',
    y.oid::bigint,
    n.nspname::text,
    y.typname::text,
    '{}',
    o.parts
from type as t
join pg_catalog.pg_type as y on y.oid = t.oid
join pg_catalog.pg_namespace as n on n.oid = y.typnamespace
join onward as o on o.kind = 'type' and o.oid = y.oid
order by
    source,
    kind,
    schema,
    name,
    number
