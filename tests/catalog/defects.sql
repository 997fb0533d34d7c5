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

-- left behind: privileges on function pg_catalog.plpgsql_call_handler()
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

-- changed: access method pile, handler
drop access method pile; create access method pile type index handler hashhandler

-- changed: access method pile, kind
drop access method pile; create access method pile type table handler heap_tableam_handler

-- changed: aggregate depot.total(integer), final
-- changed: aggregate depot.total(integer), final modify
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', finalfunc = int4abs, finalfunc_modify = shareable)

-- changed: aggregate depot.total(integer), final extra
create function depot.last(integer, integer) returns integer language sql return 1; create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', finalfunc = depot.last, finalfunc_extra)

-- changed: aggregate depot.total(integer), combine
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', combinefunc = int4pl)

-- changed: aggregate depot.total(integer), serialize
-- changed: aggregate depot.total(integer), deserialize
-- changed: aggregate depot.total(integer), state type
drop aggregate depot.total(integer); create aggregate depot.total(integer) (sfunc = int4_accum, stype = internal, finalfunc = numeric_poly_avg, combinefunc = numeric_poly_combine, serialfunc = numeric_poly_serialize, deserialfunc = numeric_poly_deserialize)

-- changed: aggregate depot.total(integer), state space
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', sspace = 100)

-- changed: aggregate depot.total(integer), moving transition
-- changed: aggregate depot.total(integer), moving inverse
-- changed: aggregate depot.total(integer), moving state type
-- changed: aggregate depot.total(integer), moving state space
-- changed: aggregate depot.total(integer), moving initial
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', msfunc = int4pl, minvfunc = int4mi, mstype = integer, minitcond = '0', msspace = 9)

-- changed: aggregate depot.total(integer), moving final
-- changed: aggregate depot.total(integer), moving final extra
-- changed: aggregate depot.total(integer), moving final modify
create function depot.last(integer, integer) returns integer language sql return 1; create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', msfunc = int4pl, minvfunc = int4mi, mstype = integer, mfinalfunc = depot.last, mfinalfunc_extra, mfinalfunc_modify = read_write)

-- changed: aggregate depot.total(integer), kind
drop aggregate depot.total(integer); create aggregate depot.total(order by integer) (sfunc = int4pl, stype = integer, initcond = '0')

-- changed: aggregate depot.mixed(integer,integer), direct arguments
create function depot.add(integer, integer, integer) returns integer language sql return 1; create aggregate depot.mixed(order by integer, integer) (sfunc = depot.add, stype = integer)
-- then
drop aggregate depot.mixed(order by integer, integer); create aggregate depot.mixed(integer order by integer) (sfunc = int4pl, stype = integer)

-- changed: aggregate depot.total(integer), sort operator
create or replace aggregate depot.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', sortop = operator(pg_catalog.>))

-- left behind: aggregate depot.total(bigint)
create aggregate depot.total(bigint) (sfunc = int8pl, stype = bigint)

-- changed: cast depot.place as text, function
-- changed: cast depot.place as text, method
create function depot.as_text(depot.place) returns text language sql return 'x'; drop cast (depot.place as text); create cast (depot.place as text) with function depot.as_text(depot.place)

-- left behind: cast text as depot.place
create cast (text as depot.place) with inout

-- changed: collation depot.plain for UTF8, owner
alter collation depot.plain owner to pg_monitor

-- changed: collation depot.plain for UTF8, character type
drop collation depot.plain; create collation depot.plain (lc_collate = 'C', lc_ctype = 'POSIX')

-- changed: collation depot.plain for UTF8, provider
-- changed: collation depot.plain for UTF8, deterministic
-- changed: collation depot.plain for UTF8, version
update pg_collation set collprovider = 'i', collisdeterministic = false, collversion = '1' where collnamespace = 'depot'::regnamespace

-- since 15: until 16: changed: collation depot.plain for UTF8, locale
update pg_collation set colliculocale = 'de' where collnamespace = 'depot'::regnamespace

-- since 17: changed: collation depot.plain for UTF8, locale
update pg_collation set colllocale = 'de' where collnamespace = 'depot'::regnamespace

-- since 16: changed: collation depot.plain for UTF8, rules
update pg_collation set collicurules = '&a < g' where collnamespace = 'depot'::regnamespace

-- since 17: changed: collation depot.plain for UTF8, provider
drop collation depot.plain; create collation depot.plain (provider = builtin, locale = 'C.UTF-8')

-- changed: column depot.tool.name, local
alter table depot.tool no inherit depot.item

-- changed: column depot.item.name, acl
grant update (name) on depot.item to pg_monitor
-- then
revoke update (name) on depot.item from pg_monitor; grant update (name) on depot.item to pg_monitor with grant option

-- left behind: column depot.item.xmin
grant select (xmin) on depot.item to pg_monitor

-- changed: column depot.item.name, options
alter table depot.item alter column name set (n_distinct_inherited = 5)

