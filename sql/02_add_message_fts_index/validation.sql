-- Both indexes of batch 2 stand as defined, and a search over messages uses them.

\set ON_ERROR_STOP on

begin;

set local search_path = public, pg_temp;
set local client_min_messages = notice;
set local quote_all_identifiers = off;
set local row_security = off;

do $$
declare
    differing text;
begin
    select string_agg(
        format('expected %s; found %s', e.definition, coalesce(f.definition, 'nothing')),
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
    left join lateral (
        select pg_catalog.concat_ws(
            ' ',
            pg_catalog.pg_get_indexdef(i.indexrelid),
            case when not (i.indisvalid and i.indisready and i.indislive) then 'INVALID' end
        ) as definition
        from pg_catalog.pg_index as i
        where i.indexrelid = to_regclass(e.name)
    ) as f
        on true
    where f.definition is distinct from e.definition;

    if differing is not null then
        raise exception 'Batch 2 is not valid: indexes differ'
            using
                errcode = 'object_not_in_prerequisite_state',
                detail = differing,
                hint = 'Compare them with sql/02_add_message_fts_index/migration.sql.';
    end if;

    raise notice '✓ Full-text index created (message content)';
    raise notice '✓ Index created (message role)';
end
$$;

-- On a small table the planner would rather read all of it, which proves nothing.
set local enable_seqscan = off;
set local enable_bitmapscan = on;
set local enable_indexscan = on;

do $$
declare
    -- A word that no message of the application has.
    word constant text := 'probe' || replace(gen_random_uuid()::text, '-', '');
    conversation uuid;
    wanted uuid;
    found_ids uuid[];
    plan text;
begin
    insert into "Conversation" (channel) values ('sms') returning id into conversation;
    insert into "Message" (conversation_id, role, content)
    values (conversation, 'user', 'Can you take two Sofas away? ' || word)
    returning id into wanted;
    insert into "Message" (conversation_id, role, content)
    values
        (conversation, 'assistant', 'Yes, tomorrow. ' || word),
        (conversation, 'user', '');

    execute pg_catalog.format(
        $query$
            explain (format json)
            select m.id
            from "Message" as m
            where to_tsvector('english', coalesce(m.content, ''))
                @@ plainto_tsquery('english', %L)
        $query$,
        'sofa ' || word
    ) into plan;

    if position('"Index Name": "Message_content_fts_idx"' in plan) = 0 then
        raise exception 'Batch 2 is not valid: a search does not use "Message_content_fts_idx"'
            using detail = plan;
    end if;

    raise notice '✓ Search uses Message_content_fts_idx';

    select pg_catalog.array_agg(m.id order by m.id)
    into found_ids
    from "Message" as m
    where to_tsvector('english', coalesce(m.content, ''))
        @@ plainto_tsquery('english', 'sofa ' || word);

    if found_ids is distinct from array[wanted] then
        raise exception 'Batch 2 is not valid: a search found % messages, expected 1',
            coalesce(cardinality(found_ids), 0);
    end if;

    raise notice '✓ Search finds the message by another form of its word';

    execute $query$
        explain (format json)
        select m.id
        from "Message" as m
        where m.role = 'tool'
    $query$ into plan;

    if position('"Index Name": "Message_role_idx"' in plan) = 0 then
        raise exception 'Batch 2 is not valid: a lookup by role does not use "Message_role_idx"'
            using detail = plan;
    end if;

    raise notice '✓ Lookup by role uses Message_role_idx';
end
$$;

rollback;
