"""One suite on several major versions: one run after the other, then what differs side by side."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, NamedTuple

import pytest

from batchgate.binaries import Binaries, Candidate, find_major
from batchgate.config import Settings
from batchgate.errors import BatchgateError
from batchgate.fetch import PINNED, fetched
from batchgate.verdict import counted

OPTION = "--pg-versions"
RECORD = "versions.txt"

_OURS = ("--pg-bin", OPTION)
_PAGES = ("--html", "--junitxml", "--junit-xml", "--metrics-file")
_SHOWN = 20
_ABSENT = "–"


class Fact(NamedTuple):
    """One attribute of an object on each version; a tab parts its class and its identity."""

    name: str
    attribute: str
    values: tuple[str, ...]


@dataclass
class VersionRun:
    """How the suite ended on one server; a run that was stopped has no record."""

    binaries: Binaries
    exit_code: int
    verdict: str = "no record: the run was stopped"
    words: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)


def majors_of(text: str) -> list[int]:
    """Read ``14,15,18`` or ``all``; raises UsageError on anything else."""
    words = list(map(str, PINNED)) if text.strip() == "all" else re.split(r"[,\s]+", text.strip())
    if not all(word.isdigit() and int(word) in PINNED for word in words):
        raise pytest.UsageError(
            f"{OPTION}: expected major versions of {min(PINNED)} to {max(PINNED)}, such as "
            f"14,15,18, or all, found {text or 'nothing'}"
        )
    return list(dict.fromkeys(map(int, words)))


def run_versions(settings: Settings, arguments: Sequence[str], majors: Sequence[int]) -> int:
    """Run pytest with the same arguments on each major, then compare; return the exit code."""
    try:
        servers = [find_major(major, list(_preferred(settings, major))) for major in majors]
    except BatchgateError as error:
        raise pytest.UsageError(str(error)) from None
    runs = []
    for server in servers:
        print(f"\n{_heading(f'PostgreSQL {server.version}')}", flush=True)
        runs.append(_run(settings, arguments, server))
        if runs[-1].exit_code == pytest.ExitCode.INTERRUPTED:
            break
    lines = list(compared(runs))
    settings.reports.mkdir(parents=True, exist_ok=True)
    (settings.reports / RECORD).write_text("\n".join(lines) + "\n", encoding="utf-8")
    _show(lines, settings.relative(settings.reports / RECORD))
    return worst([run.exit_code for run in runs])


def _preferred(settings: Settings, major: int) -> Iterator[Candidate]:
    if settings.pg_bin:
        yield Candidate(settings.pg_bin_source, Path(settings.pg_bin))
    yield Candidate("fetched", fetched(major))


def _run(settings: Settings, arguments: Sequence[str], server: Binaries) -> VersionRun:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        ended = subprocess.run(
            (
                *(sys.executable, "-m", "pytest", "-p", "batchgate.recorder"),
                *(f"--pg-bin={server.directory}", *own_pages(arguments, server.major)),
                # A target that the environment or the ini file names has a version of its own.
                *("-o", "batchgate_dsn="),
                *("-o", f"batchgate_reports={settings.reports / f'postgresql-{server.major}'}"),
            ),
            env={**os.environ, "BATCHGATE_RECORD": str(record), "BATCHGATE_DSN": ""},
            check=False,
        )
        found = json.loads(record.read_text()) if record.is_file() else {}
    return VersionRun(server, ended.returncode, **found)


def own_pages(arguments: Sequence[str], major: int) -> Iterator[str]:
    """Leave out what is ours, and give each version's pages a name of their own."""
    words = iter(arguments)
    for word in words:
        name, joined, value = word.partition("=")
        if name in _OURS or name in _PAGES:
            value = value if joined else next(words, "")
        if name in _PAGES:
            path = Path(value)
            yield f"{name}={path.with_name(f'{path.stem}-{major}{path.suffix}')}"
        elif name not in _OURS:
            yield word


def compared(runs: Sequence[VersionRun]) -> Iterator[str]:
    """Write side by side how the runs ended, and which schema each server gave."""
    versions = [run.binaries.version for run in runs]
    yield from _table(("PostgreSQL", "verdict", "tests"), list(map(_summary, runs)))
    yield ""
    yield from _differing_tests(runs, versions)
    yield ""
    yield from _differing_schema(runs, versions)


def _summary(run: VersionRun) -> tuple[str, ...]:
    words = list(run.words.values())
    told = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words)))
    return run.binaries.version, run.verdict, told or "none"