-- changed: column depot.place.town, type: text → character varying(9)
alter type depot.place alter attribute town type varchar(9)

-- changed: column depot.place.town, collation
alter type depot.place alter attribute town type text collate "C"

-- destroyed: column depot.place.town
alter type depot.place drop attribute town

-- changed: column depot.tally.items, statistics target
alter materialized view depot.tally alter column items set statistics 7

-- changed: column depot."Bin".made_at, type: timestamp with time zone → timestamp(3) with time zone
alter table depot."Bin" alter column made_at type timestamptz(3)

-- changed: column depot."Bin".area, default: (size * (2)::numeric) → (size * (3)::numeric)
alter table depot."Bin" drop column area, add column area numeric generated always as (size * 3) stored

-- changed: column depot.log_2025.line, default
alter table depot.log_2025 alter column line set default 'x'

-- changed: column depot.log.line, not null: false → true
alter table depot.log alter column line set not null

-- changed: column depot.item.weight, identity
alter table depot.tool no inherit depot.item; update depot.item set weight = 1; alter table depot.item alter column weight set not null, alter column weight add generated always as identity

-- changed: constraint heavy on depot.tool, local
-- changed: constraint heavy on depot.tool, inherited from
alter table depot.item add constraint heavy check (weight > 0)
-- then
alter table depot.tool no inherit depot.item

-- changed: constraint log_2025_pkey on depot.log_2025, parent
-- changed: index depot.log_2025_pkey, parent
-- destroyed: trigger log_touch on depot.log_2025
alter table depot.log detach partition depot.log_2025

-- since 18: changed: constraint booked_key on depot.booked, period
create table depot.booked (room int4range, during daterange, constraint booked_key unique (room, during))
-- then
alter table depot.booked drop constraint booked_key, add constraint booked_key unique (room, during without overlaps)

-- changed: constraint item_bin_fkey on depot.item, definition
alter table depot.item drop constraint item_bin_fkey, add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" on delete set null on update cascade

-- changed: constraint item_bin_fkey on depot.item, definition
alter table depot.item drop constraint item_bin_fkey, add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" match full on delete set null

-- changed: constraint item_bin_fkey on depot.item, validated
alter table depot.item drop constraint item_bin_fkey, add constraint item_bin_fkey foreign key (bin_id) references depot."Bin" on delete set null not valid

-- since 15: changed: constraint bin_label_key on depot."Bin", definition
alter table depot."Bin" drop constraint bin_label_key, add constraint bin_label_key unique nulls not distinct ("Label")

-- changed: constraint bin_label_key on depot."Bin", definition
alter table depot."Bin" drop constraint bin_label_key, add constraint bin_label_key unique ("Label") include (note)

-- changed: constraint item_during_excl on depot.item, definition
alter table depot.item drop constraint item_during_excl, add constraint item_during_excl exclude using gist (during with &&) where (weight > 0)

-- changed: constraint code_is_short on depot.code, definition
alter domain depot.code drop constraint code_is_short; alter domain depot.code add constraint code_is_short check (length(value) < 8)

-- changed: constraint code_is_short on depot.code, validated
alter domain depot.code drop constraint code_is_short; alter domain depot.code add constraint code_is_short check (length(value) < 9) not valid

-- since 17: left behind: constraint code_not_null on depot.code
alter domain depot.code set not null

-- since 18: changed: constraint "Bin_Label_not_null" on depot."Bin", no inherit
alter table depot."Bin" alter constraint "Bin_Label_not_null" no inherit

-- since 18: changed: constraint bin_size_is_positive on depot."Bin", enforced
alter table depot."Bin" drop constraint bin_size_is_positive, add constraint bin_size_is_positive check (size > 0) not enforced

-- changed: conversion depot.upward, owner
alter conversion depot.upward owner to pg_monitor

-- changed: conversion depot.upward, default
drop conversion depot.upward; create default conversion depot.upward for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8

-- changed: conversion depot.upward, from
-- changed: conversion depot.upward, to
-- changed: conversion depot.upward, function
drop conversion depot.upward; create conversion depot.upward for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1

-- changed: database this database, allows connections
-- changed: database this database, template
-- changed: database this database, encoding
-- changed: database this database, collation
-- changed: database this database, character type
-- changed: database this database, tablespace
update pg_database set datallowconn = false, datistemplate = true, encoding = 0, datcollate = 'x', datctype = 'x', dattablespace = 1664 where datname = current_database()

-- since 15: changed: database this database, locale provider
-- changed: database this database, collation version
update pg_database set datlocprovider = 'x', datcollversion = 'x' where datname = current_database()

-- since 15: until 16: changed: database this database, locale
update pg_database set daticulocale = 'x' where datname = current_database()

-- since 17: changed: database this database, locale
update pg_database set datlocale = 'x' where datname = current_database()

-- since 16: changed: database this database, rules
update pg_database set daticurules = 'x' where datname = current_database()

-- left behind: event trigger other
create event trigger other on sql_drop execute function depot.watch()

