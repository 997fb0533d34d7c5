"""Before a large table is worked on while others wait, that is asked by name."""

import json

import pytest

from batchgate.cli.consent import size_of

LARGE = ("--large", "1kB")


@pytest.fixture
def filled(operated):
    """A database whose orders are large where a kilobyte is, and the sample to measure on."""
    operated.write(
        {
            "scenarios/sample/01.sql": "insert into orders"
            " select n from generate_series(10, 40) as n;"
        }
    )
    operated.done("apply", "--through", "2", "--yes", "--accept-locks")
    return operated


def test_without_a_terminal_the_locks_are_refused_with_the_online_route(filled):
    result = filled.run("apply", "4", "--yes", *LARGE)
    assert result.exit_code == 3, result.output
    said = result.stderr
    assert "expected no work on a large table while others wait, found it in migration.sql" in said
    assert "at: sql/04_index_orders/migration.sql:6" in said
    assert "row: scans public.orders (about 7 rows, " in said
    assert "under SHARE on public.orders" in said
    assert "fix: Take migration.online.sql instead: --online, or say --accept-locks." in said
    assert filled.ask("select to_regclass('orders_currency')::text") == [None]


def test_neither_the_other_word_nor_a_smaller_table_is_asked_about(filled):
    filled.done("apply", "4", "--yes", "--large", "1GB")
    filled.done("rollback", "4", "--yes")
    filled.done("apply", "4", "--yes", "--accept-locks", *LARGE)


def test_the_online_route_is_not_asked_about(filled):
    result = filled.run("apply", "4", "--yes", "--online", *LARGE)
    assert result.exit_code == 0, result.output


def test_a_terminal_is_asked_by_name_though_the_database_is_meant(filled):
    for answer, code in (("n\r", 3), ("y\r", 0)):
        with filled.on_a_terminal("apply", "4", "--yes", *LARGE) as tty:
            tty.until_shown("Let them wait? [y/N]")
            shown = " ".join(tty.screen.text)
            assert "scans public.orders" in shown
            assert "--online" in shown
            tty.type(answer)
            assert tty.ended() == code
        assert filled.ask("select to_regclass('orders_currency') is null") == [code == 3]


def test_a_document_is_refused_alike(filled):
    result = filled.run("apply", "4", "--yes", "--json", *LARGE)
    document = json.loads(result.stdout)
    assert (result.exit_code, document["exit_code"], document["batches"]) == (3, 3, [])
    assert "--accept-locks" in document["message"]


def test_what_could_not_be_measured_is_refused_and_may_be_run_all_the_same(filled):
    result = filled.run("apply", "4", "--yes", *LARGE, "--pg-bin", str(filled.folder))
    assert result.exit_code == 3, result.output
    assert "it could not be measured" in result.stderr
    assert "To run it unmeasured, say --accept-locks." in result.stderr
    arguments = ("apply", "4", "--yes", *LARGE, "--pg-bin", str(filled.folder))
    with filled.on_a_terminal(*arguments) as tty:
        tty.until_shown("Run it unmeasured, and let others wait? [y/N]")
        tty.type("y\r")
        assert tty.ended() == 0


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (8192, "8192 bytes"), (2**20, "1024 kB"), (9 * 2**31, "18 GB")],
)
def test_a_size_is_written_as_postgresql_does(size, said):
    assert size_of(size) == said


def test_what_is_run_once_more_is_measured_without_what_requires_it(filled):
    result = filled.run("apply", "1", "--yes", *LARGE)
    assert "could not be measured" not in result.stderr
    assert 'cause: relation "orders" already exists' in result.stderr
    result = filled.run("apply", "2", "--yes", *LARGE)
    assert result.exit_code == 3, result.output
    assert "locks rows of public.orders" in result.stderr
