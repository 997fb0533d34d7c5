-- What the application linked by itself before batch 7.

update "Lead" set customer_id = 'a4000000-0000-4000-8000-000000000001' where customer_id is null;

update "Job" set customer_id = 'a4000000-0000-4000-8000-000000000002' where customer_id is null;
