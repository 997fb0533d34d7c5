"""The folders are read as they are, and what is wrong is named with its place and its remedy."""

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

    def read(changes: dict[str, str | None]) -> Suite:
        for path, text in {**files, **changes}.items():
            if text is not None:
                target = tmp_path / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text.encode())
        return discover(settings(tmp_path))

    return read


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
