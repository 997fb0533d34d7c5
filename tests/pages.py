"""Small projects whose pages are looked at: one for each way in which a run ends."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sound import FIRST, FIRST_BACK, FIRST_CHECK, SOUND

PAGE, REPORT = "reports/report.html", "reports/report.json"
# The report of the call before, and what the failing example's tests reported.
BEFORE, REPORTS = "before.json", "reports.jsonl"
PATIENCE = 300.0

_GATE, _RED = "gates/01_orders_have_currency.sql", "gates/01_orders_have_currency.red.sql"
_SAMPLE = "scenarios/sample/01.sql"
# With the sound project's first batch alone: what is looked at is not what it proves.
SMALL = {
    "pytest.ini": SOUND["pytest.ini"],
    "sql/01_add_orders/migration.sql": FIRST,
    "sql/01_add_orders/rollback.sql": FIRST_BACK,
    "sql/01_add_orders/validation.sql": FIRST_CHECK,
    **{path: SOUND[path] for path in (_GATE, _RED, _SAMPLE)},
}
ADDS_NOTES = """\
-- Orders can carry notes.
-- requires: 01_add_orders
-- present: to_regclass('notes') is not null

begin;
create table notes (id int primary key, order_id int references orders (id), body text);
create index notes_order on notes (order_id);
alter table orders add column note_count int not null default 0;
create index orders_email on orders (email);
commit;
"""
DROPS_HALF = "begin;\ndrop table notes;\ndrop index orders_email;\ncommit;\n"
FEW = """\
-- There are fewer than three orders.
-- title: Few orders
-- level: informational
-- of: orders
-- show: id
-- fix: Look whether all of them are meant.

select id, email from orders where (select count(*) from orders) > 2 order by id
"""
NEVER_RED = """\
-- No order has a number below zero.
-- level: required
-- of: orders
-- fix: Renumber it.

select id from orders where id < 0 order by id
"""
ROLES = """\
-- Users and assistants have both written messages.
-- title: Message Role Distribution
-- level: informational
-- of: orders
-- show: role, messages, percent, finding
-- fix: Compare the roles with those who wrote.
-- rows: figures

select
    role,
    messages,
    percent,
    case when exists (select from orders where email = 'x') then 'too few' end as finding
from (values
    ('assistant', 9, 0.8),
    ('system', 120, 10.5),
    ('user', 1013, 88.7)
) as counted (role, messages, percent)
order by role
"""
SCENARIOS = '''\
"""Do orders keep what they must?"""

import pytest


@pytest.fixture
def broken():
    raise RuntimeError("the fixture broke")


def test_an_order_is_found():
    pass


def test_an_order_is_not_lost():
    print("what was printed before")
    assert "the order's number" == "another number"


def test_a_fixture_breaks(broken):
    pass


@pytest.mark.skip(reason="waits for another day")
def test_an_order_is_sent():
    pass


@pytest.mark.xfail(reason="known to be so", raises=AssertionError)
def test_an_order_is_paid():
    assert 1 == 2
'''
# Keeps what is reported, of the last run alone.
RECORDS = """\
import json

def pytest_runtest_logreport(report):
    told = CONFIG.hook.pytest_report_to_serializable(config=CONFIG, report=report)
    with open("reports.jsonl", "a", encoding="utf-8") as file:
        print(json.dumps(told), file=file)

def pytest_configure(config):
    global CONFIG
    CONFIG = config
    open("reports.jsonl", "w", encoding="utf-8").close()
"""
STOPS = """\
import pytest

def test_first():
    pass

def test_stops():
    {how}

def test_is_never_reached():
    pass
"""
BREAKS = """\
def pytest_runtest_logreport(report):
    if report.when == "call":
        raise RuntimeError("a plugin broke")
"""
TIMED = """\
import pytest

@pytest.mark.parametrize("took", [75, 0.9, 30, 0.002, 1.5, 4000])
def test_takes(took):
    pass
"""
TAKES_LONG = """\
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.nodeid.startswith("test_timed"):
        report.duration = item.callspec.params["took"] if report.when == "call" else 0
    return report
