select
    (select count(*) from "Customer") as customers,
    (select count(*) from "Lead") as leads,
    (select count(*) from "Lead" where customer_id is not null) as linked_leads,
    (select count(*) from "Job") as jobs,
    (select count(*) from "Job" where customer_id is not null) as linked_jobs,
    (select count(*) from "Conversation") as conversations,
    (select count(*) from "Message") as messages;
