select count(*) from "Job" where customer_id is null;