-- changed: event trigger watcher, event
drop event trigger watcher; create event trigger watcher on ddl_command_start when tag in ('CREATE CAST') execute function depot.watch()

-- changed: event trigger watcher, function
create function depot.look() returns event_trigger language plpgsql as 'begin end'; drop event trigger watcher; create event trigger watcher on ddl_command_end when tag in ('CREATE CAST') execute function depot.look()

-- changed: event trigger watcher, owner
create role snapshot_test_role superuser; alter event trigger watcher owner to snapshot_test_role

-- changed: event trigger watcher, enabled: O → A
alter event trigger watcher enable always

-- changed: extension plpgsql, version
-- changed: extension plpgsql, owner
-- changed: extension plpgsql, relocatable
-- changed: extension plpgsql, configuration
-- changed: extension plpgsql, configuration filters
update pg_extension set extversion = '2', extowner = 'pg_monitor'::regrole, extrelocatable = true, extconfig = array['depot.log'::regclass::oid], extcondition = array[''] where extname = 'plpgsql'

-- changed: extension plpgsql, members
alter extension plpgsql drop function pg_catalog.plpgsql_validator(oid)

-- destroyed: extension plpgsql
drop extension plpgsql cascade

-- left behind: extension dependency function depot.twice(integer) on plpgsql
alter function depot.twice depends on extension plpgsql

-- left behind: extension dependency index depot.item_name_idx on plpgsql
alter index depot.item_name_idx depends on extension plpgsql

-- left behind: foreign data wrapper near
create foreign data wrapper near

-- changed: foreign data wrapper far, options
-- changed: foreign data wrapper far, handler
create function depot.handle() returns fdw_handler language internal as 'heap_tableam_handler'; alter foreign data wrapper far handler depot.handle options (side 'left')

-- changed: foreign data wrapper far, validator
alter server away options (drop host); alter user mapping for public server away options (drop token); alter foreign data wrapper far validator postgresql_fdw_validator

-- changed: foreign data wrapper far, owner
create role snapshot_test_role superuser; alter foreign data wrapper far owner to snapshot_test_role

-- changed: foreign server away, owner
alter server away owner to pg_monitor

-- changed: foreign server away, type
-- changed: foreign server away, version
drop server away cascade; create server away type 'old' version '1' foreign data wrapper far options (host 'a')

-- changed: foreign server away, wrapper
create foreign data wrapper near; drop server away cascade; create server away foreign data wrapper near options (host 'a')

-- left behind: foreign server afar
create server afar foreign data wrapper far

-- changed: foreign table depot.remote, server
create server afar foreign data wrapper far; drop foreign table depot.remote; create foreign table depot.remote (id integer) server afar options (name 'r')

-- left behind: foreign table depot.distant
create foreign table depot.distant () server away

-- destroyed: user mapping public on away
drop user mapping for public server away

-- left behind: user mapping pg_monitor on away
create user mapping for pg_monitor server away

-- changed: index depot.word_idx, column options
create table depot.word (ts tsvector); create index word_idx on depot.word using gist (ts)
-- then
drop index depot.word_idx; create index word_idx on depot.word using gist (ts tsvector_ops (siglen = 100))

-- changed: index depot.item_during_excl, exclusion
alter table depot.item drop constraint item_during_excl; create index item_during_excl on depot.item using gist (during)

-- changed: index depot.item_name_idx, tablespace
-- changed: relation depot.item, tablespace
update pg_class set reltablespace = 1664 where oid in ('depot.item'::regclass, 'depot.item_name_idx'::regclass)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item using hash (name)

-- changed: index depot.item_name_idx, definition
drop index depot.item_name_idx; create index item_name_idx on depot.item (weight, name)

-- changed: index depot.item_name_idx, options
alter index depot.item_name_idx set (deduplicate_items = off)

-- left behind: index depot.item_named_idx
alter index depot.item_name_idx rename to item_named_idx

-- changed: index depot.log_line_idx, valid
create index log_line_idx on depot.log (line)
-- then
drop index depot.log_line_idx; create index log_line_idx on only depot.log (line)

-- changed: inheritance depot.log_2025, detach pending
update pg_inherits set inhdetachpending = true where inhrelid = 'depot.log_2025'::regclass

-- changed: inheritance depot.log_rest, bound: DEFAULT → FOR VALUES FROM
alter table depot.log detach partition depot.log_rest; alter table depot.log attach partition depot.log_rest for values from ('2026-01-01') to ('2027-01-01')

-- changed: inheritance depot.pair, parents: {depot.one, depot.two} → {depot.two, depot.one}
create table depot.one (); create table depot.two (); create table depot.pair () inherits (depot.one, depot.two)
-- then
alter table depot.pair no inherit depot.one; alter table depot.pair inherit depot.one

-- changed: inheritance depot.word, key: LIST (word COLLATE "C") → LIST (word text_pattern_ops)
create table depot.word (word text) partition by list (word collate "C")
-- then
drop table depot.word; create table depot.word (word text) partition by list (word text_pattern_ops)

