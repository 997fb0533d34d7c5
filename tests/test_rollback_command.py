"""`batchgate rollback` takes back what stands, and refuses what others are built on."""

import json

from batchgate.catalog import take_snapshot
from batchgate.contents import take_contents


def test_a_rollback_is_run_in_its_own_words(operated):
    operated.done("apply", "1", "--yes")
    result = operated.done("rollback", "1", "--yes")
    assert result.stdout.splitlines()[0] == "orders dropped"
    assert "✅ 01_add_orders rolled back in " in result.stdout
    assert "Lost: all orders." in result.stderr
    assert "next:" not in result.stderr
    assert operated.ask("select to_regclass('orders')::text") == [None]


def test_all_that_stands_is_rolled_back_down_to_one(operated):
    with operated.session() as session:
        before = take_snapshot(session), take_contents(session)
    operated.done("apply", "--through", "4", "--yes")
    result = operated.done("rollback", "--through", "1", "--yes")
    closing = [line.split(" in ")[0] for line in result.stdout.splitlines() if line[0] == "✅"]
    assert closing == [
        "✅ 04_index_orders rolled back",
        "✅ 02_fill_currency rolled back",
        "✅ 01_add_orders rolled back",
    ]
    with operated.session() as session:
        assert (take_snapshot(session), take_contents(session)) == before
    assert "nothing to do" in operated.done("rollback", "--through", "1", "--yes").stderr


def test_a_batch_that_a_standing_one_requires_is_not_rolled_back(operated):
    operated.done("apply", "--through", "4", "--yes")
    result = operated.run("rollback", "2", "--yes")
    assert result.exit_code == 3
    assert "expected no batch that requires it, found that 04_index_orders stands" in result.stderr
    assert "batchgate rollback --through 02_fill_currency" in result.stderr
    assert operated.ask("select count(*) from filled") == [7]


def test_what_does_not_stand_is_not_rolled_back(operated):
    result = operated.run("rollback", "1", "--yes")
    assert result.exit_code == 3
    assert "expected it to stand, found that it does not" in result.stderr


def test_what_is_irreversible_is_refused_with_the_reason(operated):
    operated.write(
        {
            "sql/01_add_orders/migration.sql": "-- Orders can be kept.\n"
            "-- present: to_regclass('orders') is not null\n"
            "-- irreversible: nobody knows what was there\n\ncreate table orders (id int);\n",
            "sql/01_add_orders/rollback.sql": None,
        }
    )
    operated.done("apply", "1", "--yes")
    for named in (("1",), ("--through", "1")):
        result = operated.run("rollback", *named, "--yes")
        assert result.exit_code == 3
        assert "cause: nobody knows what was there" in result.stderr


def test_a_rollback_that_fails_leaves_all_as_it_was(operated):
    operated.done("apply", "1", "--yes")
    with operated.session() as session:
        session.execute("create view seen as select * from orders")
    result = operated.run("rollback", "1", "--yes")
    assert result.exit_code == 1
    assert "expected rollback to succeed, statement 2 of 4 failed" in result.stderr
    assert "cannot drop table orders because other objects depend on it [2BP01]" in result.stderr
    assert operated.ask("select count(*) from orders") == [7]


def test_a_rollback_that_leaves_its_batch_standing_has_failed(operated):
    operated.write({"sql/01_add_orders/rollback.sql": "delete from orders;"})
    operated.done("apply", "1", "--yes")
    result = operated.run("rollback", "1", "--yes", "--json")
    assert result.exit_code == 1
    assert "expected `present` to be false once rollback.sql has run, found true" in result.stderr
    assert json.loads(result.stdout)["batches"][0]["outcome"] == "failed"


def test_a_rollback_is_asked_for_with_what_is_lost(operated):
    operated.done("apply", "1", "--yes")
    with operated.on_a_terminal("rollback", "1") as tty:
        tty.until_shown(f"Roll back 01_add_orders on {operated.name}? [y/N]")
        assert "    Lost: all orders." in tty.screen.text
        tty.type("y\r")
        assert tty.ended() == 0


def test_the_file_has_the_say_where_an_online_route_may_be_half_done(operated):
    refused = operated.run("rollback", "1", "--yes")
    assert refused.exit_code == 3
    assert "expected it to stand, found that it does not" in refused.stderr

    operated.done("apply", "--through", "2", "--yes")
    asked = operated.run("rollback", "4", "--yes")
    assert asked.exit_code == 1
    assert 'index "orders_currency" does not exist' in asked.stderr
