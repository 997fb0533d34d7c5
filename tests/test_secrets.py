"""Whatever goes wrong, and wherever pytest writes: no password and no person's data comes out."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sound import SOUND
from wires import Guarded, password_server

from batchgate.findings import MASK

SECRET = "Tr0ub4dor&3 ü"
ENCODED = quote(SECRET, safe="")
# A piece of it that survives every way of writing it.
KERNEL = re.compile(rb"Tr0ub4dor|tr0ub4dor|4dor&|4dor%26")
PEOPLE = re.compile(rb"ann@example\.org|bob@example\.org|170 ?1234567|O'Hara|Hara")
ROWS = """
create table orders (id int primary key, currency text, email text, phone text);
insert into orders values
    (1, 'EUR', 'ann@example.org', '+49 170 1234567'),
    (2, null, 'bob@example.org', 'Ann "the Ox" O''Hara');
grant select on orders to gate_reader;
create function told(words text) returns int language plpgsql as $$
begin raise exception 'no such number: %', words; end $$;
"""

# Each of them fails in another way, and none of it is masked by the gate itself.
GATES = {
    "02_cast": "select id, email::int from orders",
    "03_json": "select id, (phone || email)::jsonb from orders",
    "04_raise": "select id, told(email) from orders",
    "05_name": "select id, phone::regclass from orders",
    "06_shown": "select id, email, phone from orders",
}
HEADER = """\
-- Every order is as it should be ({name}).
-- level: required
-- after: 01_add_orders
-- of: orders
-- show: id
-- fix: Look at it.

{query}
"""

# What a project's own tests may do with the connection string that they, too, know.
OWN = """
import logging
import os
import re
import subprocess
import sys
import warnings

import psycopg
import pytest

DSN = os.environ["PLANTED"]
SHOWN = os.environ["PLANTED_SECRET"]


@pytest.fixture(params=[DSN])
def target(request):
    return request.param


@pytest.fixture
def broken():
    dsn = DSN
    raise RuntimeError(f"no fixture for {dsn}")


def test_local(request):
    dsn, config, environment = DSN, request.config, dict(os.environ)
    arguments, namespace = config.invocation_params, config.option
    parts = {"password": SHOWN, "bytes": SHOWN.encode()}
    assert dsn == f"other than {SHOWN}", parts


def test_written(capsys, record_property):
    print(DSN)
    print(SHOWN, file=sys.stderr)
    logging.getLogger("own").warning("connecting to %s", DSN)
    try:
        raise ValueError(f"not {SHOWN}")
    except ValueError:
        logging.getLogger("own").exception("with a traceback")
    record_property("dsn", DSN)
    assert 0


def test_a_child_writes():
    subprocess.run([sys.executable, "-c", "import os; print(os.environ['PLANTED'])"], check=True)
    assert 0


def test_warned():
    warnings.warn(f"a warning about {DSN}")


def test_driver():
    psycopg.connect(DSN, port="1", connect_timeout=2)


def test_chained():
    try:
        test_driver()
    except psycopg.Error as error:
        raise RuntimeError(f"could not reach {DSN}") from error


def test_fixture(broken):
    pass


def test_parameter_of_a_fixture(target):
    assert not target


@pytest.mark.parametrize("dsn", [DSN])
def test_parameter(dsn):
    assert not dsn


@pytest.mark.parametrize("given", [SHOWN.encode(), re.compile(SHOWN)])
def test_parameter_of_another_kind(given):
    pass


def test_laid_out():
    assert {DSN: SHOWN, "more": [SHOWN] * 3} == {}


def test_laid_out_bytes():
    assert [SHOWN.encode() * 2, DSN.encode()] == []


@pytest.mark.xfail(reason=f"because of {SHOWN}", strict=True)
def test_expected():
    assert 0, DSN


def test_skipped():
    pytest.skip(f"no {DSN}")


def test_subtests(subtests):
    with subtests.test(msg=DSN, secret=SHOWN):
        print(DSN)
        assert not DSN
"""
COLLECTION = 'import os\nraise RuntimeError("cannot read " + os.environ["PLANTED"])\n'
ENDING = """
import os

def pytest_sessionfinish(session):
    try:
        raise ValueError("first " + os.environ["PLANTED"])
    except ValueError as error:
        raise RuntimeError("cannot end " + os.environ["PLANTED"]) from error
"""
INTERNAL = """
import os
import pytest

@pytest.hookimpl
def pytest_runtest_setup(item):
    if item.name == os.environ.get("BREAKS_IN"):
        dsn = os.environ["PLANTED"]
        raise (KeyboardInterrupt if "INTERRUPTS" in os.environ else pytest.exit.Exception)(dsn)

