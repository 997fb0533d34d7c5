"""The gates as one psql script: what it says, what it asks, and what it never sends."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.psqlgates import gate_script, script_batch
from batchgate.sqltext import MetaCommand, Statement, split

ROOT = Path(__file__).parents[1]
MIGRATION = "-- Things stand.\n-- present: to_regclass('thing') is not null\n\nselect 1;\n"
GATE = """\
-- Every thing has a name.
-- title: Names
-- pass: All things named
-- level: required
-- after: 01_add_things
-- of: "Thing"
-- fix: Name it.

select t.id from "Thing" as t where t.name is null
"""
FIGURES = """\
-- Things are there to be read.
-- level: informational
-- of: "Thing"
-- show: kind, things
-- fix: Read them.
-- rows: figures

select t.kind, t.owner, count(*) as things, null as finding from "Thing" as t group by 1, 2
"""


def settings_of(root: Path) -> Settings:
    return Settings(
        root=root,
        sql=root / "sql",
        gates=root / "gates",
        sample=root / "scenarios" / "sample",
        reports=root / "reports",
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "sql/01_add_things/migration.sql", MIGRATION)
    write(tmp_path / "sql/01_add_things/rollback.sql", "select 1;\n")
    write(tmp_path / "sql/02_check_things/validation.sql", "")
    add_gate(tmp_path, "01_things_have_name", GATE)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def add_gate(root: Path, name: str, text: str) -> None:
    write(root / f"gates/{name}.sql", text)
    write(root / f"gates/{name}.red.sql", 'delete from "Thing";\n')


def script_of(root: Path) -> str:
    settings = settings_of(root)
    suite = discover(settings)
    assert suite.problems == ()
    return gate_script(suite, script_batch(suite), settings)


def test_the_checked_in_script_is_what_the_gates_generate() -> None:
    settings = settings_of(ROOT)
    suite = discover(settings)
    batch = script_batch(suite)
    assert batch.validation is not None
    checked_in = batch.validation.read_text(encoding="utf-8")
    assert checked_in == gate_script(suite, batch, settings)


def test_a_changed_gate_makes_the_script_another(project: Path) -> None:
    before = script_of(project)
    add_gate(project, "01_things_have_name", GATE.replace("is null", "= ''"))
    assert script_of(project) != before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("All things named", r"\echo '✓ PASS: All things named'", id="plain"),
        pytest.param("OK: Named", r"\echo '✓ OK: Named'", id="brings-its-own-word"),
        pytest.param("It's a\\b", r"\echo '✓ PASS: It''s a\\b'", id="quote-and-backslash"),
        pytest.param(":HOST `ls`", r"\echo '✓ PASS: :HOST `ls`'", id="nothing-is-expanded"),
    ],
)
def test_a_pass_line_is_said_as_it_is_written(project: Path, line: str, said: str) -> None:
    add_gate(project, "01_things_have_name", GATE.replace("All things named", line))
    assert said in script_of(project).splitlines()


def test_titles_and_the_last_line_bear_the_numbers_of_gate_and_batch(project: Path) -> None:
    lines = script_of(project).splitlines()
    assert r"\echo '=== GATE 1: Names ==='" in lines
    assert r"\echo '=== BATCH 2 VALIDATION COMPLETE ==='" in lines


def test_a_gate_is_asked_only_inside_the_branch_where_its_batches_stand(project: Path) -> None:
    parts = split(script_of(project), path="validation.sql")
    gate = next(n for n, p in enumerate(parts) if isinstance(p, Statement) and "t.name" in p.text)
    present = next(
        n for n, p in enumerate(parts) if isinstance(p, Statement) and "01_add_things" in p.text
    )
    condition = parts[gate - 1]
    assert present < gate
    assert isinstance(condition, MetaCommand)
    assert (condition.name, condition.arguments.strip()) == ("if", ":gate_applicable")


def test_only_documented_psql_commands_are_used(project: Path) -> None:
    add_gate(project, "02_things_are_read", FIGURES)
    parts = split(script_of(project), path="validation.sql")
    commands = {part.name for part in parts if isinstance(part, MetaCommand)}
    sending = {part.send for part in parts if isinstance(part, Statement)}
    assert commands == {"set", "echo", "if", "elif", "else", "endif"}
    assert sending == {"", "gset"}


def test_values_enter_statements_only_as_quoted_literals(project: Path) -> None:
    add_gate(project, "02_things_are_read", FIGURES)
    for part in split(script_of(project), path="validation.sql"):
        if isinstance(part, Statement):
            assert not re.search(r"(?<!:):[a-z\"]", part.text), part.text


def test_only_shown_columns_are_printed_as_figures(project: Path) -> None:
    add_gate(project, "02_things_are_read", FIGURES)
    script = script_of(project)
    assert "'kind=' || gate.\"kind\"::text" in script
    assert "'things=' || gate.\"things\"::text" in script
    assert 'gate."owner"' not in script


def test_rows_of_violations_are_counted_and_never_selected(project: Path) -> None:
    assert "string_agg" not in script_of(project)


@pytest.mark.parametrize(
    ("level", "endings"),
    [
        pytest.param("required", 3, id="required"),
        pytest.param("informational", 0, id="informational"),
    ],
)
def test_whatever_is_no_pass_counts_against_a_required_gate(
    project: Path, level: str, endings: int
) -> None:
    add_gate(project, "01_things_have_name", GATE.replace("required", level))
    counted = re.findall(r"^\\set gate_unmet :gate_unmet ", script_of(project), re.MULTILINE)
    assert len(counted) == endings


def test_several_tables_are_each_looked_at(project: Path) -> None:
    add_gate(project, "01_things_have_name", GATE.replace('"Thing"\n', '"Thing", "Part"\n', 1))
    script = script_of(project)
    assert 'exists (select from "Thing") and exists (select from "Part")' in script
    assert "'\"Part\" is empty'" in script


def called(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command in a folder."""
    command = [sys.executable, "-m", "batchgate.gatescript", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_validation_written_by_hand_is_never_overwritten(project: Path) -> None:
    path = project / "sql/02_check_things/validation.sql"
    write(path, "select 1;\n")
    done = called(project)
    assert done.returncode == 4
    assert "expected one batch whose validation.sql is generated" in done.stderr
    assert path.read_text(encoding="utf-8") == "select 1;\n"


def test_the_command_writes_the_script_once_and_for_all(project: Path) -> None:
    path = project / "sql/02_check_things/validation.sql"
    assert called(project).returncode == 0
    written = path.read_text(encoding="utf-8")
    again = called(project)
    assert again.returncode == 0
    assert path.read_text(encoding="utf-8") == written == script_of(project)
    assert again.stdout == "sql/02_check_things/validation.sql: 1 gate\n"


def test_the_command_takes_the_settings_of_pytest(project: Path) -> None:
    (project / "sql").rename(project / "batches")
    (project / "gates").rename(project / "questions")
    settings = "batchgate_sql = batches\nbatchgate_gates = questions\n"
    write(project / "pytest.ini", f"[pytest]\n{settings}batchgate_search_path = shop, public\n")
    assert called(project).returncode == 0
    script = (project / "batches/02_check_things/validation.sql").read_text(encoding="utf-8")
    assert "set local search_path = shop, public;" in script
    assert "-- questions/01_things_have_name.sql" in script


def test_a_broken_gate_stops_the_command(project: Path) -> None:
    add_gate(project, "02_things_are_read", FIGURES.replace("-- level", "-- leval"))
    done = called(project)
    assert done.returncode == 4
    assert "expected a known header key, found `leval`" in done.stderr


def test_a_wrong_call_is_told(project: Path) -> None:
    done = called(project, "elsewhere")
    assert done.returncode == 2
    assert "unexpected extra argument (elsewhere)" in done.stderr
    assert (project / "sql/02_check_things/validation.sql").read_text(encoding="utf-8") == ""
