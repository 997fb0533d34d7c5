-- Draw a number from every sequence that has one left.
select pg_catalog.nextval(format('%I.%I', s.schemaname, s.sequencename)::regclass)
from pg_catalog.pg_sequences as s
where coalesce(s.last_value, s.start_value)::numeric + s.increment_by
    between s.min_value and s.max_value