-- left behind: language other
create language other handler plpgsql_call_handler

-- changed: language other, inline
-- changed: language other, validator
-- changed: language other, trusted
create language other handler plpgsql_call_handler
-- then
create or replace trusted language other handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator

-- changed: language other, handler
create function depot.handle() returns language_handler language internal as 'heap_tableam_handler'; create language other handler plpgsql_call_handler
-- then
create or replace language other handler depot.handle

-- changed: language plpgsql, owner
alter language plpgsql owner to pg_monitor

-- left behind: large object of postgres
-- left behind: comment large object 4000000000
select lo_create(4000000000); comment on large object 4000000000 is 'large'

-- changed: large object of postgres, acl
select lo_create(4000000000)
-- then
grant select on large object 4000000000 to pg_monitor

-- left behind: large object of pg_monitor
select lo_create(4000000000)
-- then
alter large object 4000000000 owner to pg_monitor

-- changed: operator depot.===(integer,integer), commutator
-- changed: operator depot.===(integer,integer), negator
-- changed: operator depot.===(integer,integer), restrict
-- changed: operator depot.===(integer,integer), join
-- changed: operator depot.===(integer,integer), hashes
-- changed: operator depot.===(integer,integer), merges
create operator depot.=== (leftarg = integer, rightarg = integer, function = int4eq); create operator depot.!== (leftarg = integer, rightarg = integer, function = int4ne)
-- then
drop operator depot.=== (integer, integer); create operator depot.=== (leftarg = integer, rightarg = integer, function = int4eq, commutator = operator(depot.===), negator = operator(depot.!==), restrict = eqsel, join = eqjoinsel, hashes, merges)

-- changed: operator depot.<+>(integer,integer), result
drop operator depot.<+> (integer, integer); create operator depot.<+> (leftarg = integer, rightarg = integer, function = int4eq)

-- changed: operator depot.<+>(integer,integer), owner
alter operator depot.<+> (integer, integer) owner to pg_monitor

-- changed: operator class depot.whole using btree, owner
alter operator class depot.whole using btree owner to pg_monitor

-- changed: operator class depot.whole using btree, family
create operator family depot.other using btree; drop operator class depot.whole using btree; create operator class depot.whole for type integer using btree family depot.other as operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer)

-- changed: operator class depot.whole using btree, input
drop operator class depot.whole using btree; create operator class depot.whole for type bigint using btree as operator 1 <, operator 3 =, function 1 btint8cmp(bigint, bigint)

-- changed: operator class depot.whole using btree, default
-- changed: operator class depot.whole using btree, key
update pg_opclass set opcdefault = true, opcintype = 'depot.place'::regtype, opckeytype = 'bigint'::regtype where opcname = 'whole'

-- changed: operator family depot.whole using btree, owner
alter operator family depot.whole using btree owner to pg_monitor

-- changed: operator family depot.whole using btree, functions
alter operator family depot.whole using btree add function 2 (integer, integer) btint4sortsupport(internal)

-- left behind: operator family depot.other using btree
create operator family depot.other using btree

-- left behind: operator family pg_catalog.integer_ops using btree
create function depot.differ(integer, text) returns integer language sql immutable return 1; alter operator family pg_catalog.integer_ops using btree add function 1 (integer, text) depot.differ(integer, text)

-- since 15: changed: parameter work_mem, acl
grant set on parameter work_mem to pg_monitor
-- then
grant alter system on parameter work_mem to pg_monitor

-- left behind: privileges on function pg_catalog.pg_ls_waldir()
revoke execute on function pg_catalog.pg_ls_waldir() from pg_monitor

-- changed: privileges on function pg_catalog.pg_ls_waldir(), acl
revoke execute on function pg_catalog.pg_ls_waldir() from pg_monitor
-- then
grant execute on function pg_catalog.pg_ls_waldir() to public

-- left behind: privileges on table pg_catalog.pg_authid
grant select on pg_catalog.pg_authid to pg_monitor

-- left behind: privileges on table column pg_catalog.pg_authid.rolname
grant select (rolname) on pg_catalog.pg_authid to pg_monitor

-- left behind: privileges on schema pg_catalog
grant create on schema pg_catalog to pg_monitor

-- left behind: publication other
create publication other

-- changed: publication news, owner
alter publication news owner to pg_monitor

-- changed: publication news, all tables
drop publication news; create publication news for all tables

-- changed: publication news, insert
-- changed: publication news, update
-- changed: publication news, truncate
alter publication news set (publish = 'delete')

-- since 18: changed: publication news, generated columns
alter publication news set (publish_generated_columns = stored)

-- since 15: left behind: publication table depot."Bin" in news
alter publication news add table depot."Bin"

-- changed: relation depot.reply, access method
create access method other type table handler heap_tableam_handler; drop table depot.reply; create table depot.reply (at date references depot.log (at)) using other

-- since 17: changed: relation depot.log, access method
create access method other type table handler heap_tableam_handler; alter table depot.log set access method other