def pytest_collection_modifyitems(config, items):
    dsn = os.environ["PLANTED"]
    if "BREAKS" in os.environ:
        raise RuntimeError("cannot order by " + dsn)
"""
# What another plugin may read of a report before ours hears of it again.
READER = """
import pytest
from pathlib import Path

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    with Path("read.txt").open("a") as kept:
        kept.write(report.longreprtext + str(report.user_properties))
"""
LOUD = (
    *("-l", "--tb=long", "-rA", "-W", "default", "--junitxml=junit.xml", "--html=page.html"),
    *("--log-file=log.txt", "--log-level=DEBUG", "--metrics-file=metrics.prom"),
    *("-o", "junit_logging=all"),
)
LOUDEST = (
    *LOUD,
    *("-vv", "--debug", "--full-trace", "--setup-show", "--traceconfig", "--durations=0"),
    *("-o", "log_cli=true"),
)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with password_server(password=SECRET) as server:
        with psycopg.connect(server.server.conninfo("postgres"), autocommit=True) as owner:
            owner.execute(ROWS)
        yield server


class Project:
    """An example project in a folder of its own, and everything that a run of it writes."""

    def __init__(self, root: Path, guarded: Guarded) -> None:
        self.root = root
        self.guarded = guarded
        self.home = root.parent / "home"
        self.home.mkdir()
        port = guarded.server.port
        self.url = f"postgresql://gate_reader:{ENCODED}@127.0.0.1:{port}/postgres"
        self.keywords = (
            f"host=127.0.0.1 port={port} dbname=postgres user=gate_reader password='{SECRET}'"
        )
        self.bare = f"host=127.0.0.1 port={port} dbname=postgres user=gate_reader"
        gates = {
            f"gates/{name}.sql": HEADER.format(name=name, query=query)
            for name, query in GATES.items()
        }
        reds = {f"gates/{name}.red.sql": "insert into orders (id) values (-1);" for name in GATES}
        for path, text in {**SOUND, **gates, **reds}.items():
            self.write(path, text)
        self.write("pytest.ini", "[pytest]\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run(self, *arguments: str, **variables: str) -> tuple[int, bytes]:
        """Run pytest and return its exit code and all that it wrote, anywhere."""
        before = {path: path.read_bytes() for path in self._files()}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "BATCH"))
        }
        planted = {"PLANTED": self.url, "PLANTED_SECRET": SECRET, "HOME": str(self.home)}
        ended = subprocess.run(
            (sys.executable, "-m", "pytest", *arguments),
            cwd=self.root,
            env={**kept, **planted, "COLUMNS": "200", **variables},
            capture_output=True,
            check=False,
        )
        written = [ended.stdout, ended.stderr]
        for path in self._files():
            if before.get(path) != path.read_bytes():
                written.append(f"\n--- {path.name}\n".encode() + path.read_bytes())
        return ended.returncode, b"\n".join(written)

    def _files(self) -> list[Path]:
        files = self.root.rglob("*")
        # Compiled code holds no value of a run.
        return [path for path in files if path.is_file() and path.suffix != ".pyc"]


@pytest.fixture
def project(tmp_path, guarded) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", guarded)


def assert_silent(written: bytes) -> None:
    """Show where a secret or a person's data came out, by the words around it."""
    for pattern in (KERNEL, PEOPLE):
        found = pattern.search(written)
        around = written[max(found.start() - 300, 0) : found.end() + 200] if found else b""
        assert not found, around.decode(errors="replace")


def end_of(written: bytes) -> str:
    """Return enough of what was written to see what went wrong."""
    return written[-6000:].decode(errors="replace")


# The proofs that gates can fail need a server of their own, and know no connection string.
GREEN = ("-k", "not red")


def form(project: Project, name: str) -> tuple[list[str], dict[str, str]]:
    """Return arguments and variables that name the target in one of the ways there are."""
    port = project.guarded.server.port
    match name:
        case "url":
            return ["--dsn", project.url], {}
        case "service":
            section = f"[shop]\nhost=127.0.0.1\nport={port}\nuser=gate_reader\npassword={SECRET}\n"
            (project.home / "services").write_text(section + "dbname=postgres\n")
            return ["--dsn=service=shop"], {"PGSERVICEFILE": str(project.home / "services")}
        case "password-file":
            (project.home / ".pgpass").write_text(f"*:*:*:gate_reader:{SECRET}\n")
            (project.home / ".pgpass").chmod(0o600)
            return [f"--dsn={project.bare}"], {}
    project.write("pytest.ini", f"[pytest]\nbatchgate_dsn = {project.keywords}\n")
    return [], {}


