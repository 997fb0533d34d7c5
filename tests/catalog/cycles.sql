-- a privilege is granted and revoked
grant select on depot."Bin" to public; revoke select on depot."Bin" from public

-- a privilege on a function is revoked and granted
revoke execute on function depot.twice from public; grant execute on function depot.twice to public

-- a privilege on a column is granted and revoked
grant update (name) on depot.item to public; revoke update (name) on depot.item from public

-- privileges are granted again in another order
grant select on depot.item to public; revoke select on depot.item from pg_monitor; grant select on depot.item to pg_monitor; revoke select on depot.item from public

-- default privileges are changed and changed back
alter default privileges revoke execute on functions from public; alter default privileges grant execute on functions to public

-- an extension's function is granted and revoked
grant execute on function pg_catalog.plpgsql_call_handler() to pg_monitor; revoke execute on function pg_catalog.plpgsql_call_handler() from pg_monitor

-- a table comes and goes
create table depot.extra (id serial primary key, bin_id integer references depot."Bin"); drop table depot.extra

-- an index is dropped and made again
drop index depot.item_name_idx; create index item_name_idx on depot.item using btree (name, weight)

-- a partial index is dropped and made again
drop index depot.item_open_idx; create unique index item_open_idx on depot.item (bin_id) where (closed_at is null)

-- a unique constraint is dropped and made again
alter table depot."Bin" drop constraint bin_label_key; alter table depot."Bin" add constraint bin_label_key unique ("Label")

-- a check is dropped, made again and validated
alter table depot."Bin" drop constraint bin_size_is_positive; alter table depot."Bin" add constraint bin_size_is_positive check (size > 0) not valid; alter table depot."Bin" validate constraint bin_size_is_positive

-- a foreign key is dropped and made again
alter table depot.item drop constraint item_bin_fkey; alter table depot.item add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" on delete set null

-- not null is set and dropped
alter table depot."Bin" alter column size set not null; alter table depot."Bin" alter column size drop not null

-- not null is dropped and set
alter table depot."Bin" alter column made_at drop not null; alter table depot."Bin" alter column made_at set not null

-- a default is dropped and set
alter table depot."Bin" alter column note drop default; alter table depot."Bin" alter column note set default 'none'

-- a column is widened and narrowed
alter table depot.tool alter column power type bigint; alter table depot.tool alter column power type integer

-- a column with options is widened and narrowed
alter table depot.tool alter column power type bigint, alter column power set (n_distinct = 3); alter table depot.tool alter column power type integer, alter column power reset (n_distinct)

-- a table is renamed there and back
alter table depot."Bin" rename to "Crate"; alter table depot."Crate" rename to "Bin"

-- a column is renamed there and back
alter table depot.item rename column name to title; alter table depot.item rename column title to name

-- a schema is renamed there and back
alter schema depot rename to store; alter schema store rename to depot

-- a view is dropped and made again
drop view depot.open_item; create view depot.open_item as select id, name from depot.item where closed_at is null; revoke select on depot.open_item from pg_monitor

-- a function is dropped and made again
drop function depot.twice; create function depot.twice(value integer default 2) returns integer language sql immutable return value * 2

-- a trigger is dropped and made again
drop trigger item_touch on depot.item; create trigger item_touch before update on depot.item for each row execute function depot.touch()

-- triggers are disabled and enabled
alter table depot.item disable trigger all; alter table depot.item enable trigger all

-- a comment is changed and changed back
comment on table depot.item is 'other'; comment on table depot.item is 'what lies in bins'

-- a comment comes and goes
comment on table depot."Bin" is 'x'; comment on table depot."Bin" is null

-- row security is enabled and disabled
alter table depot."Bin" enable row level security; alter table depot."Bin" disable row level security

-- a policy is dropped and made again
drop policy item_mine on depot.item; create policy item_mine on depot.item for select using (weight > 0)

-- a partition is detached and attached
alter table depot.log detach partition depot.log_2025; alter table depot.log attach partition depot.log_2025 for values from ('2025-01-01') to ('2026-01-01')

-- an owner is changed and changed back
alter table depot."Bin" owner to pg_monitor; alter table depot."Bin" owner to current_user

-- options are set and reset
alter table depot."Bin" set (fillfactor = 70); alter table depot."Bin" reset (fillfactor)

-- a statistics target is set and reset
alter table depot.item alter column name set statistics 50; alter table depot.item alter column name set statistics -1

-- a setting of the database is set and reset
do $$ begin execute format('alter database %I set work_mem = ''8MB''', current_database()); end $$; do $$ begin execute format('alter database %I reset work_mem', current_database()); end $$

-- rows come and go
insert into depot."Bin" (id, "Label") values (1, 'a'); analyze depot."Bin"; delete from depot."Bin"

-- a table is rewritten
truncate depot.item cascade; cluster depot.item using item_name_idx; alter table depot.item set without cluster
