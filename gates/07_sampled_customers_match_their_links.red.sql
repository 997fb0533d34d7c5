-- No customer has the number of leads it was made for, so any sample shows it.

insert into "Customer" default values;

update "Customer" set metadata = '{"leadCount": -1}';
