"""The house keeps its own rules: floors, sizes, words, and nothing left out."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from batchgate.options import option_names

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "batchgate"

# Lowest first; a module imports from floors below its own, never from its own or above.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("particulars", "activity"),
    ("errors", "signs"),
    ("header", "sqltokens", "findings", "limits", "config", "launch", "wholes"),
    ("sqltext", "suite", "run", "listing", "softness", "scrub"),
    ("verdict", "excerpts"),
    ("whereabouts",),
    (
        "binaries",
        "fetch",
        "privileges",
        "serverwords",
        "faults",
        "psqlmeta",
        "psqlsend",
        "gatefiles",
        "trafficfiles",
        "libpq",
        "differences",
        "reading",
    ),
    ("folders", "cluster", "psqlfile", "schematext"),
    (
        "server",
        "psqloutput",
        "batchfiles",
        "samples",
    ),
    ("printed", "discover", "shared", "keys", "mutation"),
    (
        "database",
        "catalog",
        "contract",
        "contents",
        "copies",
        "locks",
        "reach",
        "script",
        "psqlgates",
    ),
    ("gates", "phases"),
    ("batches", "sessions", "redproof", "states", "sigterm", "stores", "targets"),
    ("heights",),
    ("rehearsal", "harness", "undone"),
    ("operate",),
    ("promises", "outcomes"),
    ("invocation", "collect", "results", "report", "terminal", "versions", "outputs"),
    ("fixtures", "recorder", "options", "release", "beginning", "aftermath", "progress"),
    ("plugin", "cli"),
    ("gatescript",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> set[str]:
    """Return the rooms of ours, and the packages of others, that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inner = {f"{module}.{alias.name}" for alias in node.names}
            found |= inner if module == "batchgate" else {module}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_run_strictly_downward(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports_of(path):
        if name.startswith("batchgate."):
            other = name.split(".")[1]
            inside = other == room and (PACKAGE / room).is_dir()
            assert inside or FLOOR_OF[other] < FLOOR_OF[room], f"{room} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_lower_floors_know_neither_pytest_nor_the_driver(path):
    floor = FLOOR_OF.get(room_of(path), 0)
    packages = {name.split(".")[0] for name in imports_of(path)}
    if floor < FLOOR_OF["serverwords"]:
        assert "psycopg" not in packages
    if floor < FLOOR_OF["database"]:
        assert "pytest" not in packages
    if floor > FLOOR_OF["operate"]:
        assert "psycopg" not in packages


def test_every_module_stands_on_a_floor():
    rooms = {room_of(path) for path in MODULES} - {"__init__"}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 320
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < 60, node.name


def test_the_plugin_knows_nothing_of_its_first_user():
    words = re.compile(r"customer|conversation|messenger", re.IGNORECASE)
    files = [*MODULES, *PACKAGE.rglob("*.sql")]
    offending = [path.name for path in files if words.search(path.read_text())]
    assert offending == []


def test_conftest_is_wiring_only():
    assert len((ROOT / "conftest.py").read_text().splitlines()) <= 15


def test_every_batch_has_its_files():
    for folder in sorted((ROOT / "sql").glob("[0-9]*_*")):
        names = {path.name for path in folder.iterdir()}
        assert "README.md" in names or folder.name == "00_baseline", folder.name
        if folder.name == "06_data_quality_gates":
            assert "migration.sql" not in names
        elif folder.name != "00_baseline":
            assert {"migration.sql", "validation.sql", "rollback.sql"} <= names, folder.name


def test_every_option_and_setting_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in option_names() if name not in readme] == []


def test_every_marker_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    plugin = (PACKAGE / "plugin.py").read_text()
    table = plugin[plugin.index("_MARKERS = {") :]
    markers = re.findall(r'^    "(\w+)": ', table[: table.index("}")], re.MULTILINE)
    assert len(markers) > 8
    assert [marker for marker in markers if f"`{marker}`" not in readme] == []


def test_nothing_under_reports_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "reports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert [name for name in listed.stdout.split() if not name.endswith(".gitkeep")] == []


def test_no_one_sleeps():
    pattern = re.compile(r"time\.sleep\(|pg_sleep\(")
    files = [*MODULES, *(ROOT / "scenarios").rglob("*.py"), *(ROOT / "sql").rglob("*.sql")]
    assert [path.name for path in files if pattern.search(path.read_text())] == []


def test_every_link_between_our_pages_leads_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
    ]
    assert links
    assert [
        f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()
    ] == []
