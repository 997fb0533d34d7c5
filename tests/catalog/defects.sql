-- left behind: schema attic
create schema attic

-- changed: schema depot, acl
grant usage on schema depot to public

-- changed: schema depot, owner
alter schema depot owner to pg_database_owner

-- destroyed: relation depot.log_rest
drop table depot.log_rest cascade

-- left behind: relation depot.extra
create table depot.extra ()

-- changed: relation depot."Bin", acl
grant select on depot."Bin" to public

-- changed: relation depot.item, acl
revoke select on depot.item from pg_monitor

-- changed: relation depot.item, owner
alter table depot.item owner to pg_database_owner

-- changed: relation depot.log_2025, persistence
drop table depot.reply; alter table depot.log_2025 set unlogged

-- changed: relation depot."Bin", options
alter table depot."Bin" set (fillfactor = 70)

-- changed: relation depot."Bin", toast options
alter table depot."Bin" set (toast.autovacuum_enabled = false)

-- changed: relation depot."Bin", row security
alter table depot."Bin" enable row level security

-- changed: relation depot."Bin", forced row security
alter table depot."Bin" force row level security

-- changed: relation depot."Bin", replica identity
alter table depot."Bin" replica identity full

-- changed: relation depot.tally, populated
refresh materialized view depot.tally with no data

-- changed: relation depot.open_item, options
alter view depot.open_item set (security_barrier = true)

-- changed: relation depot.item, of type
create type depot.row_of_log as (at date, line text); drop table depot.tool; drop view depot.open_item; drop materialized view depot.tally; drop table depot.item cascade; create type depot.small as (id integer); create table depot.item of depot.small

-- left behind: column depot."Bin".extra
alter table depot."Bin" add column extra integer

-- destroyed: column depot."Bin".note
alter table depot."Bin" drop column note

-- changed: column depot."Bin".note, type
alter table depot."Bin" alter column note type varchar(41)

-- changed: column depot."Bin".size, type
alter table depot."Bin" drop column area; alter table depot."Bin" alter column size type numeric(8, 3)

-- changed: column depot."Bin".size, not null: false → true
alter table depot."Bin" alter column size set not null

-- changed: column depot."Bin".made_at, not null: true → false
alter table depot."Bin" alter column made_at drop not null

-- changed: column depot."Bin".note, default
alter table depot."Bin" alter column note drop default

-- changed: column depot."Bin".note, default
alter table depot."Bin" alter column note set default 'some'

-- changed: column depot."Bin".counted, identity
alter table depot."Bin" alter column counted set generated always

-- changed: column depot."Bin".counted, identity
alter table depot."Bin" alter column counted drop identity

-- changed: column depot."Bin".area, generated
alter table depot."Bin" alter column area drop expression

-- changed: column depot.item.name, collation
drop view depot.open_item; alter table depot.item alter column name type text collate "C"

-- changed: column depot.item.name, storage
alter table depot.item alter column name set storage external

-- changed: column depot.item.name, compression
alter table depot.item alter column name set compression pglz

-- changed: column depot.item.name, statistics target
alter table depot.item alter column name set statistics 500

-- changed: column depot.item.name, options
alter table depot.item alter column name set (n_distinct = 5)

-- changed: column depot.item.name, acl
grant update (name) on depot.item to pg_monitor

-- changed: column depot.tool.name, inherited from
alter table depot.tool no inherit depot.item

-- changed: column depot.remote.id, foreign options
alter foreign table depot.remote alter column id options (key 'true')

-- changed: column depot.open_item.name, default
alter view depot.open_item alter column name set default 'x'

-- destroyed: constraint bin_size_is_positive on depot."Bin"
alter table depot."Bin" drop constraint bin_size_is_positive

-- changed: constraint bin_size_is_positive on depot."Bin", definition
alter table depot."Bin" drop constraint bin_size_is_positive, add constraint bin_size_is_positive check (size > 1)

-- changed: constraint bin_size_is_positive on depot."Bin", validated: true → false
alter table depot."Bin" drop constraint bin_size_is_positive, add constraint bin_size_is_positive check (size > 0) not valid

