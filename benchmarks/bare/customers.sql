-- Customers, links and record stand as the backfill would leave them; all was known before.

begin;

insert into public."Customer" (id, name, phone, email, metadata, created_at, updated_at)
select
    r.id,
    r.name,
    r.phone,
    r.email,
    r.metadata,
    r.created_at,
    r.updated_at
from ready.customer as r;

update public."Lead" as l
set customer_id = r.customer_id
from ready.lead as r
where l.id = r.id;

update public."Job" as j
set customer_id = r.customer_id
from ready.job as r
where j.id = r.id;

insert into ready.customer_backfill (entity, id, customer_id)
select
    r.entity,
    r.id,
    r.customer_id
from ready.record as r;

commit;
