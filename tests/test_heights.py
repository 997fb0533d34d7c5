"""A height is the same by whichever way it was reached, and reached by the shortest."""

from collections.abc import Iterator

import pytest
from heights import heights_of

from batchgate.database import connect
from batchgate.errors import BatchFailed
from batchgate.heights import Heights
from batchgate.server import Server

NOTE = "insert into note values ('{}', current_setting('search_path'));\n"
FILES = {
    "sql/01_notes/migration.sql": "create table note (text text, path text);\n"
    "do $$ begin execute format('alter database %I set search_path = public, pg_temp',"
    " current_database()); end $$;\nset search_path = nowhere;\n",
    "sql/01_notes/rollback.sql": "drop table note;\n",
    "sql/02_second/migration.sql": NOTE.format("second"),
    "sql/02_second/rollback.sql": "delete from note;\n",
    "sql/03_third/migration.sql": NOTE.format("third"),
    "sql/03_third/rollback.sql": "delete from note where text = 'third';\n",
    "sample/02.sql": NOTE.format("sample"),
}


@pytest.fixture
def heights(batchgate_server, tmp_path) -> Iterator[Heights]:
    with heights_of(batchgate_server, tmp_path, FILES) as made:
        yield made


def notes(heights: Heights, number: int, *, sample: bool = True) -> list[tuple[str, str]]:
    batch = heights.suite.batches[number - 1]
    with heights.clone(batch, sample=sample) as name, heights.connect(name) as session:
        return session.execute("select text, path from public.note").fetchall()


def templates(heights: Heights, server: Server) -> set[str]:
    """Return the templates of these heights: other processes make theirs on the same server."""
    own = heights._store._full("")
    with connect(server, "postgres") as session:
        found = session.execute("select datname from pg_database where datistemplate").fetchall()
    return {name.removeprefix(own) for (name,) in found if name.startswith(own)}


def test_the_top_alone_is_reached_without_what_is_below(heights, batchgate_server):
    assert templates(heights, batchgate_server) == set()
    notes(heights, 3)
    assert templates(heights, batchgate_server) == {"03_sample"}


def test_a_batch_finds_a_session_of_its_own_and_the_settings_of_those_below(heights):
    path = "public, pg_temp"
    assert notes(heights, 3) == [("second", path), ("sample", path), ("third", path)]


@pytest.mark.parametrize("order", [(3, 1, 2), (1, 2, 3), (2, 3, 1)], ids=str)
def test_a_height_is_the_same_by_whichever_way(heights, order):
    wanted = {1: [], 2: ["second", "sample"], 3: ["second", "sample", "third"]}
    for number in order:
        assert [text for text, _ in notes(heights, number)] == wanted[number]
        without = [text for text in wanted[number] if text != "sample"]
        assert [text for text, _ in notes(heights, number, sample=False)] == without


def test_below_a_batch_that_fails_all_stands_and_above_it_the_failure_is_told(heights, tmp_path):
    (tmp_path / "sql/02_second/migration.sql").write_text("select 1 / 0;\n")
    for number in (3, 2, 3):
        with pytest.raises(BatchFailed, match="batch 02_second"):
            notes(heights, number)
    assert notes(heights, 1) == []
