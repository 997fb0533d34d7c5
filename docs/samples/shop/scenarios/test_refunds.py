"""Can a customer get the same money back twice?"""

import pytest

REFUND = """
    insert into refunds (order_id, amount_cents, reference)
    select min(o.id), 500, 'PAY-1' from orders as o
"""


def test_the_second_of_two_refunds_with_one_reference_is_refused(at_batch, session):
    at_batch("05_add_refunds")
    office, provider = session("office"), session("provider")

    office.run("begin")
    office.run(REFUND)
    again = provider.start(REFUND)

    again.waits_on(office)
    office.run("commit")
    again.fails_with("23505", by="refunds_by_reference")


@pytest.mark.skip(reason="needs the sandbox of the payment provider")
def test_a_reference_is_what_the_provider_says_it_is():
    raise NotImplementedError
