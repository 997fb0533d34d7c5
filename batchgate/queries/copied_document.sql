-- A document whose strings and numbers, one level down, are others than those of its original.
case jsonb_typeof({value}::jsonb)
    when 'object' then coalesce(
        (
            select jsonb_object_agg(
                each.key,
                case jsonb_typeof(each.value)
                    when 'string' then to_jsonb((each.value #>> '{{}}') || {suffix})
                    when 'number'
                        then to_jsonb((each.value #>> '{{}}')::numeric + {far}::bigint * {copy})
                    else each.value
                end
            )
            from jsonb_each({value}::jsonb) as each
        ),
        {value}::jsonb
    )
    when 'string' then to_jsonb(({value}::jsonb #>> '{{}}') || {suffix})
    else {value}::jsonb
end
