select count(*) from "Lead" where customer_id is null;