-- changed: constraint bin_size_is_positive on depot."Bin", no inherit
alter table depot."Bin" drop constraint bin_size_is_positive, add constraint bin_size_is_positive check (size > 0) no inherit

-- changed: constraint item_bin_fkey on depot.item, definition: FOREIGN KEY (bin_id) REFERENCES depot."Bin"(id) ON DELETE SET NULL → FOREIGN KEY (bin_id) REFERENCES depot."Bin"(id) ON DELETE RESTRICT
alter table depot.item drop constraint item_bin_fkey, add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" on delete restrict

-- changed: constraint item_bin_fkey on depot.item, deferrable
alter table depot.item alter constraint item_bin_fkey deferrable

-- changed: constraint item_parent_id_fkey on depot.item, deferred
alter table depot.item alter constraint item_parent_id_fkey initially deferred

-- left behind: constraint item_bin_again on depot.item
alter table depot.item add constraint item_bin_again foreign key (bin_id) references depot."Bin"

-- left behind: constraint other_key on depot."Bin"
alter table depot."Bin" rename constraint bin_label_key to other_key

-- changed: constraint item_bin_fkey on depot.item, index
create unique index twin on depot."Bin" (id); alter table depot.item drop constraint item_bin_fkey; alter table depot."Bin" drop constraint "Bin_pkey"; alter table depot.item add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" (id) on delete set null

-- destroyed: constraint code_is_short on depot.code
alter domain depot.code drop constraint code_is_short

-- changed: constraint item_during_excl on depot.item, definition
alter table depot.item drop constraint item_during_excl, add constraint item_during_excl exclude using gist (during with -|-)

-- left behind: index depot.item_data_idx
create index item_data_idx on depot.item using gin (data)

-- destroyed: index depot.item_name_idx
drop index depot.item_name_idx

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (name, weight desc)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (name) include (weight)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (name text_pattern_ops, weight)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (name collate "C", weight)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (name nulls first, weight)

-- changed: index depot.item_name_idx, unique
drop index depot.item_name_idx; create unique index item_name_idx on depot.item (name, weight)

-- changed: index depot.item_open_idx, definition
drop index depot.item_open_idx; create unique index item_open_idx on depot.item (bin_id)

-- changed: index depot.item_open_idx, definition
drop index depot.item_open_idx; create unique index item_open_idx on depot.item (bin_id) where closed_at is not null

-- changed: index depot.item_lower_idx, definition
drop index depot.item_lower_idx; create index item_lower_idx on depot.item (upper(name))

-- changed: index depot.item_name_idx, options
alter index depot.item_name_idx set (fillfactor = 50)

-- changed: index depot.item_name_idx, clustered
alter table depot.item cluster on item_name_idx

-- changed: index depot.item_pkey, replica identity
alter table depot.item replica identity using index item_pkey

-- changed: index depot.item_lower_idx, statistics targets
alter index depot.item_lower_idx alter column 1 set statistics 300

-- changed: index depot.item_name_idx, valid: true → false
update pg_index set indisvalid = false where indexrelid = 'depot.item_name_idx'::regclass

-- changed: index depot.bin_label_key, immediate
alter table depot."Bin" drop constraint bin_label_key, add constraint bin_label_key unique ("Label") deferrable

-- changed: index depot.item_name_idx, table
drop index depot.item_name_idx; create index item_name_idx on depot."Bin" (note)

-- changed: view depot.open_item, definition
create or replace view depot.open_item as select id, name from depot.item

-- changed: view depot.open_item, columns
alter view depot.open_item rename column name to title

-- left behind: routine depot.touch(integer)
create function depot.touch(integer) returns integer language sql return 1

-- changed: routine depot.touch(), body
create or replace function depot.touch() returns trigger language plpgsql as 'begin new.weight := 2; return new; end'

-- changed: routine depot.twice(integer), sql body
create or replace function depot.twice(value integer default 2) returns integer language sql immutable return value * 3

