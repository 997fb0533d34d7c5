-- No row is lost; a search over messages reads the whole table again.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;

do $$
declare
    differing text;
begin
    if (to_regclass('public."Message_content_fts_idx"') is not null) is not true then
        raise exception 'Cannot roll back 02_add_message_fts_index: it is not applied'
            using
                errcode = 'undefined_object',
                hint = 'There is nothing to roll back.';
    end if;

    select string_agg(
        format(
            '%s: %s',
            e.name,
            coalesce(pg_catalog.pg_get_indexdef(to_regclass(e.name)), 'no index')
        ),
        chr(10)
        order by e.name
    )
    into differing
    from (
        values
            (
                '"Message_content_fts_idx"',
                'CREATE INDEX "Message_content_fts_idx" ON public."Message" USING gin'
                    ' (to_tsvector(''english''::regconfig, COALESCE(content, ''''::text)))'
            ),
            (
                '"Message_role_idx"',
                'CREATE INDEX "Message_role_idx" ON public."Message" USING btree (role)'
            )
    ) as e (name, definition)
    -- The other one is missing where migration.online.sql was interrupted.
    where to_regclass(e.name) is not null
        and pg_catalog.pg_get_indexdef(to_regclass(e.name)) is distinct from e.definition;

    if differing is not null then
        raise exception 'Cannot roll back 02_add_message_fts_index: what stands is not what it made'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Make the index again as the batch''s migration.sql does, or take away by'
                    ' hand what is left.';
    end if;
end
$$;

-- After an interrupted online run this one was never made.
set local client_min_messages = warning;

drop index if exists "Message_role_idx";

set local client_min_messages = notice;

drop index "Message_content_fts_idx";

do $$
begin
    raise notice '✓ Indexes dropped: Message_content_fts_idx, Message_role_idx';
end
$$;

commit;
