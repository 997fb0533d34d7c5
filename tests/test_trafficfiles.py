"""The traffic's files are read as they are, and what is wrong is named with its line."""

import pytest

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.suite import Suite
from batchgate.trafficfiles import turn_of

READER = "-- Orders are read.\n-- after: 02_second\n\nselect 1;\n\nselect 2\n"
FILES = {
    "sql/01_first/migration.sql": "create table t ();",
    "sql/01_first/rollback.sql": "drop table t;",
    "sql/02_second/migration.sql": "alter table t add a int;",
    "sql/02_second/rollback.sql": "alter table t drop a;",
    "sql/03_third/migration.sql": "alter table t add b int;",
    "sql/03_third/rollback.sql": "alter table t drop b;",
}


@pytest.fixture
def read(tmp_path):
    """Write a suite with the given files of traffic, and read it."""

    def discovered(traffic: dict[str, str], batches: dict[str, str] | None = None) -> Suite:
        named = {f"traffic/{name}": text for name, text in traffic.items()}
        for path, text in {**FILES, **(batches or {}), **named}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(text.encode("utf-8", "surrogateescape"))
        return discover(settings(tmp_path))

    return discovered


def settings(root) -> Settings:
    folders = {name: root / name for name in ("sql", "gates", "sample", "reports", "traffic")}
    return Settings(root=root, **folders)


def test_a_session_is_named_by_its_file_and_knows_the_lines_of_its_turn(read, tmp_path):
    suite = read({"reader.sql": READER, ".hidden.sql": "\0", "notes.txt": "not traffic"})
    assert suite.problems == ()
    (session,) = suite.traffic
    assert (session.name, session.after, session.until) == ("reader", "02_second", "")
    turn = turn_of(session, settings(tmp_path))
    assert [(statement.text, statement.line) for statement in turn] == [
        ("select 1", 4),
        ("select 2", 6),
    ]


def test_a_suite_without_the_folder_has_no_traffic(read):
    assert read({}).traffic == ()


@pytest.mark.parametrize(
    ("header", "heights"),
    [
        pytest.param("", ["01_first", "02_second", "03_third"], id="from-the-first-on"),
        pytest.param("-- after: 02_second\n", ["02_second", "03_third"], id="after"),
        pytest.param("-- until: 03_third\n", ["01_first", "02_second"], id="until"),
        pytest.param(
            "-- after: 02_second\n-- until: 03_third\n", ["02_second"], id="after-and-until"
        ),
    ],
)
def test_a_session_runs_from_after_to_until(read, header, heights):
    suite = read({"reader.sql": f"-- Read.\n{header}\nselect 1;"})
    assert suite.traffic_at(None) == ()
    assert [batch.name for batch in suite.batches if suite.traffic_at(batch)] == heights


@pytest.mark.parametrize(
    ("name", "text", "headline", "at"),
    [
        pytest.param(
            "a.sql",
            "",
            "traffic/a.sql: expected a header that opens with a sentence, found none",
            "traffic/a.sql:1",
            id="empty",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n\n-- in a while\n",
            "traffic/a.sql: expected what the session runs, found no statement",
            "traffic/a.sql:1",
            id="no-statement",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n-- untill: 02_second\n\nselect 1;",
            "traffic/a.sql: expected a known header key, found `untill`",
            "traffic/a.sql:2",
            id="unknown-key",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n-- after: 02_secnd\n\nselect 1;",
            "traffic/a.sql: expected `after` to name a batch, found `02_secnd`",
            "traffic/a.sql:2",
            id="unknown-batch",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n-- after: 02_second\n-- until: 02_second\n\nselect 1;",
            "traffic/a.sql: expected `until` to name a batch above 02_second, found `02_second`",
            "traffic/a.sql:3",
            id="never-runs",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n-- until: 01_first\n\nselect 1;",
            "traffic/a.sql: expected `until` to name a batch above 01_first, found `01_first`",
            "traffic/a.sql:2",
            id="ends-with-the-first",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n\nselect 1 \\gset\n",
            "traffic/a.sql: expected plain SQL, found the psql command `\\gset`",
            "traffic/a.sql:3",
            id="sends-by-a-command",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n\n\\echo here\nselect 1;",
            "traffic/a.sql: expected plain SQL, found the psql command `\\echo`",
            "traffic/a.sql:3",
            id="command",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n\nselect 'open;",
            "' is opened here and never closed",
            "traffic/a.sql:3",
            id="unclosed",
        ),
        pytest.param(
            "a.sql",
            "-- Orders are read.\n\nselect '\udcff';",
            "a.sql: expected UTF-8, found byte 0xff",
            "traffic/a.sql:3",
            id="not-utf-8",
        ),
        pytest.param(
            "A.SQL",
            READER,
            "traffic/A.SQL: expected a file such as reader_orders.sql, found `A.SQL`",
            "traffic/A.SQL",
            id="capitals",
        ),
        pytest.param(
            "old/a.sql",
            READER,
            "traffic/old/a.sql: expected traffic in one folder alone, found a file below it",
            "traffic/old/a.sql",
            id="below",
        ),
        pytest.param(
            "a.sql/b.txt",
            "",
            "traffic/a.sql/b.txt: expected traffic in one folder alone, found a file below it",
            "traffic/a.sql/b.txt",
            id="folder-named-like-a-file",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(read, name, text, headline, at):
    (problem,) = read({name: text}).problems
    assert problem.message.headline == headline
    assert problem.message.at == at


def test_no_session_is_blamed_for_batches_that_cannot_be_read(read):
    unread = {"sql/03_third/migration.sql": "-- Third.\n-- requiers: 02_second\n\nselect 1;"}
    suite = read({"a.sql": "-- Read.\n-- after: 09_gone\n\nselect 1;"}, unread)
    assert [problem.message.at for problem in suite.problems] == ["sql/03_third/migration.sql:2"]