-- changed: routine depot.twice(integer), arguments
create or replace function depot.twice(value integer default 3) returns integer language sql immutable return value * 2

-- changed: routine depot.twice(integer), volatility
alter function depot.twice stable

-- changed: routine depot.twice(integer), strict
alter function depot.twice strict

-- changed: routine depot.twice(integer), security definer
alter function depot.twice security definer

-- changed: routine depot.twice(integer), leakproof
alter function depot.twice leakproof

-- changed: routine depot.twice(integer), parallel
alter function depot.twice parallel safe

-- changed: routine depot.twice(integer), cost
alter function depot.twice cost 7

-- changed: routine depot.twice(integer), settings
alter function depot.twice set work_mem = '8MB'

-- changed: routine depot.twice(integer), acl
revoke execute on function depot.twice from public

-- changed: routine depot.tidy(), owner
alter procedure depot.tidy owner to pg_monitor

-- changed: aggregate depot.total(integer), initial
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '1')

-- destroyed: trigger item_touch on depot.item
drop trigger item_touch on depot.item

-- changed: trigger item_touch on depot.item, enabled: O → D
alter table depot.item disable trigger item_touch

-- changed: trigger item_touch on depot.item, enabled: O → A
alter table depot.item enable always trigger item_touch

-- changed: trigger item_touch on depot.item, definition
create or replace trigger item_touch after update on depot.item for each row execute function depot.touch()

-- changed: trigger "RI_FKey_check_ins" on depot.item for item_bin_fkey on depot.item, enabled: O → D
alter table depot.item disable trigger all

-- left behind: trigger "RI_FKey_restrict_del" on depot."Bin" for item_bin_fkey on depot.item
alter table depot.item drop constraint item_bin_fkey, add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" on delete restrict

-- changed: rule item_keep on depot.item, definition
create or replace rule item_keep as on delete to depot.item where old.id = 1 do instead nothing

-- changed: rule item_keep on depot.item, enabled
alter table depot.item disable rule item_keep

-- changed: event trigger watcher, enabled
alter event trigger watcher disable

-- changed: policy item_mine on depot.item, using
alter policy item_mine on depot.item using (weight > 1)

-- changed: policy item_mine on depot.item, roles
alter policy item_mine on depot.item to pg_monitor

-- changed: policy item_mine on depot.item, permissive
drop policy item_mine on depot.item; create policy item_mine on depot.item as restrictive for select using (weight > 0)

-- changed: policy item_mine on depot.item, command
drop policy item_mine on depot.item; create policy item_mine on depot.item using (weight > 0)

-- left behind: policy item_new on depot.item
create policy item_new on depot.item for insert with check (true)

-- changed: type depot.state, labels
alter type depot.state rename value 'done' to 'over'

-- changed: type depot.state, owner
alter type depot.state owner to pg_monitor

-- changed: type depot.code, default
alter domain depot.code set default 'y'

-- changed: type depot.code, not null
alter domain depot.code set not null

-- changed: type depot.span, acl
revoke usage on type depot.span from public

-- left behind: type depot.mood
create type depot.mood as enum ()

-- left behind: column depot.place.country
alter type depot.place add attribute country text

-- changed: sequence depot.ticket, increment
alter sequence depot.ticket increment 2

-- changed: sequence depot.ticket, cycle
alter sequence depot.ticket cycle

-- changed: sequence depot.ticket, cache
alter sequence depot.ticket cache 9

-- changed: sequence depot.ticket, type
alter sequence depot.ticket as integer

-- changed: sequence depot.ticket, owned by
alter sequence depot.ticket owned by depot.item.weight

-- destroyed: inheritance depot.log_2025
alter table depot.log detach partition depot.log_2025

-- changed: inheritance depot.log_2025, bound
alter table depot.log detach partition depot.log_2025; alter table depot.log attach partition depot.log_2025 for values from ('2025-01-01') to ('2025-07-01')

-- destroyed: inheritance depot.tool
alter table depot.tool no inherit depot.item

