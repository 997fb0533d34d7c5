-- Six weeks of the shop, each on top of those before. Nobody here is a real person.

-- Week 1: baskets are kept from now on; some had lain in the old shop for a year.
insert into baskets (customer_id, product_id, quantity, touched_on)
select
    c.id,
    1 + c.id % 12,
    1,
    date '2024-10-01' + c.id::integer
from customers as c
where c.id % 5 = 0
order by c.id;

\set week 1
\set newcomers 14
\set silent 0
\set answers 0
\set orders 14
\set stuck 2
\set short 1
\ir ../week.sql

-- Week 2: the form at the market stall lets people leave out everything but a name.
\set week 2
\set newcomers 17
\set silent 2
\set orders 16
\set stuck 3
\ir ../week.sql

-- Week 3: the market again.
\set week 3
\set newcomers 21
\set silent 3
\set orders 18
\set short 3
\ir ../week.sql

-- Week 4: most of them have answered the letter, and the form asks for a telephone number.
\set week 4
\set newcomers 12
\set silent 0
\set answers 4
\set orders 15
\set stuck 2
\set short 2
\ir ../week.sql

-- Week 5: the last one has answered.
\set week 5
\set newcomers 16
\set answers 1
\set orders 19
\set stuck 4
\ir ../week.sql

-- Week 6: visitors of the fair are taken over from a list on paper.
\set week 6
\set newcomers 3000
\set silent 7
\set answers 0
\set orders 16
\set stuck 5
\set short 3
\ir ../week.sql
