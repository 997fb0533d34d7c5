"""A call that goes wrong says so to people and to machines alike, and shows no password."""

import json

import psycopg
import pytest

from batchgate.errors import Message

COMMANDS = ("status", "check", "apply", "validate", "rollback")
NOWHERE = "postgresql://nobody@127.0.0.1:1/shop"


def document(result):
    """Return the one document of a call that failed; people are told the same beside it."""
    assert "Traceback" not in result.stderr
    found = json.loads(result.stdout)
    assert found["exit_code"] == result.exit_code
    assert set(found["error"]) == {"headline", "at", "sql", "rows", "cause", "left", "fix"}
    assert found["message"].startswith(found["error"]["headline"])
    assert found["message"] in result.stderr
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_told_in_a_document(operated, command):
    result = operated.run(command, "--nonsense", "--json")
    found = document(result)
    assert (found["command"], found["exit_code"]) == (command, 2)
    assert "--nonsense" in found["error"]["headline"]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_database_is_told_in_a_document(operated, monkeypatch, command):
    monkeypatch.delenv("BATCHGATE_DSN")
    given = ("1", "--yes") if command in ("apply", "rollback") else ()
    found = document(operated.run(command, *given, "--json"))
    assert (found["command"], found["exit_code"]) == (command, 2)
    assert "found none" in found["error"]["headline"]
    assert "BATCHGATE_DSN" in found["error"]["fix"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_connection_string_that_is_none_is_told_in_a_document(operated, command):
    given = ("1", "--yes") if command in ("apply", "rollback") else ()
    found = document(operated.run(command, *given, "--json", "--dsn", "nonsense"))
    assert found["command"] == command
    assert found["error"]["headline"].startswith("--dsn: expected a URL or a keyword string")
    assert found["error"]["fix"].startswith("Write postgresql://")


@pytest.mark.parametrize("command", COMMANDS)
def test_files_that_are_wrong_are_told_in_a_document(operated, command):
    operated.write({"sql/02_fill_currency/migration.sql": "-- requires: 09_none\n\nselect 1;\n"})
    given = ("1", "--yes") if command in ("apply", "rollback") else ()
    found = document(operated.run(command, *given, "--json"))
    assert (found["command"], found["exit_code"]) == (command, 4)
    assert found["error"]["at"].startswith("sql/02_fill_currency/migration.sql:1")


@pytest.mark.parametrize("command", ["status", "apply", "validate", "rollback"])
def test_a_server_that_is_not_reached_is_told_in_a_document(operated, command):
    given = ("1", "--yes") if command in ("apply", "rollback") else ()
    found = document(operated.run(command, *given, "--json", "--dsn", NOWHERE))
    assert (found["command"], found["exit_code"]) == (command, 5)
    assert found["database"] == found["error"]["at"]
    assert "Connection refused" in found["error"]["cause"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("apply", "9", "--yes"), 2, "found 9", id="unknown-batch"),
        pytest.param(("check", "9"), 2, "found 9", id="unknown-gate"),
        pytest.param(("apply", "1"), 2, "--json asks nothing", id="nobody-to-ask"),
        pytest.param(("apply",), 2, "expected either BATCH", id="no-batch"),
        pytest.param(("apply", "1", "--yes", "--retries", "x"), 2, "--retries", id="number"),
        pytest.param(("apply", "1", "--yes", "--large", "x"), 2, "--large", id="size"),
        pytest.param(("rollback", "1", "--yes"), 3, "expected", id="refused"),
        pytest.param(("check", "--samples", "-1"), 2, "--samples", id="pytests-own"),
        pytest.param(("status", "--dsn="), 2, "--dsn", id="no-connection-string"),
        pytest.param(("apply", "", "--yes"), 2, "found nothing", id="no-name"),
        pytest.param(("check", ""), 2, "found nothing", id="no-gate"),
        pytest.param(("nonsense",), 2, "No such command", id="unknown-command"),
        pytest.param(("--nonsense",), 2, "--nonsense", id="before-a-command"),
        pytest.param(("validate", "4"), 1, None, id="failed"),
    ],
)
def test_a_call_that_fails_gives_one_document(operated, arguments, code, said):
    result = operated.run(*arguments, "--json")
    if said is None:
        operated.write({"sql/04_index_orders/validation.sql": "select 1 / 0;\n"})
        result = operated.run(*arguments, "--json")
        assert json.loads(result.stdout)["exit_code"] == result.exit_code == code
        return
    found = document(result)
    assert found["exit_code"] == code
    assert said in found["error"]["headline"]


def test_a_setting_that_is_wrong_is_no_wrong_call(operated):
    operated.write({"pytest.ini": "[pytest]\nbatchgate_samples = -1\n"})
    assert operated.run("check", "--json").exit_code == 4
    operated.write({"pytest.ini": "[pytest]\naddopts = --samples=-1\n"})
    assert operated.run("check", "--max-lag", "1s", "--json").exit_code == 4


