"""The metrics of a run in the text format of Prometheus, for a scheduled job."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from batchgate.findings import State
from batchgate.outcomes.words import has_result, slug, visible, well_formed
from batchgate.outcomes.writing import replace_file
from batchgate.verdict import Outcome

_MODE = 0o644
# What a metric says stays the same for ever: node_exporter refuses two files that differ in it.
_HELP = {
    "batchgate_build_info": "What ran; always 1.",
    "batchgate_run_timestamp_seconds": "When the run ended, in seconds since 1970.",
    "batchgate_run_duration_seconds": "How long the run took.",
    "batchgate_run_exit_code": "The exit code of the run, as pytest defines them.",
    "batchgate_run_finished": "1 where the run came to its end, 0 where it did not.",
    "batchgate_verdict": "1 for the outcome that the run had, 0 for the others.",
    "batchgate_tests": "Tests by pytest's outcome.",
    "batchgate_checks": "Checks of batches by how they ended.",
    "batchgate_gate_state": "1 for the state that a gate ended in; not_run where it gave nothing.",
    "batchgate_gate_failing": "1 where a gate fails the run, else 0.",
    "batchgate_gate_rows": "Offending rows or figures that a gate counted; absent without a count.",
    "batchgate_gate_no_result": "1 for what kept a gate from a result; absent where it has one.",
    "batchgate_gate_duration_seconds": "How long a gate took, with its tries.",
    "batchgate_gate_tries": "In how many transactions a gate was tried.",
    "batchgate_target_up": "1 where a target could be reached, else 0.",
    "batchgate_target_lag_bytes": "Log that a standby had received and not replayed.",
    "batchgate_target_lag_seconds": "How far a standby was behind.",
}


@dataclass(frozen=True)
class _Sample:
    """One figure under one name."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def metrics_of(document: Mapping[str, Any]) -> str:
    """Return a document's figures; a gate without a count has no rows, rather than none.

    Each series stands once, whatever was run twice: one that stands twice costs all the others.
    """
    project = {"project": document["about"]["project"]}
    series: dict[str, dict[str, float]] = {}
    for sample in _samples(document):
        labels = _labels({**project, **sample.labels})
        series.setdefault(sample.name, {})[labels] = sample.value
    lines = []
    for name, text in _HELP.items():
        if name in series:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{labels} {_number(n)}" for labels, n in series[name].items()]
    return "\n".join(lines) + "\n"


def write_metrics(document: Mapping[str, Any], path: Path) -> None:
    """Write the metrics at once and whole, readable for a collector that is another user."""
    replace_file(path, metrics_of(document), mode=_MODE)


def _samples(document: Mapping[str, Any]) -> Iterator[_Sample]:
    yield from _of_run(document)
    # A gate that was run twice in one place ended as it ended last.
    last = {(gate["name"], gate["target"]): gate for gate in document["gates"]}
    for gate in last.values():
        yield from _of_gate(gate)
    for missing in document["gates_not_run"]:
        yield from _of_missing(missing)
    for target in document["targets"]:
        yield from _of_target(target)


def _of_run(document: Mapping[str, Any]) -> Iterator[_Sample]:
    about, figures = document["about"], document["figures"]
    versions = {"version": about["batchgate"], "python": about["python"]}
    yield _Sample("batchgate_build_info", 1, versions)
    started = datetime.fromisoformat(about["started"])
    # A time without a zone is meant in UTC, not in the zone of this machine.
    started = started if started.tzinfo else started.replace(tzinfo=UTC)
    ended = round(started.timestamp() + about["seconds"], 3)
    yield _Sample("batchgate_run_timestamp_seconds", ended)
    yield _Sample("batchgate_run_duration_seconds", about["seconds"])
    yield _Sample("batchgate_run_exit_code", document["exit_code"])
    yield _Sample("batchgate_run_finished", document["finished"])
    for outcome in map(slug, Outcome):
        is_it = document["verdict"]["outcome"] == outcome
        yield _Sample("batchgate_verdict", is_it, {"outcome": outcome})
    for outcome, count in figures["tests"].items():
        yield _Sample("batchgate_tests", count, {"outcome": outcome})
    for state in (*map(slug, _checked()), "not_run"):
        yield _Sample("batchgate_checks", figures["checks"][state], {"state": state})


def _checked() -> tuple[Enum, ...]:
    return State.PASSED, State.FAILED, State.NOT_EXERCISED


def _of_gate(gate: Mapping[str, Any]) -> Iterator[_Sample]:
    labels = {"gate": gate["name"], "target": gate["target"], "level": gate["level"]}
    yield _Sample("batchgate_gate_state", 1, {**labels, "state": gate["state"]})
    yield _Sample("batchgate_gate_failing", gate["fails"], labels)
    yield _Sample("batchgate_gate_duration_seconds", gate["seconds"], labels)
    yield _Sample("batchgate_gate_tries", gate["tries"], labels)
    if has_result(gate):
        yield _Sample("batchgate_gate_rows", gate["count"], labels)
    else:
        cause = gate["cause"] or gate["state"]
        yield _Sample("batchgate_gate_no_result", 1, {**labels, "cause": cause})


def _of_missing(missing: Mapping[str, Any]) -> Iterator[_Sample]:
    level = "required" if missing["required"] else "informational"
    labels = {"gate": missing["name"], "target": missing["target"], "level": level}
    yield _Sample("batchgate_gate_state", 1, {**labels, "state": "not_run"})
    yield _Sample("batchgate_gate_no_result", 1, {**labels, "cause": "not_run"})


def _of_target(target: Mapping[str, Any]) -> Iterator[_Sample]:
    labels = {"target": target["name"]}
    yield _Sample("batchgate_target_up", target["reached"], labels)
    for unit in ("bytes", "seconds"):
        if target[f"lag_{unit}"] is not None:
            yield _Sample(f"batchgate_target_lag_{unit}", target[f"lag_{unit}"], labels)


def _labels(labels: Mapping[str, str]) -> str:
    """Write labels as the format has it: UTF-8, with backslash, quote and newline escaped."""
    escaped = {name: _label(value) for name, value in labels.items()}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _label(value: str) -> str:
    return "\\n".join(
        visible(well_formed(line)).replace("\\", "\\\\").replace('"', '\\"')
        for line in value.split("\n")
    )


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
