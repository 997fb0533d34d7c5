-- Messages can be searched by their words and by their role without reading the whole table.
-- requires: 01_add_memory_entities
-- present: (select count(*) = 2 from pg_catalog.pg_index where indexrelid in (to_regclass('public."Message_content_fts_idx"'), to_regclass('public."Message_role_idx"')) and indisvalid)

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;

-- Of two runs at once, the second waits here and then finds the batch applied.
do $$
begin
    if to_regclass('public."Message"') is not null and (to_regclass('public."Message_content_fts_idx"') is not null) is not true then
        lock table "Message" in share row exclusive mode;
    end if;
end
$$;

do $$
declare
    exact boolean;
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
        bool_and(pg_catalog.pg_get_indexdef(n.relation) is not distinct from n.definition),
        count(*) filter (where i.indisvalid) = 2,
        string_agg(n.relation::text, ', ' order by n.relation::text)
    into exact, finished, names
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
    left join pg_catalog.pg_index as i
        on i.indexrelid = n.relation
    where n.relation is not null;

    if to_regclass('public."Message_content_fts_idx"') is not null and exact and finished then
        raise exception 'Cannot add message search: 02_add_message_fts_index is already applied'
            using
                errcode = 'duplicate_table',
                hint = 'There is nothing to run;'
                    ' sql/02_add_message_fts_index/validation.sql proves that all of it stands.';
    elsif to_regclass('public."Message_content_fts_idx"') is not null and exact then
        raise exception 'Cannot add message search: migration.online.sql was begun, not finished'
            using
                errcode = 'object_not_in_prerequisite_state',
                hint = 'Run sql/02_add_message_fts_index/migration.online.sql again to finish it,'
                    ' or rollback.sql beside it to take it back.';
    elsif names is not null then
        raise exception 'Cannot add message search: % already exists', names
            using
                errcode = 'duplicate_table',
                hint = 'This batch did not make it as it stands. Rename or drop it,'
                    ' then run this again.';
    end if;

    raise notice '✓ Pre-flight check passed: No index name is taken';
end
$$;

create index "Message_content_fts_idx"
    on "Message" using gin (to_tsvector('english', coalesce(content, '')));

create index "Message_role_idx" on "Message" (role);

do $$
begin
    raise notice '✓ Full-text index created: Message_content_fts_idx';
    raise notice '✓ Role index created: Message_role_idx';
end
$$;

commit;