-- left behind: extension member function pg_catalog.plpgsql_call_handler()
revoke execute on function pg_catalog.plpgsql_call_handler() from public; grant execute on function pg_catalog.plpgsql_call_handler() to pg_monitor

-- destroyed: routine depot.twice(integer)
alter extension plpgsql add function depot.twice

-- changed: extension plpgsql, schema
update pg_extension set extnamespace = 'depot'::regnamespace where extname = 'plpgsql'

-- changed: statistics depot.item_stats, target
alter statistics depot.item_stats set statistics 50

-- changed: statistics depot.item_stats, definition
drop statistics depot.item_stats; create statistics depot.item_stats (ndistinct) on name, weight from depot.item

-- left behind: default privileges of postgres for kind f
alter default privileges revoke execute on functions from public

-- destroyed: default privileges of postgres for kind r in depot
alter default privileges in schema depot revoke select on tables from pg_monitor

-- destroyed: comment table depot.item
comment on table depot.item is null

-- changed: comment table column depot.item.name, text
comment on column depot.item.name is 'as spoken'

-- left behind: comment index depot.item_name_idx
comment on index depot.item_name_idx is 'by name'

-- left behind: comment trigger item_touch on depot.item
comment on trigger item_touch on depot.item is 'weighs'

-- left behind: comment this database
do $$ begin execute format('comment on database %I is ''ours''', current_database()); end $$

-- changed: comment schema public, text
comment on schema public is 'ours'

-- changed: database this database, acl
do $$ begin execute format('grant create on database %I to pg_monitor', current_database()); end $$

-- changed: database this database, connection limit
do $$ begin execute format('alter database %I connection limit 5', current_database()); end $$

-- left behind: setting work_mem for all roles in this database
do $$ begin execute format('alter database %I set work_mem = ''8MB''', current_database()); end $$

-- left behind: role snapshot_test_role
create role snapshot_test_role

-- left behind: role membership snapshot_test_role in pg_monitor by postgres
create role snapshot_test_role in role pg_monitor

-- changed: publication news, tables
alter publication news add table depot."Bin"

-- changed: publication news, delete
alter publication news set (publish = 'insert')

-- left behind: subscription papers
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)

-- changed: foreign server away, options
alter server away options (set host 'b')

-- changed: foreign table depot.remote, options
alter foreign table depot.remote options (set name 's')

-- changed: user mapping public on away, options hash
alter user mapping for public server away options (set token 'other')

-- changed: foreign data wrapper far, acl
grant usage on foreign data wrapper far to pg_monitor

-- changed: text search configuration depot.words, mappings
alter text search configuration depot.words drop mapping for email

-- changed: text search dictionary depot.plain, options
alter text search dictionary depot.plain (accept = false)

-- destroyed: collation depot.plain for UTF8
drop collation depot.plain

-- destroyed: operator depot.<+>(integer,integer)
drop operator depot.<+> (integer, integer)

-- changed: operator family depot.whole using btree, operators
alter operator family depot.whole using btree add operator 2 <= (integer, integer)

-- destroyed: operator class depot.whole using btree
drop operator class depot.whole using btree

-- changed: cast depot.place as text, context
drop cast (depot.place as text); create cast (depot.place as text) with inout as assignment

-- destroyed: conversion depot.upward
drop conversion depot.upward

-- changed: language plpgsql, acl
revoke usage on language plpgsql from public

-- destroyed: access method pile
drop access method pile

-- since 15: changed: index depot.item_open_idx, definition
drop index depot.item_open_idx; create unique index item_open_idx on depot.item (bin_id) nulls not distinct where closed_at is null

-- since 15: changed: relation depot.open_item, options
alter view depot.open_item set (security_invoker = true)

-- since 15: changed: publication table depot.item in news, filter
alter publication news set table depot.item where (weight > 0)

-- since 15: changed: publication table depot.item in news, columns
alter publication news set table depot.item (id)

-- since 15: left behind: publication schema depot in news
alter publication news set tables in schema depot

-- since 15: left behind: parameter work_mem
grant set on parameter work_mem to pg_monitor

