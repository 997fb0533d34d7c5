-- No basket is older than 2025.
-- requires: 02_add_baskets
-- present: exists (select from pg_constraint where conname = 'baskets_are_recent')
-- irreversible: what the privacy policy has deleted must not come back

begin;

delete from baskets where touched_on < date '2025-01-01';

alter table baskets
    add constraint baskets_are_recent check (touched_on >= date '2025-01-01') not valid;

commit;
