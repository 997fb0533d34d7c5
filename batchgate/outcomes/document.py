"""report.json: everything that is known of a run, as plain values with a version."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from batchgate.findings import Level, Row, State
from batchgate.outcomes.reading import FORMAT, SCHEMA_VERSION
from batchgate.outcomes.words import cut_lines, cut_text, slug, well_formed
from batchgate.outcomes.writing import replace_file
from batchgate.signs import is_unseen
from batchgate.verdict import Application, CheckResult, GateResult, Run, TargetReport, Verdict

MASKING = "every cell is masked but those of the columns that a gate's header lists under `show`"
_SQL = 20_000
_PLAN = 10_000
_TEXT = 4_000
_LINES = 400
_NUMBERED = re.compile(r"\d+")
_UNUSUAL = re.compile(r"[^\n -~]")


class Owed(Protocol):
    """What the page knows of a batch before anything has run."""

    @property
    def name(self) -> str:
        """Return the name of its folder."""

    @property
    def number(self) -> int:
        """Return its place in the order."""

    @property
    def summary(self) -> str:
        """Return the sentence that its migration opens with."""

    @property
    def irreversible(self) -> str:
        """Return why there is no rollback, or nothing."""


@dataclass(frozen=True, kw_only=True)
class About:
    """Where a run's results come from.

    `started` is in UTC, ISO 8601; `command` what pytest was asked to select, without any DSN;
    `limits` what each gate was held to, by name; `snapshot_mode` the one that was asked for;
    `page` the page's path, or nothing; `batches` what the suite holds, in order.
    """

    project: str
    started: str
    seconds: float
    batchgate: str
    python: str
    exit_code: int
    described: str = ""
    command: str = ""
    limits: Mapping[str, str] = field(default_factory=dict)
    samples: int = 5
    masking: str = MASKING
    snapshot_mode: str = ""
    page: str = ""
    batches: Sequence[Owed] = ()


def document_of(run: Run, verdict: Verdict, about: About) -> dict[str, Any]:
    """Return a run as plain JSON values, in reading order; nothing is in it that is not in `run`.

    `docs/outcomes.md` says what each field means, `docs/report.schema.json` what it may hold.
    """
    statements: dict[str, str] = {}
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "verdict": {
            "outcome": slug(verdict.outcome),
            "text": verdict.outcome.value,
            "reason": cut_text(verdict.reason, _TEXT),
        },
        "exit_code": int(about.exit_code),
        "finished": run.finished,
        "figures": _figures(run),
        "targets": [_target(each) for each in run.targets],
        "gates": [_gate(each, statements) for each in run.gates],
        "gates_not_run": _gates_not_run(run),
        "batches": _batches(run, about.batches),
        "checks_not_run": list(map(well_formed, run.checks_not_run)),
        "about": _about(about),
        "statements": statements,
    }


def scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """Return a document whose every text went through `scrub`; names of fields are left alone."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [scrubbed(each, scrub) for each in value]
    if isinstance(value, dict):
        return {name: scrubbed(each, scrub) for name, each in value.items()}
    return value


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write a document at once and whole; raise SuiteError where it cannot be written."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    # Whatever cannot be seen stands in a string, where its escape means the same.
    safe = _UNUSUAL.sub(
        lambda match: json.dumps(match[0])[1:-1] if is_unseen(match[0]) else match[0], text
    )
    replace_file(path, safe + "\n")


def _plain(value: Any) -> Any:
    """Return a field's value as JSON has it: what is no number is null there."""
    if isinstance(value, Enum):
        return slug(value)
    if isinstance(value, str):
        return cut_text(value, _TEXT)
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return cut_lines([cut_text(each, _TEXT) for each in value], _LINES)
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}


def _target(target: TargetReport) -> dict[str, Any]:
    return {**_fields(target), "reached": bool(target.role)}