@pytest.mark.parametrize("name", ["url", "service", "password-file", "setting"])
def test_no_form_of_connection_string_gives_its_password_away(project, name):
    project.write("test_own.py", OWN)
    project.write("conftest.py", READER)
    arguments, variables = form(project, name)
    loud = LOUDEST if name == "url" else LOUD
    code, written = project.run("gates", "test_own.py", *GREEN, *arguments, *loud, **variables)
    assert code == 1, end_of(written)
    assert b"test_parameter_of_a_fixture" in written
    assert b"host=127.0.0.1" in written
    assert MASK.encode() in written
    assert_silent(written)


@pytest.mark.parametrize("loud", [LOUD, LOUDEST], ids=["loud", "loudest"])
def test_colours_give_nothing_away(project, loud):
    project.write("test_own.py", OWN)
    arguments, _ = form(project, "setting")
    code, written = project.run("gates", "test_own.py", *GREEN, *arguments, *loud, "--color=yes")
    assert code == 1, end_of(written)
    assert b"\x1b[33m" in written
    assert_silent(written)


def test_workers_give_nothing_away(project):
    project.write("test_own.py", OWN)
    code, written = project.run(
        *("gates", "test_own.py", *GREEN, "--dsn", project.url, "-n", "2"),
        *(*LOUDEST, "-p", "no:cacheprovider"),
    )
    assert code == 1, end_of(written)
    assert b"worker" in written
    assert_silent(written)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param((ENCODED, "Tr0ub4dor@3"), b"found another @", id="at-sign"),
        pytest.param((ENCODED, "Tr0ub4dor%3"), b"one that it cannot", id="percent"),
    ],
)
def test_a_malformed_connection_string_gives_nothing_away(project, change, said):
    url = project.url.replace(*change)
    code, written = project.run("gates", "--dsn", url, *LOUD, PLANTED=url)
    assert code == 4
    assert said in written, end_of(written)
    assert_silent(written)


def test_targets_that_cannot_be_reached_give_nothing_away(project):
    changes = {
        "host": ("127.0.0.1", "nowhere.invalid"),
        "password": (ENCODED, f"{ENCODED}x"),
        "database": ("/postgres", "/nowhere"),
    }
    targets = [f"--dsn={name}={project.url.replace(*each)}" for name, each in changes.items()]
    code, written = project.run("gates", *GREEN, *targets, *LOUD)
    assert code == 1
    for said in (b"failed to resolve host", b"password authentication failed", b"does not exist"):
        assert said in written, end_of(written)
    assert_silent(written)


@pytest.mark.parametrize(
    ("files", "variables", "word"),
    [
        pytest.param({"test_own.py": COLLECTION}, {}, b"cannot read", id="collection"),
        pytest.param({"conftest.py": COLLECTION}, {}, b"cannot read", id="conftest"),
        pytest.param({"conftest.py": ENDING}, {}, b"cannot end", id="session-finish"),
        pytest.param(
            {"conftest.py": INTERNAL}, {"BREAKS": "1"}, b"INTERNALERROR", id="internal-error"
        ),
        pytest.param(
            {"conftest.py": INTERNAL, "test_own.py": OWN},
            {"BREAKS_IN": "test_local"},
            b"Exit",
            id="exit",
        ),
    ],
)
def test_a_run_that_breaks_off_gives_nothing_away(project, files, variables, word):
    for path, text in files.items():
        project.write(path, text)
    places = [path for path in files if path.startswith("test_")]
    _, written = project.run(*places, "gates", *GREEN, "--dsn", project.url, *LOUDEST, **variables)
    assert word in written, end_of(written)
    assert_silent(written)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--collect-only", "-q"), id="collect-only"),
        pytest.param(("--pg-versions=18", "-m", "gates"), id="versions"),
    ],
)
def test_looking_gives_nothing_away(project, arguments):
    project.write("test_own.py", OWN)
    _, written = project.run("--dsn", project.url, "--debug", *arguments)
    assert written.strip()
    assert_silent(written)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("gates", "{url}"), b"file or directory not found", id="place"),
        pytest.param(("gates", "--dns={url}"), b"unrecognized arguments: --dns=", id="option"),
    ],
)
def test_a_connection_string_in_the_wrong_place_is_not_repeated(project, arguments, said):
    code, written = project.run(*(each.format(url=project.url) for each in arguments))
    assert code == 4, end_of(written)
    assert said in written, end_of(written)
    assert_silent(written)


def test_the_search_finds_what_is_planted(project):
    project.write("test_own.py", OWN)
    _, written = project.run("test_own.py", "-l")
    assert KERNEL.search(written)