def _differing_tests(runs: Sequence[VersionRun], versions: Sequence[str]) -> Iterator[str]:
    names = dict.fromkeys(name for run in runs for name in run.words)
    rows = [(name, *(run.words.get(name, _ABSENT) for run in runs)) for name in names]
    rows = [row for row in rows if len(set(row[1:])) > 1]
    if not rows:
        yield "Every test ends alike on all of them."
        return
    yield f"{counted(len(rows), 'test')} that {'ends' if len(rows) == 1 else 'end'} differently:"
    yield from _table(("test", *versions), rows)


def _differing_schema(runs: Sequence[VersionRun], versions: Sequence[str]) -> Iterator[str]:
    """Tell each difference at the first batch where it is seen, as the server deparses it."""
    told: set[tuple[str, str]] = set()
    batches = dict.fromkeys(name for run in runs for name in run.schema)
    for batch in batches:
        stands = [run.schema.get(batch, {}) for run in runs]
        found = [each for each in _facts(stands) if each[:2] not in told]
        told.update(each[:2] for each in found)
        if found:
            verb = "differs" if len(found) == 1 else "differ"
            yield f"{batch}: {counted(len(found), 'fact')} of the schema {verb}:"
            yield from _grouped(found, versions)
    if batches and not told:
        yield "The schema reads alike on all of them."


def _facts(stands: Sequence[Mapping[str, Mapping[str, Any]]]) -> Iterator[Fact]:
    for name in sorted({name for facts in stands for name in facts}):
        for attribute, values in _values([facts.get(name) for facts in stands]):
            yield Fact(name, attribute, tuple(values))


def _values(facts: Sequence[Mapping[str, Any] | None]) -> Iterator[tuple[str, list[str]]]:
    """Yield the attributes that differ; one line alone for what does not stand everywhere.

    What a version does not know of is null there, and no difference.
    """
    standing = [each for each in facts if each is not None]
    if len(standing) < len(facts):
        yield "", [_ABSENT if each is None else _telling(each) for each in facts]
        return
    for attribute in sorted({name for each in standing for name in each}):
        values = [each.get(attribute) for each in standing]
        texts = [json.dumps(value, ensure_ascii=False) for value in values]
        if len({text for text in texts if text != "null"}) > 1:
            yield attribute, texts


def _telling(facts: Mapping[str, Any]) -> str:
    return str(facts.get("definition") or "stands")


def _grouped(found: Sequence[Fact], versions: Sequence[str]) -> Iterator[str]:
    """Write what differs alike under one heading: most of it is one change of the server's."""
    groups: dict[str, list[Fact]] = {}
    for each in found:
        if _ABSENT in each.values and len(set(each.values)) == 2:
            here = [v for v, value in zip(versions, each.values, strict=True) if value != _ABSENT]
            heading = f"on {', '.join(here)} only"
        else:
            heading = each.attribute or "stands differently"
        groups.setdefault(heading, []).append(each)
    for heading, facts in groups.items():
        yield f"  {heading}:"
        for each in facts:
            name = each.name.replace("\t", " ")
            values = dict.fromkeys(value for value in each.values if value != _ABSENT)
            if len(values) == 1:
                yield f"    {name}: {next(iter(values))}"
            else:
                yield f"    {name}:"
                yield from _by_value(each.values, versions)


def _by_value(values: Sequence[str], versions: Sequence[str]) -> Iterator[str]:
    """Write each value once, after the versions that have it."""
    for value in dict.fromkeys(values):
        having = [version for version, each in zip(versions, values, strict=True) if each == value]
        yield f"      {', '.join(having)}: {value}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]
    for row in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _show(lines: Sequence[str], record: str) -> None:
    print(f"\n{_heading('side by side')}")
    long = len(lines) > 3 * _SHOWN
    for line in lines[: 3 * _SHOWN]:
        print(line)
    if long:
        print(f"… and {len(lines) - 3 * _SHOWN} more lines")
    print(f"all of it: {record}", flush=True)


def _heading(title: str) -> str:
    return f" {title} ".center(get_terminal_size().columns, "=")


def worst(codes: Sequence[int]) -> int:
    """Return the code that says most: an odd end before failures, failures before a pass."""
    odd = [code for code in codes if code not in (0, 1, 5)]
    if odd:
        return odd[0]
    return max(codes, key=lambda code: (code == 1, code == 5), default=0)
