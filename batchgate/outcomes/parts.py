"""The parts of a document: targets, gates, batches and tests, each as plain JSON values."""

import math
import re
from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from hashlib import sha256
from typing import Any

from batchgate.findings import Row
from batchgate.outcomes.words import cut_lines, cut_text, slug, well_formed
from batchgate.run import (
    Application,
    CheckResult,
    GateResult,
    Promised,
    Run,
    TargetReport,
    TestResult,
)
from batchgate.scrub import without_sql_passwords

TEXT = 4_000
_SQL = 20_000
_PLAN = 10_000
_LINES = 400
_SAID = 20_000
# What all tests of a run may say together: a run that fails everywhere says the same everywhere.
_SAID_IN_ALL = 4_000_000
_NUMBERED = re.compile(r"\d+")


def plain(value: Any) -> Any:
    """Return a field's value as JSON has it: what is no number is null there."""
    if isinstance(value, Enum):
        return slug(value)
    if isinstance(value, str):
        return cut_text(value, TEXT)
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return cut_lines([cut_text(each, TEXT) for each in value], _LINES)
    return value


def plain_fields(value: Any) -> dict[str, Any]:
    """Return the fields of one of our values, each as JSON has it."""
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}


def target_part(target: TargetReport) -> dict[str, Any]:
    """Return what is known of a target."""
    return {**plain_fields(target), "reached": bool(target.role)}


def gate_part(gate: GateResult, statements: dict[str, str]) -> dict[str, Any]:
    """Return how a gate ended; its statement is kept among the statements, under its name."""
    given = plain_fields(gate)
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
    text = cut_text(without_sql_passwords(sql), _SQL)
    name = sha256(text.encode()).hexdigest()[:16]
    statements[name] = text
    return name


def _sample(sample: Sequence[Row]) -> dict[str, Any]:
    columns = sample[0].columns if sample else ()
    return {
        "columns": [well_formed(column) for column in columns],
        "rows": [[well_formed(cell) for cell in row.cells] for row in sample],
    }


def batch_parts(run: Run, statements: dict[str, str]) -> list[dict[str, Any]]:
    """Return every batch that the suite holds, or that was applied or checked, in order."""
    known = {each.name: each for each in run.promised}
    applied = {each.batch: each for each in run.applications}
    promised = {name.partition("/")[0] for name in run.checks_in_suite}
    names = {*known, *applied, *promised, *(check.batch for check in run.checks)}
    rows = [_batch(known.get(name), applied.get(name), name, run, statements) for name in names]
    return sorted(rows, key=lambda row: (row["number"], row["name"]))


def _batch(
    owed: Promised | None,
    applied: Application | None,
    name: str,
    run: Run,
    statements: dict[str, str],
) -> dict[str, Any]:
    told = owed or applied
    digits = _NUMBERED.match(name)
    return {
        "name": well_formed(name),
        "number": told.number if told else int(digits[0]) if digits else 0,
        "summary": cut_text(told.summary, TEXT) if told else "",
        "irreversible": cut_text(owed.irreversible, TEXT) if owed else "",
        "applied": applied
        and {"seconds": plain(applied.seconds), "error": cut_text(applied.error, TEXT)},
        "owes": [
            well_formed(check)
            for batch, _, check in (each.partition("/") for each in run.checks_in_suite)
            if batch == name
        ],
        "checks": [_check(each) for each in run.checks if each.batch == name],
        "files": [
            {"name": well_formed(file), "statement": _kept(text, statements)}
            for file, text in (owed.files if owed else ())
        ],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    given = plain_fields(check)
    del given["batch"]
    seen = _texts(check.particulars.as_dict())
    told = {"state_text": check.state.value, "failed": check.failed, "particulars": seen}
    return {**given, **told}


def _texts(value: Any) -> Any:
    """Return what a check saw as JSON has it; its texts are short already."""
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list | tuple) else plain(value)


def test_parts(tests: Sequence[TestResult]) -> list[dict[str, Any]]:
    """Return the tests, what each says cut, and left out once all have said too much."""
    room = _SAID_IN_ALL
    parts = []
    for test in tests:
        text = cut_text(test.text, min(_SAID, max(room, 200)))
        room -= len(text)
        parts.append({**plain_fields(test), "text": text})
    return parts
