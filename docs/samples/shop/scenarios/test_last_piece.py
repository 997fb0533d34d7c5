"""Can the last pot be sold to two customers?"""

import pytest

IN_STOCK = "select in_stock from products where sku = 'POT-GLASS'"
TAKE_ONE = "update products set in_stock = in_stock - 1 where sku = 'POT-GLASS'"
TAKE_ONE_IF_THERE = TAKE_ONE + " and in_stock > 0 returning sku"


@pytest.fixture
def one_pot_left(at_batch):
    """Leave one pot in stock."""
    at_batch("02_add_baskets").session("owner").run(
        "update products set in_stock = 1 where sku = 'POT-GLASS'"
    )


def test_the_cash_desk_waits_and_finds_the_pot_sold(one_pot_left, session):
    web, desk = session("web"), session("desk")

    web.run("begin")
    web.run(TAKE_ONE_IF_THERE)
    taking = desk.start(TAKE_ONE_IF_THERE)

    taking.waits_on(web)
    web.run("commit")
    assert taking.succeeds() == []
    assert web.value(IN_STOCK) == 0


def test_an_order_by_telephone_does_not_sell_the_pot_again(one_pot_left, session):
    web, telephone = session("web"), session("telephone")

    # The old program looks first and takes afterwards.
    assert telephone.value(IN_STOCK) == 1
    web.run(TAKE_ONE_IF_THERE)
    telephone.run(TAKE_ONE)

    assert web.value(IN_STOCK) == 0
