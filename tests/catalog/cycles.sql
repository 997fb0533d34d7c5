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

-- a materialized view is refreshed
refresh materialized view depot.tally; refresh materialized view concurrently depot.tally

-- a materialized view is emptied and filled
refresh materialized view depot.tally with no data; refresh materialized view depot.tally

-- a materialized view with its index is dropped and made again
alter default privileges in schema depot revoke select on tables from pg_monitor
-- then
drop materialized view depot.tally; create materialized view depot.tally as select bin_id, count(*) as items from depot.item group by bin_id; create unique index tally_idx on depot.tally (bin_id)

-- indexes are built anew and figures gathered
reindex table depot.item; reindex index depot.item_name_idx; analyze depot.item; analyze depot."Bin"; analyze depot.log

-- a partitioned table is truncated and clustered
truncate depot.log, depot.reply; alter table depot.log_2025 cluster on log_2025_pkey; cluster depot.log_2025; alter table depot.log_2025 set without cluster

-- a column comes and goes with all that hangs on it
alter table depot.item add column extra text default 'x' not null constraint extra_is_long check (length(extra) > 0) unique; create index on depot.item (extra, name); comment on column depot.item.extra is 'x'; grant select (extra) on depot.item to pg_monitor; create statistics depot.extra_stats on extra, name from depot.item; alter table depot.item drop column extra cascade

-- a column is dropped and added again, the last of its table
alter table depot.tool drop column power; alter table depot.tool add column power integer

-- identity is dropped and added
alter table depot."Bin" alter column counted drop identity; alter table depot."Bin" alter column counted add generated by default as identity

-- identity is added and dropped
alter table depot."Bin" alter column id add generated always as identity; alter table depot."Bin" alter column id drop identity

-- identity is always and by default again
alter table depot."Bin" alter column counted set generated always set increment by 5; alter table depot."Bin" alter column counted set generated by default set increment by 1

-- replica identity goes there and back
alter table depot.item replica identity using index item_pkey; alter table depot.item replica identity full; alter table depot.item replica identity nothing; alter table depot.item replica identity default

-- default privileges of a role come and go
alter default privileges in schema depot grant insert, update on tables to pg_monitor; alter default privileges in schema depot revoke insert, update on tables from pg_monitor; alter default privileges grant usage on types to pg_monitor; alter default privileges revoke usage on types from pg_monitor

-- the owners of a schema and what is in it go there and back
alter schema depot owner to pg_monitor; alter function depot.twice owner to pg_monitor; alter type depot.state owner to pg_monitor; alter domain depot.code owner to pg_monitor; alter sequence depot.ticket owner to pg_monitor; alter view depot.open_item owner to pg_monitor; alter table depot.item owner to pg_database_owner; alter schema depot owner to current_user; alter function depot.twice owner to current_user; alter type depot.state owner to current_user; alter domain depot.code owner to current_user; alter sequence depot.ticket owner to current_user; alter view depot.open_item owner to current_user; alter table depot.item owner to current_user

-- objects move to another schema and back
create schema attic; alter table depot.item set schema attic; alter function depot.twice set schema attic; alter type depot.state set schema attic; alter sequence depot.ticket set schema attic; alter table attic.item set schema depot; alter function attic.twice set schema depot; alter type attic.state set schema depot; alter sequence attic.ticket set schema depot; drop schema attic

-- names of constraints, indexes, triggers, policies and labels go there and back
alter table depot."Bin" rename constraint bin_label_key to a; alter table depot."Bin" rename constraint a to bin_label_key; alter index depot.item_name_idx rename to a; alter index depot.a rename to item_name_idx; alter trigger item_touch on depot.item rename to a; alter trigger a on depot.item rename to item_touch; alter policy item_mine on depot.item rename to a; alter policy a on depot.item rename to item_mine; alter type depot.state rename value 'new' to 'a'; alter type depot.state rename value 'a' to 'new'; alter rule item_keep on depot.item rename to a; alter rule a on depot.item rename to item_keep

-- rules and triggers take turns
alter table depot.item disable rule item_keep; alter table depot.item enable rule item_keep; alter table depot.item disable trigger item_touch; alter table depot.item enable replica trigger item_touch; alter table depot.item enable trigger item_touch; alter table depot.log disable trigger all; alter table depot.log enable trigger all; alter event trigger watcher disable; alter event trigger watcher enable

-- options of all kinds are set and reset
alter table depot.item set (autovacuum_enabled = false, toast.autovacuum_enabled = false); alter table depot.item reset (autovacuum_enabled, toast.autovacuum_enabled); alter index depot.item_name_idx set (fillfactor = 50); alter index depot.item_name_idx reset (fillfactor); alter view depot.open_item set (security_barrier = true); alter view depot.open_item reset (security_barrier); alter table depot.item alter column name set (n_distinct = 5); alter table depot.item alter column name reset (n_distinct); alter server away options (add port '1'); alter server away options (drop port); alter function depot.twice set work_mem = '8MB'; alter function depot.twice reset work_mem; alter foreign table depot.remote alter column id options (add x 'y'); alter foreign table depot.remote alter column id options (drop x)