-- changed: relation depot.item, row type acl
revoke usage on type depot.item from public

-- changed: relation depot.item, acl
grant select on depot.item to pg_monitor with grant option

-- changed: relation depot.item, acl
revoke all on depot.item from postgres

-- changed: relation depot.ticket, acl
grant usage on sequence depot.ticket to pg_monitor

-- changed: relation depot.item, acl
create role snapshot_test_role; grant usage on schema depot to snapshot_test_role; grant insert on depot.item to snapshot_test_role with grant option; grant insert on depot.item to pg_monitor
-- then
revoke insert on depot.item from pg_monitor; set local role snapshot_test_role; set local search_path = ''; grant insert on depot.item to pg_monitor; reset role

-- since 15: changed: relation depot.ticket, persistence
alter sequence depot.ticket set unlogged

-- changed: relation depot.open_item, options
create or replace view depot.open_item as select id, name from depot.item where closed_at is null with local check option

-- changed: relation depot.tally, options
alter materialized view depot.tally set (autovacuum_enabled = false)

-- changed: relation depot.item, toast options
alter table depot.item set (toast.vacuum_truncate = false)

-- changed: relation depot."Bin_counted_seq", owner
-- changed: relation depot."Bin_serial_seq", owner
alter table depot."Bin" owner to pg_monitor

-- left behind: replication origin afar
select pg_replication_origin_create('afar')

-- changed: role snapshot_test_role, superuser
-- changed: role snapshot_test_role, inherits
-- changed: role snapshot_test_role, creates roles
-- changed: role snapshot_test_role, creates databases
-- changed: role snapshot_test_role, logs in
-- changed: role snapshot_test_role, replicates
-- changed: role snapshot_test_role, bypasses row security
-- changed: role snapshot_test_role, connection limit
-- changed: role snapshot_test_role, valid until
create role snapshot_test_role
-- then
alter role snapshot_test_role superuser noinherit createrole createdb login replication bypassrls connection limit 3 valid until '2030-01-01'

-- changed: role membership snapshot_test_role in pg_monitor by postgres, admin
create role snapshot_test_role in role pg_monitor
-- then
grant pg_monitor to snapshot_test_role with admin option

-- since 16: changed: role membership snapshot_test_role in pg_monitor by postgres, inherit
-- changed: role membership snapshot_test_role in pg_monitor by postgres, set
create role snapshot_test_role in role pg_monitor
-- then
grant pg_monitor to snapshot_test_role with inherit false, set false

-- left behind: role membership pg_monitor in pg_read_all_data by postgres
grant pg_read_all_data to pg_monitor

-- changed: role password snapshot_test_role, password hash: none → set
create role snapshot_test_role
-- then
alter role snapshot_test_role password 'x'

-- changed: role password snapshot_test_role, password hash: set → set otherwise
create role snapshot_test_role password 'x'
-- then
alter role snapshot_test_role password 'y'

-- changed: routine depot.call(), library
set check_function_bodies = off; create function depot.call() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler'
-- then
update pg_proc set probin = '$libdir/other' where oid = 'depot.call()'::regprocedure

-- changed: routine depot.many(), rows
create function depot.many() returns setof integer language sql as 'select 1'
-- then
alter function depot.many rows 5

-- changed: routine depot.twice(integer), support
alter function depot.twice support generate_series_int4_support

-- changed: routine depot.place(depot.place), transforms
create transform for depot.place language sql (from sql with function prsd_lextype(internal)); create function depot.place(depot.place) returns integer language sql as 'select 1'
-- then
create or replace function depot.place(depot.place) returns integer transform for type depot.place language sql as 'select 1'

-- changed: routine depot.twice(integer), arguments: value integer DEFAULT 2 → number integer DEFAULT 2
drop function depot.twice; create function depot.twice(number integer default 2) returns integer language sql immutable return number * 2

-- changed: routine depot.twice(integer), result: integer → SETOF integer
drop function depot.twice; create function depot.twice(value integer default 2) returns setof integer language sql immutable return value * 2

-- changed: routine depot.twice(integer), acl
grant execute on function depot.twice to pg_monitor with grant option

-- changed: routine depot.total(integer), owner
alter aggregate depot.total(integer) owner to pg_monitor

-- left behind: routine public.touch()
alter function depot.touch set schema public

-- destroyed: rule item_keep on depot.item
drop rule item_keep on depot.item

-- changed: rule item_keep on depot.item, definition
create or replace rule item_keep as on delete to depot.item where old.id = 0 do also nothing

-- left behind: security label dummy on table depot.item
insert into pg_seclabel values ('depot.item'::regclass, 'pg_class'::regclass, 0, 'dummy', 'classified')

-- changed: security label dummy on role pg_monitor, label
insert into pg_shseclabel values ('pg_monitor'::regrole, 'pg_authid'::regclass, 'dummy', 'classified')
-- then
update pg_shseclabel set label = 'unclassified'