def test_a_current_folder_that_is_gone_is_told(operated, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = operated.run("status", "--json")
    found = document(result)
    assert found["exit_code"] == 4
    assert found["error"]["headline"] == "expected a current folder, found that it is gone"


@pytest.mark.parametrize("command", ["status", "check"])
def test_without_a_database_the_variables_of_libpq_are_offered(operated, monkeypatch, command):
    monkeypatch.delenv("BATCHGATE_DSN")
    assert "--dsn postgresql:// takes all of it from PG* variables." in operated.run(command).stderr


def test_the_variables_of_libpq_may_name_the_database(operated, monkeypatch):
    monkeypatch.delenv("BATCHGATE_DSN")
    given = psycopg.conninfo.conninfo_to_dict(operated.dsn)
    for name, variable in (("host", "HOST"), ("port", "PORT"), ("user", "USER")):
        monkeypatch.setenv(f"PG{variable}", str(given[name]))
    monkeypatch.setenv("PGDATABASE", operated.name)
    said = operated.done("status", "--no-drift", "--dsn", "postgresql://").output
    assert f"database {operated.name} as " in said


def test_what_has_begun_stands_in_the_same_document(operated):
    failing = "-- It fails.\n-- present: false\n\nbegin;\nselect 1 / 0;\ncommit;\n"
    operated.write({"sql/02_fill_currency/migration.sql": failing})
    found = document(operated.run("apply", "--through", "2", "--yes", "--json"))
    assert [part["outcome"] for part in found["batches"]] == ["done", "failed"]
    assert found["error"]["at"] == "sql/02_fill_currency/migration.sql:5"
    assert found["error"]["cause"].startswith("division by zero [22012]")
    assert found["error"]["left"].startswith("Nothing was changed")


def test_what_goes_well_has_no_error(operated):
    for arguments in (("apply", "1", "--yes"), ("validate",), ("status", "--no-drift"), ("check",)):
        result = operated.run(*arguments, "--json")
        found = json.loads(result.stdout)
        assert found["error"] is None
        assert found["exit_code"] == result.exit_code


def test_a_report_that_cannot_be_written_changes_what_the_document_says(operated):
    operated.done("apply", "--through", "2", "--yes")
    (operated.folder / "file").write_text("")
    found = document(operated.run("check", "--json", "--report", "file/report.json"))
    assert (found["command"], found["exit_code"]) == ("check", 4)
    assert found["finished"] is True


@pytest.mark.parametrize("ends", ["raise SystemExit(7)", "raise SystemExit('why')", "import none_"])
def test_a_project_that_ends_the_command_itself_gives_a_document(operated, ends):
    operated.write({"conftest.py": ends})
    result = operated.run("status", "--json")
    assert json.loads(result.stdout)["exit_code"] == result.exit_code != 0
    assert ("Error: why" in result.stderr) == ("why" in ends)


def test_help_is_for_people(operated):
    assert operated.done("apply", "--json", "--help").stdout.startswith("Usage: batchgate apply")
    assert operated.done("status", "-h", "--json").stdout.startswith("Usage: batchgate status")


SECRET = "postgresql://owner:tr0ub4dor@db.example/shop"


@pytest.mark.parametrize(
    "arguments",
    [
        (SECRET,),
        ("apply", SECRET),
        ("apply", "1", SECRET),
        ("apply", "--through", SECRET),
        ("apply", "1", "--lock-timeout", SECRET),
        ("apply", "1", "--retries", SECRET),
        ("apply", "1", f"--nonsense={SECRET}"),
        ("rollback", SECRET),
        ("validate", SECRET),
        ("check", SECRET),
        ("report", SECRET),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "document"])
def test_a_password_in_a_word_of_another_kind_is_not_shown(operated, arguments, form):
    result = operated.run(*arguments, *form)
    assert result.exit_code in (2, 4)
    assert "tr0ub4dor" not in result.output
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    "message",
    [
        Message(headline="alone"),
        Message(headline="a", at="x.sql:3", sql="select 1", cause="one\ntwo", fix="do: it"),
        Message(headline="a", rows=("1", "2\n3"), left="Nothing.\n  at: all"),
    ],
)
def test_a_message_is_read_as_it_was_written(message):
    read = Message.read(str(message))
    assert read.as_dict() == message.as_dict()


def test_of_several_messages_the_first_is_read():
    read = Message.read("a: wrong\n  at: x\n\nb: wrong\n  at: y\n  fix: z")
    assert (read.headline, read.at, read.fix) == ("a: wrong", "x", "")
    assert Message.read("").headline == ""
    assert Message.read("two\nlines").headline == "two\nlines"
