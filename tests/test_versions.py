"""One suite on several versions: who is asked, how the runs are told apart, what is compared."""

import io
import json
import tarfile

import pytest

from batchgate import fetch
from batchgate.binaries import Binaries, find_major
from batchgate.errors import ServerUnavailable
from batchgate.versions import VersionRun, compared, majors_of, own_pages, worst


def version_run(version, words=(), schema=None, verdict="No check blocks this merge"):
    binaries = Binaries(directory=None, version=version, source="")
    return VersionRun(binaries, 0, verdict, dict(words), schema or {})


@pytest.mark.parametrize(
    ("text", "majors"),
    [
        pytest.param("14,15,18", [14, 15, 18], id="commas"),
        pytest.param("18 14 18", [18, 14], id="each once, in the order given"),
        pytest.param("all", [14, 15, 16, 17, 18], id="all"),
    ],
)
def test_majors_are_read(text, majors):
    assert majors_of(text) == majors


@pytest.mark.parametrize("text", ["", "13", "19", "15.3", "newest", "14;15"])
def test_anything_else_is_refused(text):
    with pytest.raises(pytest.UsageError, match="expected major versions of 14 to 18"):
        majors_of(text)


def test_a_version_that_is_nowhere_is_named_with_its_remedy():
    with pytest.raises(ServerUnavailable) as caught:
        find_major(99)
    assert caught.value.message.headline == (
        "PostgreSQL 99: expected its programs, found none that run"
    )
    assert "embedded wheel" in caught.value.message.cause
    assert caught.value.message.fix == "Run: python -m batchgate.fetch 99"


def test_each_version_writes_its_own_pages_and_not_ours():
    given = ["sql", "--pg-versions", "14,15", "--pg-bin=x", "--html", "a/page.html", "-q"]
    assert list(own_pages(given, 14)) == ["sql", "--html=a/page-14.html", "-q"]


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        pytest.param([0, 0], 0, id="all pass"),
        pytest.param([0, 1], 1, id="one fails"),
        pytest.param([1, 2], 2, id="interrupted"),
        pytest.param([0, 5], 5, id="one had no tests"),
        pytest.param([4, 1], 4, id="a usage error"),
    ],
)
def test_the_worst_end_is_the_end(codes, code):
    assert worst(codes) == code


def test_tests_that_end_differently_stand_side_by_side():
    runs = [
        version_run("14.23", {"a::x": "passed", "a::y": "failed", "a::z": "passed"}),
        version_run("18.6", {"a::x": "passed", "a::y": "passed"}),
    ]
    lines = list(compared(runs))
    assert lines[1].split("  ")[-1] == "1 failed, 2 passed"
    assert "2 tests that end differently:" in lines
    assert "a::y  failed  passed" in lines
    assert "a::z  passed  –" in lines


def test_the_schema_is_compared_as_each_server_deparses_it():
    view = {"definition": "SELECT a FROM t", "owner": "x"}
    fact = {"view\tpublic.v": view, "relation\tpublic.t": {"enforced": None}}
    newer = {
        "view\tpublic.v": view | {"definition": "SELECT t.a FROM t"},
        "relation\tpublic.t": {"enforced": True},
        'constraint\t"t_a" on public.t': {"definition": "NOT NULL a"},
    }
    later = {**newer, "view\tpublic.w": view}
    runs = [
        version_run("14.23", schema={"01_a": fact, "02_b": {**fact, "view\tpublic.w": view}}),
        version_run("18.6", schema={"01_a": newer, "02_b": later}),
    ]
    assert list(compared(runs))[-7:] == [
        "01_a: 2 facts of the schema differ:",
        "  on 18.6 only:",
        '    constraint "t_a" on public.t: NOT NULL a',
        "  definition:",
        "    view public.v:",
        '      14.23: "SELECT a FROM t"',
        '      18.6: "SELECT t.a FROM t"',
    ]


def test_alike_is_said_in_words():
    runs = [version_run(version, schema={"01_a": {"v\tx": {}}}) for version in ("14.23", "18.6")]
    assert "Every test ends alike on all of them." in list(compared(runs))
    assert list(compared(runs))[-1] == "The schema reads alike on all of them."


def test_one_option_runs_the_project_on_a_version_and_keeps_the_comparison(
    project, pytester, batchgate_server
):
    major = batchgate_server.version.partition(".")[0]
    options = (f"--pg-versions={major}", f"--pg-bin={batchgate_server.bin_directory}")
    result = project({}, *options, "gates", "-k", "applies or gates", alone=True)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"*= PostgreSQL {major}.* =*",
            "*No check blocks this merge*",
            "*= side by side =*",
            f"{major}.*No check blocks this merge*passed",
            "Every test ends alike on all of them.",
            "all of it: reports/versions.txt",
        ]
    )
    assert (pytester.path / f"reports/postgresql-{major}/report.html").is_file()


def test_a_version_that_is_unknown_stops_before_anything_runs(project):
    result = project({}, "--pg-versions=97", alone=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*expected major versions of 14 to 18*found 97*"])


def archive(path, *members):
    with tarfile.open(path, "w:gz") as packed:
        for name, text in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o700
            packed.addfile(entry, io.BytesIO(text.encode()))


def test_a_package_is_unpacked_with_the_links_it_asks_for(tmp_path, monkeypatch):
    """A stand-in for npm writes the archive; the real one is asked in the gate of this project."""
    links = [{"source": "native/lib/libx.so.1", "target": "native/lib/libx.so"}]
    members = (
        ("package/native/pg-symlinks.json", json.dumps(links)),
        ("package/native/lib/libx.so.1", ""),
        ("package/native/bin/postgres", ""),
    )
    archive(tmp_path / "made.tgz", *members)
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\ncp {tmp_path}/made.tgz package.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("BATCHGATE_SERVERS", str(tmp_path / "servers"))
    found = fetch.fetch(14)
    assert found == tmp_path / "servers/14/native/bin"
    assert (found / "postgres").stat().st_mode & 0o777 == 0o755
    assert (found.parent / "lib/libx.so").readlink().name == "libx.so.1"
    assert fetch.fetch(14) == found
    assert [path.name for path in (tmp_path / "servers").iterdir()] == ["14"]


def test_a_package_that_reaches_outside_is_refused(tmp_path, monkeypatch):
    archive(tmp_path / "made.tgz", ("package/../../outside", ""))
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\ncp {tmp_path}/made.tgz package.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("BATCHGATE_SERVERS", str(tmp_path / "servers"))
    with pytest.raises(ServerUnavailable, match="expected plain files"):
        fetch.fetch(14)
    assert list((tmp_path / "servers").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(None, "expected npm on the PATH", id="no npm"),
        pytest.param("#!/bin/sh\necho refused >&2\nexit 1\n", "cause: refused", id="npm fails"),
    ],
)
def test_without_npm_the_reason_and_the_remedy_are_said(
    tmp_path, monkeypatch, capsys, script, said
):
    if script:
        (tmp_path / "npm").write_text(script)
        (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + (":/bin" if script else ""))
    monkeypatch.setenv("BATCHGATE_SERVERS", str(tmp_path / "servers"))
    assert fetch.main(["14"]) == 1
    assert said in capsys.readouterr().err