-- changed: sequence depot.ticket, maximum
alter sequence depot.ticket maxvalue 99

-- changed: sequence depot."Bin_counted_seq", increment
alter table depot."Bin" alter column counted set increment by 5

-- changed: sequence depot."Bin_serial_seq", owned by: depot."Bin".serial → none
alter sequence depot."Bin_serial_seq" owned by none

-- left behind: sequence depot.more
create sequence depot.more

-- changed: setting work_mem for all roles in this database, value
do $$ begin execute format('alter database %I set work_mem = ''8MB''', current_database()); end $$
-- then
do $$ begin execute format('alter database %I set work_mem = ''9MB''', current_database()); end $$

-- left behind: setting work_mem for snapshot_test_role in this database
create role snapshot_test_role; do $$ begin execute format('alter role snapshot_test_role in database %I set work_mem = ''8MB''', current_database()); end $$

-- left behind: setting search_path for snapshot_test_role
create role snapshot_test_role; alter role snapshot_test_role set search_path = depot, public

-- destroyed: statistics depot.item_stats
drop statistics depot.item_stats

-- changed: statistics depot.item_stats, owner
alter statistics depot.item_stats owner to pg_monitor

-- changed: statistics depot.item_stats, table
drop statistics depot.item_stats; create statistics depot.item_stats (dependencies) on note, size from depot."Bin"

-- changed: statistics depot.item_stats, definition
drop statistics depot.item_stats; create statistics depot.item_stats (dependencies) on lower(name), weight from depot.item

-- changed: subscription papers, binary
-- changed: subscription papers, streaming
-- changed: subscription papers, synchronous commit
-- changed: subscription papers, slot
-- changed: subscription papers, enabled
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
alter subscription papers set (binary = true, streaming = true, synchronous_commit = local, slot_name = 'papers'); alter subscription papers enable

-- changed: subscription papers, publications
-- changed: subscription papers, owner
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none); create role snapshot_test_role superuser
-- then
alter subscription papers set publication other with (refresh = false); alter subscription papers owner to snapshot_test_role

-- changed: subscription papers, tables
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
insert into pg_subscription_rel (srsubid, srrelid, srsubstate) select oid, 'depot.item'::regclass, 'i' from pg_subscription

-- changed: subscription connection papers, connection hash: set → set otherwise
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
alter subscription papers connection 'dbname=y'

-- since 15: changed: subscription papers, disable on error
-- changed: subscription papers, skip
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
alter subscription papers set (disable_on_error = true); alter subscription papers skip (lsn = '0/10')

-- since 15: changed: subscription papers, two-phase
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
drop subscription papers; create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none, two_phase = true)

-- since 16: changed: subscription papers, password required
-- changed: subscription papers, run as owner
-- changed: subscription papers, origin
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
alter subscription papers set (password_required = false, run_as_owner = true, origin = none)

-- since 17: changed: subscription papers, failover
create subscription papers connection 'dbname=x' publication news with (connect = false, slot_name = none)
-- then
update pg_subscription set subfailover = true

-- changed: tablespace pg_default, acl
grant create on tablespace pg_default to pg_monitor

-- changed: tablespace pg_default, options
alter tablespace pg_default set (seq_page_cost = 2)

-- changed: tablespace pg_default, owner
alter tablespace pg_default owner to pg_monitor

-- changed: text search configuration depot.words, owner
alter text search configuration depot.words owner to pg_monitor

-- changed: text search configuration depot.words, parser
create text search parser depot.split (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype); drop text search configuration depot.words; create text search configuration depot.words (parser = depot.split)

-- changed: text search configuration depot.words, mappings
alter text search configuration depot.words alter mapping for asciiword with simple, english_stem

-- left behind: text search configuration depot.more
create text search configuration depot.more (copy = depot.words)

-- changed: text search dictionary depot.plain, owner
alter text search dictionary depot.plain owner to pg_monitor

-- changed: text search dictionary depot.plain, template
create text search template depot.simple (init = dsimple_init, lexize = dsimple_lexize); drop text search dictionary depot.plain; create text search dictionary depot.plain (template = depot.simple)

-- left behind: text search dictionary depot.more
create text search dictionary depot.more (template = pg_catalog.simple)

-- left behind: text search parser depot.split
create text search parser depot.split (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)

-- changed: text search parser depot.split, start
-- changed: text search parser depot.split, token
-- changed: text search parser depot.split, end
-- changed: text search parser depot.split, headline
-- changed: text search parser depot.split, token types
create function depot.s(internal, integer) returns internal language internal as 'prsd_start'; create function depot.t(internal, internal, internal) returns internal language internal as 'prsd_nexttoken'; create function depot.e(internal) returns void language internal as 'prsd_end'; create function depot.l(internal) returns internal language internal as 'prsd_lextype'; create text search parser depot.split (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)
-- then
drop text search parser depot.split; create text search parser depot.split (start = depot.s, gettoken = depot.t, end = depot.e, lextypes = depot.l, headline = prsd_headline)