"""
MANY = """\
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_is_one_of_many(number):
    assert number >= {failures}, "one of many that fail"
"""


@dataclass(frozen=True)
class Example:
    """A project, how pytest is called there, and by which code it ends.

    `before` is a call whose outcome this one is compared with.
    """

    files: Mapping[str, str]
    arguments: Sequence[str] = ()
    code: int = 0
    before: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


EXAMPLES: Mapping[str, Example] = {
    "clean": Example(SOUND),
    "failing": Example(
        SOUND
        | {
            "sql/03_add_notes/migration.sql": ADDS_NOTES,
            "sql/03_add_notes/rollback.sql": DROPS_HALF,
            "gates/02_orders_are_few.sql": FEW,
            "gates/02_orders_are_few.red.sql": "insert into orders values (-1), (-2), (-3);",
            "gates/03_orders_count_from_zero.sql": NEVER_RED,
            "gates/03_orders_count_from_zero.red.sql": "update orders set email = 'x';",
            "gates/04_roles_are_both_there.sql": ROLES,
            "gates/04_roles_are_both_there.red.sql": "insert into orders values (-1, 'EUR', 'x');",
            "scenarios/test_orders.py": SCENARIOS,
            "conftest.py": RECORDS,
            _SAMPLE: "insert into orders values (1, 'EUR', 'ann@example.com'),"
            " (2, null, 'bob@example.com'), (3, null, 'cy@example.com');",
        },
        arguments=(f"--compare={REPORT}",),
        code=1,
        before=("gates/01_orders_have_currency.sql",),
    ),
    "interrupted": Example(
        SMALL | {"test_stops.py": STOPS.format(how="raise KeyboardInterrupt")},
        ("gates", "test_stops.py"),
        code=2,
    ),
    "left early": Example(
        SMALL | {"test_stops.py": STOPS.format(how="pytest.exit('enough', returncode=0)")},
        ("sql", "gates", "test_stops.py"),
    ),
    "empty": Example(SMALL, ("gates", "-k", "nothing"), code=5),
    "left out": Example(SMALL, ("gates", "-k", "not green")),
    "not collected": Example(
        SMALL
        | {
            "test_orders.py": "import nothing_of_that_name\n",
            "scenarios/conftest.py": "import nothing_of_that_name\n",
            "scenarios/test_orders.py": SCENARIOS,
        },
        code=2,
    ),
    "broken": Example(SMALL | {"conftest.py": BREAKS}, ("gates",), code=3),
    "many": Example(
        SMALL | {"test_many.py": MANY.format(tests=2000, failures=20)},
        ("gates", "test_many.py"),
        code=1,
    ),
    "timed": Example(
        SMALL | {"conftest.py": TAKES_LONG, "test_timed.py": TIMED}, ("test_timed.py",)
    ),
}
NO_VERDICT = ("interrupted", "left early", "empty", "left out", "not collected", "broken")


def write_project(example: Example, folder: Path) -> None:
    """Write the files of a project."""
    for path, text in example.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def write_page(example: Example, folder: Path, *more: str) -> Path:
    """Write a project, run pytest there, and return where its page is."""
    write_project(example, folder)
    if example.before:
        _run(example, folder, example.before)
        (folder / PAGE).unlink()
        shutil.copy(folder / REPORT, folder / BEFORE)
    ended = _run(example, folder, (*example.arguments, *more))
    assert ended.returncode == example.code, ended.stdout + ended.stderr
    return folder / PAGE


def write_plain_page(example: Example, folder: Path, *arguments: str) -> Path:
    """Let plain pytest-html write the page of a project's own tests."""
    write_project(example, folder)
    plain = ("-p", "no:batchgate", "--html=plain.html", "--self-contained-html")
    tests = [path for path in example.files if path.rpartition("/")[2].startswith("test_")]
    ended = _run(example, folder, (*plain, *arguments, *tests))
    assert (folder / "plain.html").exists(), ended.stdout + ended.stderr
    return folder / "plain.html"


def _run(
    example: Example, folder: Path, arguments: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, as whoever looks at a page does."""
    ours = ("PYTEST_", "BATCHGATE_", "GITHUB_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**environment, **example.environment, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )
