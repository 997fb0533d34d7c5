"""The folders are read as they are, and what is wrong is named with its place and its remedy."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchgate.config import Settings
from batchgate.discover import discover
from batchgate.suite import Suite

MIGRATION = "-- Makes t.\n-- present: to_regclass('t') is not null\n\ncreate table t ();\n"
GATE = '-- All is well.\n-- level: required\n-- of: "t"\n-- fix: Do it.\n\nselect 1 where false\n'
RED = "insert into t default values;\n"


@pytest.fixture
def project(tmp_path):
    """A sound project of two batches and a gate, as files by path."""
    files = {
        "sql/03_first/migration.sql": MIGRATION,
        "sql/03_first/rollback.sql": "drop table t;",
        "sql/04_second/migration.sql": "alter table t add a int;",
        "sql/04_second/rollback.sql": "alter table t drop a;",
        "sql/notes/readme.sql": "not a batch at all",
        "gates/01_all_is_well.sql": GATE,
        "gates/01_all_is_well.red.sql": RED,
        "scenarios/sample/03.sql": "insert into t default values;",
    }

    def read(changes: dict[str, str | None], root: Path = tmp_path) -> Suite:
        for path, text in {**files, **changes}.items():
            if text is not None:
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text.encode("utf-8", "surrogateescape"))
        return discover(settings(root))

    return read


@pytest.fixture
def ordinary_root() -> Iterator[Path]:
    """A folder in which we are an ordinary user, whom a file's mode may refuse."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o777)
        ours = os.geteuid()
        os.seteuid(ours or 65534)
        yield Path(path)
        os.seteuid(ours)


def settings(root: Path) -> Settings:
    return Settings(
        root=root,
        sql=root / "sql",
        gates=root / "gates",
        sample=root / "scenarios/sample",
        reports=root / "reports",
    )


def test_a_sound_project_has_its_batches_in_order_and_no_problem(project):
    suite = project({})
    assert [batch.name for batch in suite.batches] == ["03_first", "04_second"]
    assert [gate.name for gate in suite.gates] == ["01_all_is_well"]
    assert suite.problems == ()


def test_the_number_is_the_order_whatever_its_width(project):
    suite = project(
        {f"sql/{number}_x/migration.sql": "select 1;" for number in (5, 6, 7, 8, 9, 10)}
    )
    assert [batch.number for batch in suite.batches] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_a_folder_without_migration_may_validate_only(project):
    suite = project({"sql/05_gates/validation.sql": "select 1;"})
    assert suite.problems == ()


def test_a_project_without_folders_has_nothing_and_no_problem(tmp_path):
    assert discover(settings(tmp_path)) == Suite()


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        pytest.param(
            {"sql/06_late/validation.sql": "select 1;"},
            "sql/06_late",
            "expected number 5 after 04_second, found 6",
            id="gap",
        ),
        pytest.param(
            {"sql/04_twin/validation.sql": "select 1;"},
            "sql/04_twin",
            "found 4 also at 04_second",
            id="duplicate",
        ),
        pytest.param(
            {"sql/05_orphan/rollback.sql": "select 1;"},
            "sql/05_orphan",
            "found rollback.sql alone",
            id="orphan-rollback",
        ),
        pytest.param(
            {"sql/05_orphan/README.md": "nothing"}, "sql/05_orphan", "found neither", id="empty"
        ),
        pytest.param(
            {"sql/03_first/validate.sql": "select 1;"},
            "sql/03_first/validate.sql",
            "expected validation.sql, found `validate.sql`",
            id="misnamed-validation",
        ),
        pytest.param(
            {"sql/05_one_way/migration.sql": "select 1;"},
            "sql/05_one_way",
            "expected rollback.sql, found none",
            id="no-rollback",
        ),
        pytest.param(
            {"sql/03_first/migration.sql": "-- Makes t.\n-- irreversible: no\n\nselect 1;"},
            "sql/03_first/migration.sql:2",
            "expected no rollback.sql",
            id="irreversible-with-rollback",
        ),
        pytest.param(
            {"sql/03_first/migration.sql": "-- Makes t.\n-- require: x\n\nselect 1;"},
            "sql/03_first/migration.sql:2",
            "found `require`",
            id="unknown-batch-key",
        ),
        pytest.param(
            {"sql/03_first/migration.sql": "-- Makes t.\n-- requires: 04_second\n\nselect 1;"},
            "sql/03_first/migration.sql:2",
            "expected `requires` to name earlier batches",
            id="requires-a-later-batch",
        ),
        pytest.param(
            {"sql/03_first/migration.sql": "select 1;\n\\echo hello\n"},
            "sql/03_first/migration.sql:2",
            "found the psql command `\\echo`",
            id="command-in-migration",
        ),
        pytest.param(
            {"sql/03_first/migration.sql": "select 1;\nselect 'open\n"},
            "sql/03_first/migration.sql:2",
            "",
            id="open-string",
        ),
        pytest.param(
            {"gates/01_all_is_well.red.sql": None, "gates/02_x.sql": GATE},
            "gates/02_x.sql",
            "expected a red proof, found none",
            id="no-red-proof",
        ),
        pytest.param(
            {"gates/02_x.red.sql": RED},
            "gates/02_x.red.sql",
            "expected a gate to prove",
            id="orphan-red-proof",
        ),
        pytest.param(
            {"gates/01_all_is_well.red.sql": "-- nothing\n"},
            "gates/01_all_is_well.red.sql:1",
            "expected statements that do damage",
            id="empty-red-proof",
        ),
        pytest.param(
            {"gates/01_all_is_well.red.sql": "delete from t;\ncommit;\n"},
            "gates/01_all_is_well.red.sql:2",
            "found `commit`",
            id="red-proof-commits",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE + ";\nselect 2;"},
            "gates/01_all_is_well.sql:8",
            "expected one statement, found 2",
            id="two-statements",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("select 1 where false", "")},
            "gates/01_all_is_well.sql:1",
            "expected one statement, found none",
            id="no-statement",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("false", "1 = $2 and '$3' = $$ $4 $$")},
            "gates/01_all_is_well.sql:6",
            "expected a statement without parameters, found `$2`",
            id="wants-a-value",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("select 1", "delete from t --")},
            "gates/01_all_is_well.sql:6",
            "expected a statement that only reads",
            id="writes",
        ),
        pytest.param(
            {
                "gates/01_all_is_well.sql": GATE.replace(
                    "select 1", "with gone as (delete from t returning 1) select 1 from gone"
                )
            },
            "gates/01_all_is_well.sql:6",
            "expected a statement that only reads",
            id="writes-in-with",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("-- level: required\n", "")},
            "gates/01_all_is_well.sql:1",
            "expected header key `level`",
            id="no-level",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("required", "vital")},
            "gates/01_all_is_well.sql:2",
            "expected `level` to be required or informational, found `vital`",
            id="unknown-level",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("-- of:", "-- after: 09_no\n-- of:")},
            "gates/01_all_is_well.sql:3",
            "found `09_no`, no batch",
            id="after-no-batch",
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace("-- of:", "-- after: 04_second\n-- of:")},
            "gates/01_all_is_well.sql:3",
            "one without a `present` expression",
            id="after-cannot-be-asked",
        ),
        pytest.param(
            {"gates/01_other.sql": GATE, "gates/01_other.red.sql": RED},
            "gates/01_other.sql",
            "found 1 also at 01_all_is_well",
            id="duplicate-gate",
        ),
        pytest.param(
            {"gates/well.sql": GATE}, "gates/well.sql", "expected a name", id="unnumbered"
        ),
        pytest.param(
            {"gates/01_all_is_well.sql": GATE.replace('"t"', ",")},
            "gates/01_all_is_well.sql:3",
            "expected names for header key `of`, found `,`",
            id="of-no-table",
        ),
        pytest.param(
            {"gates/old/01_x.sql": GATE},
            "gates/old/01_x.sql",
            "expected gates in gates alone, found one in a folder below",
            id="gate-in-a-folder-below",
        ),
        pytest.param(
            {"gates/01_x.sql/notes.md": ""},
            "gates/01_x.sql",
            "found the folder `01_x.sql`",
            id="gate-is-a-folder",
        ),
        pytest.param(
            {"gates/02_x.SQL": GATE}, "gates/02_x.SQL", "found `02_x.SQL`", id="gate-in-capitals"
        ),
        *(
            pytest.param(
                {f"sql/{name}": "select 1;"},
                f"sql/{name.partition('/')[0]}",
                "expected a folder name such as 01_verb_object",
                id=name,
            )
            for name in (
                "05_add-x/migration.sql",
                "05 add x/README.md",
                "05/validation.sql",
                "(5)_add_x/README.md",
                "05_add_x.sql",
                "05_add_x",
            )
        ),
        pytest.param(
            {"sql/03_first/Validation.sql": "select 1;"},
            "sql/03_first/Validation.sql",
            "expected a file named validation.sql, found none",
            id="batch-file-in-capitals",
        ),
        pytest.param(
            {"sql/03_first/validation.sql/notes.md": ""},
            "sql/03_first/validation.sql",
            "expected a file named validation.sql, found none",
            id="batch-file-is-a-folder",
        ),
        pytest.param(
            {"sql/03_first/rollback.sql": "-- Drops t.\n-- transaction: all\n\ndrop table t;"},
            "sql/03_first/rollback.sql:2",
            "expected `transaction` to be none, found `all`",
            id="unknown-transaction",
        ),
        pytest.param(
            {"sql/04_second/migration.sql": "-- Adds a.\n-- requires: ,\n\nselect 1;"},
            "sql/04_second/migration.sql:2",
            "expected `requires` to name batches, found none",
            id="requires-nothing",
        ),
        pytest.param(
            {"sql/03_first/migration.online.sql": "\\bind 1\n"},
            "sql/03_first/migration.online.sql:1",
            "unknown psql command \\bind",
            id="unknown-command-online",
        ),
        pytest.param(
            {"sql/03_first/migration.online.sql": "select 'open\n"},
            "sql/03_first/migration.online.sql:1",
            "never closed",
            id="unclosed-quote-online",
        ),
        pytest.param(
            {"sql/03_first/migration.online.sql": "-- Online.\n-- presnt: x\n\nselect 1;"},
            "sql/03_first/migration.online.sql:2",
            "found `presnt`",
            id="unknown-key-online",
        ),
        pytest.param(
            {"sql/05_online/migration.online.sql": "select 1;"},
            "sql/05_online",
            "found migration.online.sql alone",
            id="online-alone",
        ),
        pytest.param(
            {"scenarios/sample/²³.sql": "select 1;"},
            "scenarios/sample/²³.sql",
            "expected the number of a batch, found `²³`",
            id="superscript-sample",
        ),
        pytest.param(
            {"scenarios/sample/3.sql": "select 1;"},
            "scenarios/sample/3.sql",
            "expected one sample file for batch 3, found 03.sql too",
            id="two-samples",
        ),
        pytest.param(
            {"scenarios/sample/04.sql": "select 1;\n\\bind 1\n"},
            "scenarios/sample/04.sql:2",
            "unknown psql command \\bind",
            id="unknown-command-in-sample",
        ),
        pytest.param(
            {"scenarios/sample/04.sql": "select 'open;"},
            "scenarios/sample/04.sql:1",
            "never closed",
            id="unclosed-quote-in-sample",
        ),
        pytest.param(
            {"scenarios/sample/04.sql": "select 1;\nselect '\udcff';"},
            "scenarios/sample/04.sql:2",
            "expected UTF-8, found byte 0xff",
            id="sample-not-utf8",
        ),
        pytest.param(
            {"scenarios/sample/09.sql": "select 1;"},
            "scenarios/sample/09.sql",
            "expected the number of a batch",
            id="orphan-sample",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_a_remedy(project, changes, at, said):
    problems = project(changes).problems
    (message,) = [problem.message for problem in problems if problem.message.at == at]
    assert said in message.headline
    assert message.fix or "open" in at or not said


def test_every_problem_is_reported_not_just_the_first(project):
    suite = project(
        {
            "sql/06_late/validation.sql": "select 1;",
            "gates/well.sql": GATE,
            "scenarios/sample/09.sql": "select 1;",
        }
    )
    assert len(suite.problems) == 3


def test_hidden_files_and_folders_without_a_number_are_passed_by(project, tmp_path):
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates/.#01_all_is_well.sql").symlink_to("someone@host.1234")
    suite = project(
        {
            "gates/._01_all_is_well.sql": "\0",
            "scenarios/sample/.03.sql": "\0",
            "sql/.05_x/migration.sql": "\0",
            "sql/add_x/migration.sql": "select 1;",
            "sql/2025_notes.md": "",
            "gates/notes/README.md": "",
        }
    )
    assert suite.problems == ()
    assert len(suite.batches) == 2


@pytest.mark.parametrize(
    "path", ["gates/02_x.sql", "sql/03_first/validation.sql", "sql/05_x", "scenarios/sample/04.sql"]
)
def test_a_link_that_leads_nowhere_is_named(project, tmp_path, path):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).symlink_to("nowhere")
    (problem,) = project({}).problems
    assert problem.message.at == path


@pytest.mark.parametrize(
    "path",
    [
        "sql",
        "sql/03_first",
        "sql/03_first/migration.sql",
        "sql/03_first/rollback.sql",
        "gates",
        "gates/01_all_is_well.sql",
        "gates/01_all_is_well.red.sql",
        "scenarios",
        "scenarios/sample",
        "scenarios/sample/03.sql",
    ],
)
def test_what_this_user_may_not_read_is_named(project, ordinary_root, path):
    after = GATE.replace("-- of", "-- after: 03_first\n-- of")
    project({"gates/01_all_is_well.sql": after}, ordinary_root)
    mode = (ordinary_root / path).stat().st_mode
    (ordinary_root / path).chmod(0)
    problems = discover(settings(ordinary_root)).problems
    (ordinary_root / path).chmod(mode)
    (problem,) = problems
    assert problem.message.at.startswith(path)
    assert problem.message.cause == "Permission denied"


def test_a_folder_that_a_setting_names_must_exist(tmp_path):
    chosen = replace(settings(tmp_path), chosen={"batchgate_gates": tmp_path / "checks"})
    (problem,) = discover(chosen).problems
    assert problem.message.headline == "batchgate_gates: expected a folder, found none at checks"
