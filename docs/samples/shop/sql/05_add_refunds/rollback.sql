-- Every refund is lost.

\set ON_ERROR_STOP on

begin;

drop table refunds;

commit;