def _gate(gate: GateResult, statements: dict[str, str]) -> dict[str, Any]:
    given = _fields(gate)
    given["cause"] = given["cause"] if gate.cause.value else None
    given["cause_text"] = gate.cause.value
    given["state_text"] = gate.state.value
    given["sample"] = _sample(gate.sample)
    given["plan"] = cut_text(gate.plan, _PLAN)
    del given["sql"]
    given["statement"] = _kept(gate.sql, statements)
    return given


def _kept(sql: str, statements: dict[str, str]) -> str | None:
    """Keep a statement once, however many targets it ran on; return the name it is found by."""
    if not sql:
        return None
    text = cut_text(sql, _SQL)
    name = sha256(text.encode()).hexdigest()[:16]
    statements[name] = text
    return name


def _sample(sample: Sequence[Row]) -> dict[str, Any]:
    columns = sample[0].columns if sample else ()
    return {
        "columns": [well_formed(column) for column in columns],
        "rows": [[well_formed(cell) for cell in row.cells] for row in sample],
    }


def _gates_not_run(run: Run) -> list[dict[str, Any]]:
    """Return each place where a gate of the suite gave nothing, not only each gate."""
    ran = {(gate.name, gate.target) for gate in run.gates}
    places = [target.name for target in run.targets] or [""]
    return [
        {"name": well_formed(name), "target": place, "required": name in run.required_in_suite}
        for name in run.gates_not_run
        for place in places
        if (name, place) not in ran
    ]


def _figures(run: Run) -> dict[str, Any]:
    required = [gate for gate in run.gates if gate.level is Level.REQUIRED]
    return {
        "tests": {word: int(count) for word, count in sorted(run.counts.items())},
        "gates": {
            "in_suite": len(run.gates_in_suite),
            "results": len(run.gates),
            **{slug(state): sum(each.state is state for each in run.gates) for state in State},
            "failing": sum(gate.fails for gate in run.gates),
            "required": len(required),
            "required_passed": sum(gate.state is State.PASSED for gate in required),
            "not_run": len(_gates_not_run(run)),
        },
        "checks": {
            "in_suite": len(run.checks_in_suite),
            "results": len(run.checks),
            **{
                slug(state): sum(each.state is state for each in run.checks)
                for state in (State.PASSED, State.FAILED, State.NOT_EXERCISED)
            },
            "not_run": len(run.checks_not_run),
        },
    }


def _batches(run: Run, owed: Sequence[Owed]) -> list[dict[str, Any]]:
    """Return every batch that the suite holds, or that was applied or checked, in order."""
    known = {each.name: each for each in owed}
    applied = {each.batch: each for each in run.applications}
    promised = {name.partition("/")[0] for name in run.checks_in_suite}
    names = {*known, *applied, *promised, *(check.batch for check in run.checks)}
    rows = [_batch(name, known.get(name), applied.get(name), run) for name in names]
    return sorted(rows, key=lambda row: (row["number"], row["name"]))


def _batch(name: str, owed: Owed | None, applied: Application | None, run: Run) -> dict[str, Any]:
    told = owed or applied
    digits = _NUMBERED.match(name)
    return {
        "name": well_formed(name),
        "number": told.number if told else int(digits[0]) if digits else 0,
        "summary": cut_text(told.summary, _TEXT) if told else "",
        "irreversible": cut_text(owed.irreversible, _TEXT) if owed else "",
        "applied": applied
        and {"seconds": _plain(applied.seconds), "error": cut_text(applied.error, _TEXT)},
        "owes": [
            well_formed(check)
            for batch, _, check in (each.partition("/") for each in run.checks_in_suite)
            if batch == name
        ],
        "checks": [_check(each) for each in run.checks if each.batch == name],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    given = _fields(check)
    del given["batch"]
    return {**given, "state_text": check.state.value, "failed": check.failed}


def _about(about: About) -> dict[str, Any]:
    elsewhere = ("batches", "exit_code")
    given = {name: value for name, value in _fields(about).items() if name not in elsewhere}
    given["limits"] = {well_formed(name): _plain(text) for name, text in about.limits.items()}
    return given
