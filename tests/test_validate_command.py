"""`batchgate validate` runs the validations of what stands, and leaves nothing."""

import json


def test_all_that_stand_are_validated(operated):
    operated.done("apply", "--through", "2", "--yes")
    result = operated.done("validate")
    closing = [line.split(" in ")[0] for line in result.stdout.splitlines() if line[0] == "✅"]
    assert closing == [
        "✅ 01_add_orders validated",
        "✅ 02_fill_currency validated",
        "✅ 03_audit validated",
    ]
    assert result.stdout.splitlines()[-1] == "3 validated, 0 failed"
    assert "── 02_fill_currency (2 of 3)\n" in result.stderr
    assert "04_index_orders: does not stand" in result.stderr


def test_nothing_stands_on_an_empty_database(operated):
    result = operated.done("validate")
    assert result.stdout == ""
    assert "03_audit: waits for 01_add_orders" in result.stderr
    assert "nothing to do" in result.stderr


def test_one_that_fails_does_not_keep_the_others_from_being_run(operated):
    operated.done("apply", "--through", "2", "--yes")
    operated.ask("update orders set currency = null returning id")
    result = operated.run("validate", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [(part["batch"], part["outcome"]) for part in document["batches"]] == [
        ("01_add_orders", "done"),
        ("02_fill_currency", "failed"),
        ("03_audit", "done"),
    ]
    shown = operated.run("validate").stdout
    assert shown.splitlines()[-1] == "2 validated, 1 failed"
    assert "❌ batch 02_fill_currency: expected validation to succeed" in shown
    assert "cause: orders without a currency [P0001]" in shown


def test_one_that_is_named_is_run_whether_it_stands_or_not(operated):
    result = operated.run("validate", "1")
    assert result.exit_code == 1
    assert "orders is missing" in result.stdout


def test_a_failure_that_is_only_printed_is_one(operated):
    operated.write({"sql/03_audit/validation.sql": "\\echo FAIL: two rows\n"})
    result = operated.run("validate", "3")
    assert result.exit_code == 1
    assert "expected a validation that fails to end by an error" in result.stdout
    assert "row: FAIL: two rows" in result.stdout


def test_a_batch_without_a_validation_says_so(operated):
    result = operated.run("validate", "4")
    assert result.exit_code == 3
    assert "batch 04_index_orders: expected a validation.sql, found none" in result.stderr


def test_two_validations_at_once_are_no_trouble(operated):
    operated.write(
        {"sql/03_audit/validation.sql": "begin; select pg_advisory_xact_lock(4711); rollback;"}
    )
    with operated.held_up(), operated.started("validate", "3", "--lock-timeout", "0"):
        operated.until_waiting()
        assert operated.run("apply", "1", "--yes").exit_code == 3
        operated.write({"sql/03_audit/validation.sql": "select 1;"})
        operated.done("validate", "3")


def test_a_batch_that_is_named_twice_is_validated_once(operated):
    said = operated.done("validate", "3", "03_audit", "sql/03_audit/validation.sql").stdout
    assert said.count("validated in") == 1