-- left behind: text search template depot.simple
create text search template depot.simple (lexize = dsimple_lexize)

-- changed: text search template depot.simple, initialize
-- changed: text search template depot.simple, look up
create function depot.look(internal, internal, internal, internal) returns internal language internal as 'dsimple_lexize'; create text search template depot.simple (lexize = dsimple_lexize)
-- then
drop text search template depot.simple; create text search template depot.simple (init = dsimple_init, lexize = depot.look)

-- left behind: transform depot.place for sql
create transform for depot.place language sql (from sql with function prsd_lextype(internal))

-- changed: transform depot.place for sql, from sql
-- changed: transform depot.place for sql, to sql
create function depot.place(internal) returns depot.place language internal immutable as 'dsimple_init'; create function depot.from_place(internal) returns internal language internal immutable as 'prsd_lextype'; create transform for depot.place language sql (from sql with function prsd_lextype(internal))
-- then
create or replace transform for depot.place language sql (from sql with function depot.from_place(internal), to sql with function depot.place(internal))

-- changed: trigger later on depot.item, deferrable
-- changed: trigger later on depot.item, deferred
create constraint trigger later after insert on depot.item for each row execute function depot.touch()
-- then
drop trigger later on depot.item; create constraint trigger later after insert on depot.item deferrable initially deferred for each row execute function depot.touch()

-- changed: trigger item_touch on depot.item, timing and events
create or replace trigger item_touch before update or insert on depot.item for each row execute function depot.touch()

-- changed: trigger item_touch on depot.item, definition
create or replace trigger item_touch before update of name on depot.item for each row execute function depot.touch()

-- changed: trigger item_touch on depot.item, definition
create or replace trigger item_touch before update on depot.item for each row when (old.id > 0) execute function depot.touch()

-- changed: trigger item_touch on depot.item, definition
create or replace trigger item_touch before update on depot.item for each row execute function depot.touch('x')

-- changed: trigger log_touch on depot.log_2025, enabled: O → D
alter table depot.log_2025 disable trigger log_touch

-- changed: trigger log_touch on depot.log_2025, parent
update pg_trigger set tgparentid = 0 where tgrelid = 'depot.log_2025'::regclass and tgname = 'log_touch'

-- changed: trigger item_touch on depot.item, enabled: O → R
alter table depot.item enable replica trigger item_touch

-- left behind: trigger item_renamed on depot.item
alter trigger item_touch on depot.item rename to item_renamed

-- changed: type depot.code, collation
alter table depot."Bin" drop column code; drop domain depot.code; create domain depot.code as text collate "POSIX" default 'x'

-- changed: type depot.code, default
alter domain depot.code drop default

-- changed: type depot.code, acl
revoke usage on type depot.code from public

-- changed: type depot.state, labels: {new, open, done} → {open, new, done}
update pg_enum set enumsortorder = 0 where enumlabel = 'open' and enumtypid = 'depot.state'::regtype

-- changed: type depot.span, multirange
-- destroyed: type depot.span_multirange
drop type depot.span; create type depot.span as range (subtype = integer, multirange_type_name = depot.spans)

-- changed: type depot.span_multirange, range
alter type depot.span rename to stretch

-- changed: type depot.span, difference
create function depot.differ(integer, integer) returns double precision language sql immutable return 1; drop type depot.span; create type depot.span as range (subtype = integer, subtype_diff = depot.differ)

-- changed: type depot.span, canonical
update pg_range set rngcanonical = 'int4range_canonical'::regproc where rngtypid = 'depot.span'::regtype

-- changed: type depot.letters, range collation
-- changed: type depot.letters, operator class
create type depot.letters as range (subtype = text, collation = "C")
-- then
drop type depot.letters; create type depot.letters as range (subtype = text, collation = "POSIX", subtype_opclass = text_pattern_ops)

-- changed: type depot.raw, defined
-- changed: type depot.raw, functions
create type depot.raw; create function depot.raw_in(cstring) returns depot.raw language internal immutable strict as 'textin'; create function depot.raw_out(depot.raw) returns cstring language internal immutable strict as 'textout'
-- then
create type depot.raw (input = depot.raw_in, output = depot.raw_out)

-- changed: type depot.raw, storage
-- changed: type depot.raw, functions
create type depot.raw; create function depot.raw_in(cstring) returns depot.raw language internal immutable strict as 'textin'; create function depot.raw_out(depot.raw) returns cstring language internal immutable strict as 'textout'; create type depot.raw (input = depot.raw_in, output = depot.raw_out)
-- then
alter type depot.raw set (storage = extended, analyze = range_typanalyze)