-- options are dropped and given in another order
create server afar foreign data wrapper far options (a '1', b '2'); alter table depot.item set (fillfactor = 70, autovacuum_enabled = false); create user mapping for pg_monitor server afar options (a '1', b '2')
-- then
alter server afar options (drop a); alter server afar options (add a '1'); alter table depot.item reset (fillfactor); alter table depot.item set (fillfactor = 70); alter user mapping for pg_monitor server afar options (drop a); alter user mapping for pg_monitor server afar options (add a '1')

-- a statistics target of an index and of extended statistics is set and reset
alter index depot.item_lower_idx alter column 1 set statistics 300; alter index depot.item_lower_idx alter column 1 set statistics -1; alter statistics depot.item_stats set statistics 50; alter statistics depot.item_stats set statistics -1

-- storage and compression go there and back
alter table depot.item alter column name set storage external; alter table depot.item alter column name set storage extended; alter table depot.item alter column name set compression pglz; alter table depot.item alter column name set compression default

-- a domain's parts are dropped and made again
alter domain depot.code drop constraint code_is_short; alter domain depot.code drop default; alter domain depot.code set not null; alter domain depot.code drop not null; alter domain depot.code set default 'x'; alter domain depot.code add constraint code_is_short check (length(value) < 9) not valid; alter domain depot.code validate constraint code_is_short

-- a composite type gains and loses an attribute
alter type depot.place add attribute country text; alter type depot.place rename attribute country to land; alter type depot.place drop attribute land; alter type depot.place alter attribute town type varchar(9); alter type depot.place alter attribute town type text

-- a default partition is dropped and made again
alter default privileges in schema depot revoke select on tables from pg_monitor
-- then
alter table depot.log detach partition depot.log_rest; drop table depot.log_rest; create table depot.log_rest partition of depot.log default

-- a partition with its parts is dropped and made again
alter default privileges in schema depot revoke select on tables from pg_monitor
-- then
drop table depot.reply; drop table depot.log; create table depot.log (at date primary key, line text, seen_at timestamptz, item_id integer references depot.item (id)) partition by range (at); create table depot.log_2025 partition of depot.log for values from ('2025-01-01') to ('2026-01-01'); create table depot.log_rest partition of depot.log default; create table depot.reply (at date references depot.log (at)); create trigger log_touch before update on depot.log for each row execute function depot.touch()

-- extensions' and the server's functions are granted and revoked
grant execute on function pg_catalog.pg_ls_waldir() to pg_database_owner; revoke execute on function pg_catalog.pg_ls_waldir() from pg_database_owner; grant select on pg_catalog.pg_authid to pg_monitor; revoke select on pg_catalog.pg_authid from pg_monitor; grant select (rolname) on pg_catalog.pg_authid to pg_monitor; revoke select (rolname) on pg_catalog.pg_authid from pg_monitor

-- privileges of every kind come and go
grant usage on schema depot to pg_monitor; revoke usage on schema depot from pg_monitor; grant usage on type depot.state to pg_monitor with grant option; revoke usage on type depot.state from pg_monitor; grant usage on language plpgsql to pg_monitor; revoke usage on language plpgsql from pg_monitor; grant usage on foreign server away to pg_monitor; revoke usage on foreign server away from pg_monitor; grant all on sequence depot.ticket to pg_monitor; revoke all on sequence depot.ticket from pg_monitor; revoke all on depot.item from current_user; grant all on depot.item to current_user; grant usage on type depot.item to pg_monitor; revoke usage on type depot.item from pg_monitor

-- a publication changes and changes back
alter publication news add table depot."Bin"; alter publication news drop table depot."Bin"; alter publication news set (publish = 'insert'); alter publication news set (publish = 'insert, update, delete, truncate'); alter publication news rename to x; alter publication x rename to news

-- a subscription comes and goes
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none); drop subscription papers

-- a role comes and goes with its settings and memberships
create role snapshot_test_role password 'x' in role pg_monitor; alter role snapshot_test_role set work_mem = '8MB'; grant select on depot.item to snapshot_test_role; comment on role snapshot_test_role is 'x'; alter default privileges for role snapshot_test_role revoke execute on functions from public; drop owned by snapshot_test_role; drop role snapshot_test_role

-- a role's attributes and memberships go there and back
create role snapshot_test_role in role pg_monitor
-- then
alter role snapshot_test_role createdb connection limit 3 password 'x'; alter role snapshot_test_role nocreatedb connection limit -1 password null; grant pg_monitor to snapshot_test_role with admin option; revoke admin option for pg_monitor from snapshot_test_role

