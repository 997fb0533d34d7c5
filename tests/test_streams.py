"""What a command writes comes through whole, on a stream that is closed or lacks signs, too."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from operated import COMMAND
from ttys import usual_variables

from batchgate.cli.streams import as_json
from batchgate.targets.secrets import secrets_in

SIGNS = "do $$ begin raise notice '🚀 漢 ä'; end $$;\n"


def called(operated, *arguments, encoding="", stdout=subprocess.PIPE, closed=""):
    """Run a command in a process of its own, whose streams have an encoding, or are closed."""
    variables = {**usual_variables(), "BATCHGATE_DSN": operated.dsn}
    if encoding:
        variables["PYTHONIOENCODING"] = encoding
    shell = ("sh", "-c", f'exec "$@" {closed}', "sh") if closed else ()
    return subprocess.run(
        (*shell, *COMMAND, *arguments),
        cwd=operated.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
    )


def test_a_sign_that_a_stream_lacks_is_spelled_out(operated):
    operated.done("apply", "1", "--yes")
    with operated.session() as session:
        session.execute('alter table orders add "漢" int')
    result = called(operated, "status", encoding="latin-1")
    assert result.returncode == 1, result.stderr
    assert b'extra: column public.orders."\\u6f22"' in result.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_a_document_is_one_in_every_encoding(operated, encoding):
    operated.write({"sql/03_audit/validation.sql": SIGNS})
    result = called(operated, "validate", "3", "--json", encoding=encoding)
    (part,) = json.loads(result.stdout)["batches"]
    assert part["notices"] == ["🚀 漢 ä"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("status", "--no-drift"), id="status"),
        pytest.param(("status", "--no-drift", "--json"), id="document"),
        pytest.param(("validate", "3", "--json"), id="validate"),
    ],
)
def test_where_nobody_reads_any_more_a_command_ends_as_it_would(operated, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = called(operated, *arguments, stdout=writing)
    finally:
        os.close(writing)
    assert result.returncode == 0, result.stderr
    assert b"roken pipe" not in result.stderr


FULL = "standard output: expected that it can be written, it cannot"


def full():
    """Open what takes nothing: a disk without room."""
    return Path("/dev/full").open("wb")


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "document"])
def test_where_the_output_takes_nothing_all_is_done_and_told_beside_it(operated, form):
    with full() as nowhere:
        result = called(operated, "apply", "1", "--yes", *form, stdout=nowhere)
        said = result.stderr.decode()
        assert result.returncode == 4, said
        assert f"Error: {FULL}\n  cause: No space left on device\n" in said
        assert "left: ✅ 01_add_orders applied in " in said
        assert "01_add_orders stands now.\n" in said
        assert operated.ask("select count(*) from orders") == [7]

        result = called(operated, "apply", "2", "--dry-run", *form, stdout=nowhere)
        assert result.returncode == 4
        assert "02_fill_currency tried out in " in result.stderr.decode()

        result = called(operated, "validate", "1", *form, stdout=nowhere)
        assert result.returncode == 4
        assert "left: ✅ 01_add_orders validated in " in result.stderr.decode()

        result = called(operated, "rollback", "1", "--yes", *form, stdout=nowhere)
        said = result.stderr.decode()
        assert result.returncode == 4
        assert "left: ✅ 01_add_orders rolled back in " in said
        assert "01_add_orders does not stand now.\n" in said
        assert operated.ask("select to_regclass('orders')::text") == [None]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "document"])
def test_where_the_output_takes_nothing_what_failed_is_told_and_keeps_its_code(operated, form):
    with full() as nowhere:
        result = called(operated, "validate", "3", "1", *form, stdout=nowhere)
        said = result.stderr.decode()
        assert result.returncode == 1
        assert FULL in said
        assert "left: ✅ 03_audit validated in " in said
        assert "❌ batch 01_add_orders: expected validation to succeed" in said

        result = called(operated, "rollback", "1", "--yes", *form, stdout=nowhere)
        assert result.returncode == 3
        assert "Error: batch 01_add_orders: expected" in result.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [("status", "--no-drift"), ("status", "--no-drift", "--json"), ("--help",)],
    ids=["status", "document", "help"],
)
def test_where_the_output_takes_nothing_what_only_reads_says_so(operated, arguments):
    with full() as nowhere:
        result = called(operated, *arguments, stdout=nowhere)
    assert result.returncode == 4
    assert result.stderr.decode() == (
        f"Error: {FULL}\n  cause: No space left on device\n"
        "  fix: Make room, or lead it elsewhere.\n"
    )


def test_where_the_output_takes_nothing_a_page_is_drawn_and_named_beside_it(operated):
    operated.run("check", "--report", "report.json")
    with full() as nowhere:
        result = called(operated, "report", "report.json", stdout=nowhere)
    assert result.returncode == 4
    assert b"left: page: report.html\n" in result.stderr
    assert (operated.folder / "report.html").exists()


def test_a_reader_who_goes_away_does_not_stop_what_is_done(operated):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = called(operated, "apply", "--through", "2", "--yes", stdout=writing)
    finally:
        os.close(writing)
    assert result.returncode == 0, result.stderr
    assert b"Error" not in result.stderr
    assert operated.ask("select count(*) from filled") == [7]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_nothing(operated, closed):
    result = called(operated, "apply", "1", "--yes", closed=closed)
    assert result.returncode == 0, result.stderr
    assert b"Traceback" not in result.stderr
    assert operated.ask("select count(*) from orders") == [7]
    # Where nobody can be asked, nothing is done.
    result = called(operated, "rollback", "1", closed=closed)
    assert result.returncode == 3
    if "2>" not in closed:
        assert b"fix: Say --yes, once you have read which database that is." in result.stderr
    assert called(operated, "nonsense", closed=closed).returncode == 2


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
def test_messages_that_nobody_takes_change_nothing(operated, device):
    result = called(operated, "apply", "1", "--yes", closed=f"2>{device}")
    assert (result.returncode, b"applied in" in result.stdout) == (0, True)
    assert called(operated, "apply", "9", "--yes", closed=f"2>{device}").returncode == 2


def test_a_pipe_that_somebody_told_not_to_wait_gets_the_whole_document(operated):
    long = "do $$ begin for n in 1..200 loop raise notice '%', repeat('x', 900); end loop; end $$;"
    operated.write({"sql/03_audit/validation.sql": long})
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with (
        os.fdopen(reading, "rb") as reader,
        subprocess.Popen(
            (*COMMAND, "validate", "3", "--json"),
            cwd=operated.folder,
            env={**usual_variables(), "BATCHGATE_DSN": operated.dsn},
            stdout=writing,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        os.close(writing)
        document = json.loads(reader.read())
        process.communicate()
    assert process.returncode == 0
    assert len(document["batches"][0]["notices"]) == 200


def test_what_a_project_prints_by_itself_does_not_stand_in_the_document(operated):
    operated.write({"conftest.py": "print('hello')\n", "pytest.ini": "[pytest]\naddopts = -s\n"})
    result = called(operated, "status", "--no-drift", "--json")
    assert json.loads(result.stdout)["command"] == "status"
    assert b"hello" in result.stderr


@pytest.mark.parametrize("password", ["47114711", 'sec"ret', "sec\\ret", "figures", "pässwörd"])
def test_a_password_is_hidden_in_a_document_that_stays_one(password, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", password)
    values = {"figures": {"Rows": 47114711}, "notices": [f"it is {password}"]}
    text = as_json(values, secrets_in(["host=db dbname=shop"]).scrubber())
    found = json.loads(text)
    assert found["figures"] == {"Rows": 47114711}
    assert password not in found["notices"][0]
