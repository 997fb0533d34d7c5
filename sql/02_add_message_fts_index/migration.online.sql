-- The indexes of migration.sql stand, and messages were read and written while they were built.
-- transaction: none

\set ON_ERROR_STOP on

set search_path = public, pg_temp;
set client_min_messages = notice;
set quote_all_identifiers = off;

-- Each step asks what stands already, so that this file can be run again after any interruption.
do $$
declare
    begun constant boolean := to_regclass('public."Message_content_fts_idx"') is not null;
    finished boolean;
    names text;
begin
    if (to_regclass('public."Customer"') is not null and to_regclass('public."Message"') is not null) is not true then
        raise exception 'Cannot add message search: 01_add_memory_entities is not applied'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run psql "$DATABASE_URL" -v ON_ERROR_STOP=1'
                    ' -f sql/01_add_memory_entities/migration.sql first.';
    end if;

    select
        count(*) filter (where i.indisvalid and f.definition = n.definition) = 2,
        string_agg(n.relation::text, ', ' order by n.relation::text)
            filter (where not begun or f.definition is distinct from n.definition)
    into finished, names
    from (
        values
            (
                to_regclass('public."Message_content_fts_idx"'),
                'CREATE INDEX "Message_content_fts_idx" ON public."Message" USING gin'
                    ' (to_tsvector(''english''::regconfig, COALESCE(content, ''''::text)))'
            ),
            (
                to_regclass('public."Message_role_idx"'),
                'CREATE INDEX "Message_role_idx" ON public."Message" USING btree (role)'
            )
    ) as n (relation, definition)
    cross join lateral (
        select pg_catalog.pg_get_indexdef(n.relation) as definition
    ) as f
    left join pg_catalog.pg_index as i
        on i.indexrelid = n.relation
    where n.relation is not null;

    if finished then
        raise exception 'Cannot add message search: 02_add_message_fts_index is already applied'
            using
                errcode = 'duplicate_table',
                hint = 'There is nothing to run;'
                    ' sql/02_add_message_fts_index/validation.sql proves that all of it stands.';
    elsif names is not null then
        raise exception 'Cannot add message search: % already exists', names
            using
                errcode = 'duplicate_table',
                hint = 'This batch did not make it as it stands. Rename or drop it,'
                    ' then run this again.';
    end if;

    if not begun then
        raise notice '✓ Pre-flight check passed: No index name is taken';
    end if;
end
$$;

-- What an interrupted build leaves is invalid, and slows writing without helping reading.
select format('drop index concurrently public.%I', c.relname)
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c
    on c.oid = i.indexrelid
where not (i.indisvalid and i.indisready and i.indislive)
    and i.indexrelid in (
        to_regclass('public."Message_content_fts_idx"'),
        to_regclass('public."Message_role_idx"')
    )
order by c.relname
\gexec

-- The index that says whether the batch stands comes first: what was begun can be taken back.
select 'create index concurrently "Message_content_fts_idx"'
    ' on public."Message" using gin (to_tsvector(''english'', coalesce(content, '''')))'
where to_regclass('public."Message_content_fts_idx"') is null
\gexec

select 'create index concurrently "Message_role_idx" on public."Message" (role)'
where to_regclass('public."Message_role_idx"') is null
\gexec

do $$
declare
    missing text;
begin
    select string_agg(e.definition, chr(10) order by e.definition)
    into missing
    from (
        values
            (
                'public."Message_content_fts_idx"',
                'CREATE INDEX "Message_content_fts_idx" ON public."Message" USING gin'
                    ' (to_tsvector(''english''::regconfig, COALESCE(content, ''''::text)))'
            ),
            (
                'public."Message_role_idx"',
                'CREATE INDEX "Message_role_idx" ON public."Message" USING btree (role)'
            )
    ) as e (name, definition)
    where not exists (
        select
        from pg_catalog.pg_index as i
        where i.indexrelid = to_regclass(e.name)
            and pg_catalog.pg_get_indexdef(i.indexrelid) = e.definition
            and i.indisvalid
    );

    if missing is not null then
        raise exception 'Cannot add message search: an index did not get its definition'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = format('Expected: %s', missing),
                hint = 'Run sql/02_add_message_fts_index/rollback.sql, then this again.';
    end if;

    raise notice '✓ Full-text index created: Message_content_fts_idx';
    raise notice '✓ Role index created: Message_role_idx';
end
$$;

reset search_path;
reset client_min_messages;
reset quote_all_identifiers;