-- since 18: left behind: constraint label_given on depot."Bin"
alter table depot."Bin" rename constraint "Bin_Label_not_null" to label_given

-- since 18: changed: constraint item_bin_fkey on depot.item, enforced: true → false
alter table depot.item alter constraint item_bin_fkey not enforced

-- since 18: left behind: constraint bin_note_not_null on depot."Bin"
alter table depot."Bin" add constraint bin_note_not_null not null note not valid

-- since 18: changed: column depot."Bin".area, generated: s → v
alter table depot."Bin" drop column area, add column area numeric generated always as (size * 2) virtual

-- changed: constraint bin_label_key on depot."Bin", type: u → c
alter table depot."Bin" drop constraint bin_label_key, add constraint bin_label_key check ("Label" <> '')

-- changed: index depot.item_name_idx, ready: true → false
update pg_index set indisready = false where indexrelid = 'depot.item_name_idx'::regclass

-- changed: index depot.item_name_idx, live: true → false
update pg_index set indislive = false where indexrelid = 'depot.item_name_idx'::regclass

-- changed: index depot."Bin_pkey", primary: true → false
alter table depot.item drop constraint item_bin_fkey; alter table depot."Bin" drop constraint "Bin_pkey", add constraint "Bin_pkey" unique (id)

-- changed: relation depot.tally, kind: materialized view → table
drop materialized view depot.tally; create table depot.tally (bin_id integer)

-- changed: inheritance depot.log, key: RANGE (at) → LIST (at)
drop table depot.reply, depot.log; create table depot.log (at date primary key) partition by list (at)

-- changed: inheritance depot.tool, parents
create table depot.thing (power integer); alter table depot.tool inherit depot.thing

-- changed: default privileges of postgres for kind r in depot, acl
alter default privileges in schema depot grant insert on tables to pg_monitor

-- changed: event trigger watcher, tags
drop event trigger watcher; create event trigger watcher on ddl_command_end when tag in ('CREATE VIEW', 'CREATE RULE') execute function depot.watch()

-- changed: policy item_new on depot.tool, check
alter policy item_new on depot.tool with check (weight > 1)

-- changed: routine depot.tidy(), kind
drop procedure depot.tidy; create function depot.tidy() returns void language sql as 'delete from depot.item where false'

-- changed: routine depot.touch(), language
create or replace function depot.touch() returns trigger language internal as 'suppress_redundant_updates_trigger'

-- changed: routine depot.twice(integer), result
drop function depot.twice; create function depot.twice(value integer default 2) returns bigint language sql immutable return value * 2

-- changed: sequence depot.ticket, minimum
alter sequence depot.ticket minvalue -5

-- changed: sequence depot.ticket, start
alter sequence depot.ticket start 5

-- changed: trigger item_touch on depot.item, function
create function depot.other() returns trigger language plpgsql as 'begin return new; end'; create or replace trigger item_touch before update on depot.item for each row execute function depot.other()

-- changed: type depot.code, base
alter table depot."Bin" drop column code; drop domain depot.code; create domain depot.code as varchar(8)

-- changed: type depot.span, subtype
drop type depot.span; create type depot.span as range (subtype = bigint)

-- changed: type depot.span, kind
drop type depot.span; create type depot.span as enum ()

-- changed: collation depot.plain for UTF8, collate
drop collation depot.plain; create collation depot.plain (provider = libc, locale = 'POSIX')

-- changed: foreign server away, acl
grant usage on foreign server away to public

-- changed: operator depot.<+>(integer,integer), function
drop operator depot.<+> (integer, integer); create operator depot.<+> (leftarg = integer, rightarg = integer, function = int4mi)

-- changed: publication news, via root
alter publication news set (publish_via_partition_root = true)

-- changed: aggregate depot.total(integer), transition
create or replace aggregate depot.total(integer) (sfunc = int4mi, stype = integer, initcond = '0')

-- changed: database this database, owner
do $$ begin execute format('alter database %I owner to pg_monitor', current_database()); end $$

-- left behind: comment role pg_database_owner
comment on role pg_database_owner is 'owns'
