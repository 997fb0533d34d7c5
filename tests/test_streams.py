"""What a command writes comes through whole, on a stream that is closed or lacks signs, too."""

import json
import os
import subprocess

import pytest
from operated import COMMAND
from ttys import usual_variables

from batchgate.cli.streams import as_json
from batchgate.targets.secrets import secrets_in

SIGNS = "do $$ begin raise notice '🚀 漢 ä'; end $$;\n"


def called(operated, *arguments, encoding="", stdout=subprocess.PIPE):
    """Run a command in a process of its own, whose streams have an encoding."""
    variables = {**usual_variables(), "BATCHGATE_DSN": operated.dsn}
    if encoding:
        variables["PYTHONIOENCODING"] = encoding
    return subprocess.run(
        (*COMMAND, *arguments),
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


@pytest.mark.parametrize("password", ["47114711", 'sec"ret', "sec\\ret", "figures", "pässwörd"])
def test_a_password_is_hidden_in_a_document_that_stays_one(password, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", password)
    values = {"figures": {"Rows": 47114711}, "notices": [f"it is {password}"]}
    text = as_json(values, secrets_in(["host=db dbname=shop"]).scrubber())
    found = json.loads(text)
    assert found["figures"] == {"Rows": 47114711}
    assert password not in found["notices"][0]
