"""The contract says of every column of the catalogs what becomes of it, and says the truth."""

import re
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from batchgate.contract import columns_of, contract, expect_known_catalogs, found_columns
from batchgate.errors import BatchgateError

QUERIES = Path(__file__).parents[1] / "batchgate" / "queries"
SEEN = [column for column in contract() if not column.ignored]


@pytest.fixture
def connection(batchgate_server):
    address = {"host": batchgate_server.host, "port": batchgate_server.port}
    with psycopg.connect(**address, user=batchgate_server.user, dbname="postgres") as connection:
        yield connection
        connection.rollback()


def rename(connection, catalog, column, name):
    connection.execute("set allow_system_table_mods = on")
    connection.execute(
        "update pg_attribute set attname = %s where attrelid = %s::regclass and attname = %s",
        (name, catalog, column),
    )


def test_the_contract_lists_what_this_server_has_and_nothing_else(connection):
    known = columns_of(connection.info.server_version // 10000)
    assert sorted(known.keys() ^ found_columns(connection)) == []
    expect_known_catalogs(connection)


def test_a_column_that_no_one_has_thought_about_is_named(connection):
    rename(connection, "pg_ts_template", "tmpllexize", "tmpllater")
    major = connection.info.server_version // 10000
    with pytest.raises(BatchgateError) as raised:
        expect_known_catalogs(connection)
    assert str(raised.value).splitlines()[:3] == [
        "server: expected the catalogs of PostgreSQL 14 to 18, found in PostgreSQL "
        f"{major} that pg_ts_template.tmpllater is not known",
        "  row: pg_ts_template.tmpllater is not known",
        "  row: pg_ts_template.tmpllexize is not there",
    ]


def test_a_column_that_is_ignored_may_go(connection):
    rename(connection, "pg_statistic", "stakind1", "stakind2_")
    with pytest.raises(BatchgateError, match="stakind2_ is not known") as raised:
        expect_known_catalogs(connection)
    assert len(raised.value.message.rows) == 1


def test_a_major_to_come_is_expected_to_have_what_the_last_one_has():
    last = max(column.last for column in contract())
    assert columns_of(last + 1) == columns_of(last)


def test_no_column_has_two_lines_for_the_same_major():
    lines = Counter(
        (column.catalog, column.name, major)
        for column in contract()
        for major in range(column.first, column.last + 1)
    )
    assert [each for each, times in lines.items() if times > 1] == []


def test_whatever_is_ignored_has_its_reason():
    assert [str(column) for column in contract() if column.ignored and len(column.by) < 10] == []


@pytest.mark.parametrize("class_", sorted({column.seen_as.partition(".")[0] for column in SEEN}))
def test_what_a_class_is_said_to_see_it_asks_for(class_):
    """By its name, or by the server's function that reads it; and yields what it is seen as."""
    query = (QUERIES / f"class_{class_}.sql").read_text(encoding="utf-8")
    yielded = {"identity", *re.findall(r'as "([^"]+)"', query)}
    words = set(re.findall(r"\w+", query))
    said = [column for column in SEEN if column.seen_as.startswith(f"{class_}.")]
    assert {column.seen_as.partition(".")[2] for column in said} <= yielded
    asked_for = [re.findall(r"\w+", column.by or column.name) for column in said]
    assert [each for each in asked_for if not words.issuperset(each)] == []


@pytest.mark.parametrize("path", sorted(QUERIES.glob("class_*.sql")), ids=lambda path: path.stem)
def test_a_line_of_later_majors_names_a_column_that_is_theirs_alone(path):
    first = {column.name: column.first for column in contract()}
    last = {column.name: column.last for column in contract()}
    for line in path.read_text(encoding="utf-8").splitlines():
        marks = dict(re.findall(r"(since|until): (\d+)", line))
        columns = [word for word in re.findall(r"\.(\w+)", line) if word in first]
        if marks and columns:
            assert int(marks.get("since", 14)) == max(first[name] for name in columns), line
            assert int(marks.get("until", 18)) == min(last[name] for name in columns), line