-- changed: type depot.raw, alignment
-- changed: type depot.raw, length
-- changed: type depot.raw, by value
-- changed: type depot.raw, category
-- changed: type depot.raw, preferred
-- changed: type depot.raw, delimiter
-- changed: type depot.raw, element
create type depot.raw; create function depot.raw_in(cstring) returns depot.raw language internal immutable strict as 'int4in'; create function depot.raw_out(depot.raw) returns cstring language internal immutable strict as 'int4out'; create type depot.raw (input = depot.raw_in, output = depot.raw_out)
-- then
drop type depot.raw cascade; create type depot.raw; create function depot.raw_in(cstring) returns depot.raw language internal immutable strict as 'int4in'; create function depot.raw_out(depot.raw) returns cstring language internal immutable strict as 'int4out'; create type depot.raw (input = depot.raw_in, output = depot.raw_out, internallength = 8, passedbyvalue, alignment = double, category = 'N', preferred, delimiter = ';'); update pg_type set typelem = 'text'::regtype where oid = 'depot.raw'::regtype

-- left behind: view depot.more
create view depot.more as select 1 as one

-- changed: view depot.tally, definition
drop materialized view depot.tally; create materialized view depot.tally as select bin_id, count(*) as items from depot.item where weight > 0 group by bin_id

-- left behind: default privileges of postgres for kind n
alter default privileges grant usage on schemas to pg_monitor

-- since 18: left behind: default privileges of postgres for kind L
alter default privileges grant select on large objects to pg_monitor

-- left behind: comment view column depot.open_item.name
comment on column depot.open_item.name is 'x'

-- left behind: comment domain constraint code_is_short on depot.code
comment on constraint code_is_short on domain depot.code is 'x'

-- left behind: comment table constraint bin_label_key on depot."Bin"
comment on constraint bin_label_key on depot."Bin" is 'x'

-- left behind: comment composite type column depot.place.town
comment on column depot.place.town is 'x'

-- left behind: comment function depot.twice(integer)
-- left behind: comment procedure depot.tidy()
-- left behind: comment aggregate depot.total(integer)
-- left behind: comment type depot.state
-- left behind: comment schema depot
-- left behind: comment sequence depot.ticket
-- left behind: comment view depot.open_item
-- left behind: comment materialized view depot.tally
-- left behind: comment foreign table depot.remote
-- left behind: comment foreign-data wrapper far
-- left behind: comment server away
-- left behind: comment statistics object depot.item_stats
-- left behind: comment policy item_mine on depot.item
-- left behind: comment rule item_keep on depot.item
-- left behind: comment event trigger watcher
-- left behind: comment publication news
-- left behind: comment text search configuration depot.words
-- left behind: comment text search dictionary depot.plain
-- left behind: comment collation depot.plain
-- left behind: comment operator depot.<+>(integer,integer)
-- left behind: comment operator class depot.whole USING btree
-- left behind: comment operator family depot.whole USING btree
-- left behind: comment cast (depot.place AS pg_catalog.text)
-- left behind: comment conversion depot.upward
-- left behind: comment access method pile
comment on function depot.twice is 'x'; comment on procedure depot.tidy is 'x'; comment on aggregate depot.total(integer) is 'x'; comment on type depot.state is 'x'; comment on schema depot is 'x'; comment on sequence depot.ticket is 'x'; comment on view depot.open_item is 'x'; comment on materialized view depot.tally is 'x'; comment on foreign table depot.remote is 'x'; comment on foreign data wrapper far is 'x'; comment on server away is 'x'; comment on statistics depot.item_stats is 'x'; comment on policy item_mine on depot.item is 'x'; comment on rule item_keep on depot.item is 'x'; comment on event trigger watcher is 'x'; comment on publication news is 'x'; comment on text search configuration depot.words is 'x'; comment on text search dictionary depot.plain is 'x'; comment on collation depot.plain is 'x'; comment on operator depot.<+> (integer, integer) is 'x'; comment on operator class depot.whole using btree is 'x'; comment on operator family depot.whole using btree is 'x'; comment on cast (depot.place as text) is 'x'; comment on conversion depot.upward is 'x'; comment on access method pile is 'x'

-- left behind: comment tablespace pg_default
comment on tablespace pg_default is 'x'

-- left behind: policy item_yours on depot.item
alter policy item_mine on depot.item rename to item_yours

-- left behind: index depot.log_line_idx
-- left behind: constraint log_line_check on depot.log
-- left behind: rule log_keep on depot.log
-- left behind: privileges on table depot.log
-- left behind: privileges on table column depot.log.line
alter extension plpgsql add table depot.log
-- then
create index log_line_idx on depot.log (line); alter table depot.log add check (line <> ''); create rule log_keep as on delete to depot.log do instead nothing; grant insert on depot.log to pg_monitor; grant select (line) on depot.log to pg_monitor

-- changed: trigger later on depot.item, definition
create constraint trigger later after insert on depot.item for each row execute function depot.touch()
-- then
drop trigger later on depot.item; create constraint trigger later after insert on depot.item from depot."Bin" for each row execute function depot.touch()

-- changed: trigger log_all on depot.log, definition
create trigger log_all after update on depot.log referencing new table as fresh for each statement execute function depot.touch()
-- then
drop trigger log_all on depot.log; create trigger log_all after update on depot.log referencing old table as stale for each statement execute function depot.touch()
