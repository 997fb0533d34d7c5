"""What the files under sql/ say holds together: their headers, their checks, their commands."""

import re
from pathlib import Path

import pytest

from batchgate.header import BATCH_KEYS, Header, read_header
from batchgate.psqlfile import Script

ROOT = Path(__file__).parent.parent
SQL = ROOT / "sql"
FILES = sorted(SQL.glob("[0-9]*_*/*.sql"))
MIGRATIONS = sorted(SQL.glob("[0-9]*_*/migration.sql"))
TEXTS = [*FILES, *sorted(SQL.glob("*/README.md")), *sorted(ROOT.glob("gates/*.sql"))]

# A hint is cut into strings, one a line, which the server joins; a shell's command by backslashes.
JOINS = re.compile(r"'\s*\n\s*'|\s*\\\n\s*")
# What a header asks after the record: that no run is under way, that the indexes are built.
UNFINISHED = re.compile(r" and to_regclass\('\w+\.([^']+)'\) is null$")
INDEXES = re.compile(r"(?: and )?\(select count\(\*\) = \d from pg_catalog\.pg_index .*\)$")
COMMAND = re.compile(r"\bpsql\b[^\n`;]*? -f +([\w/.]+\.sql)\b")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def header_of(migration: Path) -> Header:
    text = migration.read_text(encoding="utf-8")
    return read_header(text, path=name_of(migration), keys=BATCH_KEYS, required=True)


def body_of(path: Path) -> str:
    """Return a file's text below its header."""
    return path.read_text(encoding="utf-8").partition("\n\n")[2]


def asks(text: str, present: str, *, done: bool = True) -> bool:
    """Tell whether a file asks what a header does: the record, and that no run of it is under way.

    The two may be asked apart; what stands in the way of a rollback does so half done, too. The
    first index is the record where nothing else is; nothing is built on whether all are valid. A
    file may ask whether it is there or whether it is not.
    """
    first = re.search(r"to_regclass\('[^']+'\)", present)
    begun = INDEXES.sub("", present) or f"{first[0] if first else ''} is not null"
    record, *unfinished = UNFINISHED.split(begun)
    if not any(said in text for said in (record, record.replace(" is not null", " is null"))):
        return False
    run = re.escape(unfinished[0]) if unfinished and done else ""
    return not run or bool(re.search(rf"to_regclass\('(?:\w+\.)?{run}'", text))


def pairs() -> list[object]:
    """Give every batch with each batch that it requires."""
    return [
        pytest.param(path, SQL / below / "migration.sql", id=f"{path.parent.name}-{below}")
        for path in MIGRATIONS
        for below in header_of(path).items("requires")
    ]


@pytest.mark.parametrize("migration", MIGRATIONS, ids=name_of)
def test_a_batch_asks_for_itself_in_the_words_of_its_header(migration):
    present = header_of(migration).get("present")

    for path in (migration, migration.with_name("rollback.sql")):
        if path.exists():
            assert asks(body_of(path), present), name_of(path)


@pytest.mark.parametrize(("migration", "below"), pairs())
def test_prerequisites_and_refusals_ask_in_the_words_of_the_header(migration, below):
    needed = header_of(below).get("present")
    for path in sorted(migration.parent.glob("migration*.sql")):
        assert asks(body_of(path), needed), name_of(path)

    rollback = below.with_name("rollback.sql")
    if rollback.exists():
        assert asks(body_of(rollback), header_of(migration).get("present"), done=False)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_whatever_may_stop_at_an_error_does_so_by_itself(path):
    first = next(iter(Script(path, ROOT).parts))
    stops = getattr(first, "name", "") == "set" and "ON_ERROR_STOP on" in first.arguments
    assert stops == (path.name != "migration.sql")


def commands_in(text: str) -> list[tuple[str, str]]:
    """Return each psql command that runs a file, with that file's path."""
    return [(found[0], found[1]) for found in COMMAND.finditer(JOINS.sub(" ", text))]


@pytest.mark.parametrize(
    "path", [*TEXTS, *sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"], ids=name_of
)
def test_every_command_stops_at_an_error_and_names_a_file(path):
    for command, file in commands_in(path.read_text(encoding="utf-8")):
        assert "-v ON_ERROR_STOP=1" in command
        assert (ROOT / file).is_file()


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_file_named_in_a_hint_or_a_readme_exists(path):
    text = JOINS.sub(" ", path.read_text(encoding="utf-8"))
    named = re.findall(r"(?<![\w/])sql/\w+/[\w.]+\w", text)
    assert [file for file in named if not (ROOT / file).exists()] == []


def test_commands_are_found_however_they_are_cut():
    cut = """hint = 'Run psql "$DATABASE_URL"'\n    ' -f sql/a.sql first.'"""
    assert commands_in(cut) == [('psql "$DATABASE_URL"  -f sql/a.sql', "sql/a.sql")]
    shell = 'psql "$DATABASE_URL" \\\n  -f sql/b.sql > log'
    assert commands_in(shell) == [('psql "$DATABASE_URL" -f sql/b.sql', "sql/b.sql")]
    assert commands_in("psql reads -f as a file") == []
