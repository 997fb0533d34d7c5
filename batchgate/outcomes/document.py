"""report.json: everything that is known of a run, as plain values with a version."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchgate.findings import Level, State
from batchgate.outcomes.parts import (
    TEXT,
    batch_parts,
    gate_part,
    plain,
    plain_fields,
    target_part,
    test_parts,
)
from batchgate.outcomes.reading import FORMAT, SCHEMA_VERSION
from batchgate.outcomes.words import cut_text, slug, well_formed
from batchgate.outcomes.writing import replace_file
from batchgate.run import Run
from batchgate.signs import is_unseen
from batchgate.verdict import Verdict

MASKING = "every cell is masked but those of the columns that a gate's header lists under `show`"
_UNUSUAL = re.compile(r"[^\n -~]")


@dataclass(frozen=True, kw_only=True)
class About:
    """Where a run's results come from.

    `started` is in UTC, ISO 8601; `command` what pytest was asked to select, without any DSN;
    `limits` what each gate was held to, by name; `snapshot_mode` the one that was asked for;
    `page` the page's path, or nothing; `environment` what it ran in, by name.
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
    environment: Mapping[str, str] = field(default_factory=dict)


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
            "reason": cut_text(verdict.reason, TEXT),
        },
        "exit_code": int(about.exit_code),
        "finished": run.finished,
        "figures": _figures(run),
        "targets": [target_part(each) for each in run.targets],
        "gates": [gate_part(each, statements) for each in run.gates],
        "gates_in_suite": [
            {"name": well_formed(name), "required": name in run.required_in_suite}
            for name in run.gates_in_suite
        ],
        "gates_not_run": _gates_not_run(run),
        "batches": batch_parts(run, statements),
        "checks_not_run": list(map(well_formed, run.checks_not_run)),
        "tests": test_parts(run.tests),
        "since": None,
        "history": [],
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


def _gates_not_run(run: Run) -> list[dict[str, Any]]:
    """Return each place where a gate of the suite gave nothing, not only each gate."""
    ran = {(gate.name, gate.target) for gate in run.gates}
    places = [target.name for target in run.targets] or [""]
    return [
        {
            "name": well_formed(name),
            "target": well_formed(place),
            "required": name in run.required_in_suite,
        }
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
        "reds": {"failed": run.reds_failed},
    }


def _about(about: About) -> dict[str, Any]:
    given = {name: value for name, value in plain_fields(about).items() if name != "exit_code"}
    for name in ("limits", "environment"):
        named: Mapping[str, str] = getattr(about, name)
        given[name] = {well_formed(label): plain(text) for label, text in named.items()}
    return given