-- a text search configuration changes and changes back
alter text search configuration depot.words alter mapping for email with english_stem; alter text search configuration depot.words alter mapping for email with simple; alter text search configuration depot.words drop mapping for url; alter text search configuration depot.words add mapping for url with simple

-- operators, classes, casts, conversions and access methods are dropped and made again
drop operator class depot.whole using btree; drop operator family if exists depot.whole using btree; create operator class depot.whole for type integer using btree as operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer); drop operator depot.<+> (integer, integer); create operator depot.<+> (leftarg = integer, rightarg = integer, function = int4pl); drop cast (depot.place as text); create cast (depot.place as text) with inout; drop conversion depot.upward; create conversion depot.upward for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; drop access method pile; create access method pile type index handler bthandler; drop collation depot.plain; create collation depot.plain (provider = libc, locale = 'C')

-- routines, aggregates, types and event triggers are dropped and made again
drop event trigger watcher; drop aggregate depot.total(integer); create aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0'); drop procedure depot.tidy; create procedure depot.tidy() language sql as 'delete from depot.item where false'; drop type depot.span; create type depot.span as range (subtype = integer); create event trigger watcher on ddl_command_end when tag in ('CREATE CAST') execute function depot.watch()

-- statistics, rules and sequences are dropped and made again
drop statistics depot.item_stats; create statistics depot.item_stats (dependencies) on name, weight from depot.item; drop rule item_keep on depot.item; create rule item_keep as on delete to depot.item where old.id = 0 do instead nothing; drop sequence depot.ticket; create sequence depot.ticket; select nextval('depot.ticket')

-- foreign things are dropped and made again
alter default privileges in schema depot revoke select on tables from pg_monitor
-- then
drop server away cascade; drop foreign data wrapper far; create foreign data wrapper far; create server away foreign data wrapper far options (host 'a'); create foreign table depot.remote (id integer) server away options (name 'r'); create user mapping for public server away options (token 'secret')

-- an exclusion constraint is dropped and made again
alter table depot.item drop constraint item_during_excl, add constraint item_during_excl exclude using gist (during with &&)

-- a primary key is dropped and made again
alter table depot.tool no inherit depot.item; drop table depot.tool, depot.log cascade
-- then
alter table depot.item drop constraint item_pkey cascade; alter table depot.item alter column id set not null; alter table depot.item add constraint item_pkey primary key (id); alter table depot.item add foreign key (parent_id) references depot.item (id) deferrable

-- a table is unlogged and logged
alter default privileges in schema depot revoke select on tables from pg_monitor
-- then
drop table depot.reply; alter table depot.log_2025 set unlogged; alter table depot.log_2025 set logged; create table depot.reply (at date references depot.log (at))

-- large objects come and go
select lo_create(4000000000); comment on large object 4000000000 is 'x'; grant select on large object 4000000000 to pg_monitor; select lo_unlink(4000000000)

-- an index is invalid and is built anew
update pg_index set indisvalid = false where indexrelid = 'depot.item_name_idx'::regclass; reindex index depot.item_name_idx

-- a view's columns and defaults go there and back
alter view depot.open_item rename column name to title; alter view depot.open_item rename column title to name; alter view depot.open_item alter column name set default 'x'; alter view depot.open_item alter column name drop default

-- since 15: a publication's filters go there and back
alter publication news set table depot.item (id, name) where (weight > 0); alter publication news set table depot.item; alter publication news add tables in schema public; alter publication news drop tables in schema public

-- since 15: privileges on a parameter come and go
grant set on parameter work_mem to pg_monitor; revoke set on parameter work_mem from pg_monitor

-- since 18: not null is added by name, unvalidated and validated, and dropped
alter table depot.item add constraint named not null weight not valid; alter table depot.item validate constraint named; alter table depot.item drop constraint named

-- since 18: a foreign key is not enforced and enforced again
alter table depot.item alter constraint item_bin_fkey not enforced; alter table depot.item alter constraint item_bin_fkey enforced

-- a foreign key is deferrable and is not
alter table depot.item alter constraint item_bin_fkey deferrable initially deferred; alter table depot.item alter constraint item_bin_fkey not deferrable; alter table depot.item alter constraint item_parent_id_fkey not deferrable; alter table depot.item alter constraint item_parent_id_fkey deferrable

-- a table inherits, and inherits no more
create table depot.thing (power integer check (power > 0)); alter table depot.tool add constraint thing_power_check check (power > 0); alter table depot.tool inherit depot.thing; alter table depot.tool no inherit depot.thing; alter table depot.tool drop constraint thing_power_check; drop table depot.thing

-- a trigger of a partitioned table is dropped and made again
drop trigger log_touch on depot.log; create trigger log_touch before update on depot.log for each row execute function depot.touch()

-- a table of the session alone comes
create temporary table extra (id serial primary key, bin_id integer unique); create temporary view more as select 1 as one; create function pg_temp.f() returns integer language sql return 1
