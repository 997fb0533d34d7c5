"""summary.md: a run on one screen, for a pull request or the summary of a job."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from batchgate.outcomes.compare import Change, Comparison, merged
from batchgate.outcomes.markdown import Section, code, fitted, prose, row, table
from batchgate.outcomes.words import has_result
from batchgate.outcomes.writing import append_to, not_written, replace_file
from batchgate.verdict import counted

_Part = Mapping[str, Any]
SUMMARY = "summary.md"
LIMIT = 256 * 1024
# GitHub drops the whole summary of a step that is larger.
STEP_LIMIT = 1024 * 1024
_CUT = "\n\n… cut here: the summary of a step has no more room. report.json has all of it.\n"
_NAMES = 20
_GATES = ("gate", "on", "level", "result", "rows", "time")
_BATCHES = ("batch", "passed", "failed", "not exercised", "not run")
_TARGETS = ("target", "server", "snapshots", "lag", "notes")


def summary_of(document: _Part, comparison: Comparison | None = None) -> str:
    """Return a run as Markdown of at most `LIMIT` bytes; no row of any gate is in it.

    Nor is any target's address, unless a connection failed and its message names the host: a
    summary is read by more people than a report.
    """
    sections = [
        _verdict(document),
        _section("What blocks", list(_blocking(document))),
        _section("Not run", list(_not_run(document))),
        _section("To read", list(_to_read(document))),
        _since(comparison),
        _section(
            "Gates", [*map(_gate_row, _in_order(document["gates"]))], table(_GATES, _GATES[4:])
        ),
        _section("Batches", _batch_rows(document), table(_BATCHES, _BATCHES[1:])),
        _section("Targets", [*map(_target_row, document["targets"])], table(_TARGETS)),
        _about(document),
    ]
    return fitted([section for section in sections if section], LIMIT)


def write_summary(text: str, path: Path, github: str | None = None) -> None:
    """Write the summary, and add it to the file that $GITHUB_STEP_SUMMARY names, if it does.

    What has no room there is cut, and where not even the verdict has, nothing is added.
    """
    replace_file(path, text)
    if not github:
        return
    place = Path(github)
    try:
        taken = place.stat().st_size if place.exists() else 0
    except OSError as error:
        raise not_written(place, error) from None
    # A heading begins a line of its own, whatever stands before it.
    part = _within(f"\n\n{text}" if taken else text, STEP_LIMIT - taken)
    if part:
        append_to(place, part)


def _within(text: str, room: int) -> str:
    whole = text.encode()
    if len(whole) <= room:
        return text
    kept = whole[: max(room - len(_CUT.encode()), 0)].decode(errors="ignore")
    kept = kept[: kept.rfind("\n") + 1]
    return kept.rstrip("\n") + _CUT if kept.strip() else ""


def _verdict(document: _Part) -> Section:
    verdict, about = document["verdict"], document["about"]
    reason = prose(verdict["reason"])
    head = [f"## {prose(verdict['text'])}", ""]
    head += [f"{reason[:1].upper()}{reason[1:]}.", ""] if reason else []
    where = ", ".join(filter(None, (prose(about["project"]), prose(about["described"]))))
    head += [f"What ran: {where}", "", f"Figures: {_figures(document)}"]
    return Section(head)


def _figures(document: _Part) -> str:
    tests, gates = document["figures"]["tests"], document["gates"]
    failed = tests.get("failed", 0) + tests.get("error", 0)
    parts = [f"{failed} of {counted(sum(tests.values()), 'test')} failed"]
    if gates:
        silent = sum(not has_result(gate) for gate in gates)
        required = [gate for gate in gates if gate["level"] == "required"]
        passed = sum(gate["state"] == "passed" for gate in required)
        parts.append(f"{passed} of {counted(len(required), 'required gate')} passed")
        parts.append(f"{counted(sum(gate['fails'] for gate in gates), 'gate')} failing")
        parts.append(f"{silent} without a result")
    return ", ".join((*parts, f"exit code {document['exit_code']}"))


def _section(title: str, lines: Sequence[str], under: Sequence[str] = ()) -> Section | None:
    return Section([f"### {title}", "", *under], lines) if lines else None


def _blocking(document: _Part) -> Iterator[str]:
    for target in document["targets"]:
        if target["error"]:
            yield f"- Target {code(target['name'])}: {prose(target['error'])}"
    for batch in document["batches"]:
        if batch["applied"] and batch["applied"]["error"]:
            yield f"- Batch {code(batch['name'])}: {prose(batch['applied']['error'])}"
        for check in batch["checks"]:
            if _fails(check):
                name = code(f"{batch['name']}/{check['check']}")
                said = prose(check["headline"] or "failed without a message")
                yield f"- Check {name}: {said}{_fix(check)}"
    yield from _points(gate for gate in _in_order(document["gates"]) if gate["fails"])
    others = _others(document)
    if others:
        yield f"- {counted(others, 'other test')}: see the log"


def _others(document: _Part) -> int:
    tests = document["figures"]["tests"]
    checks = sum(_fails(check) for batch in document["batches"] for check in batch["checks"])
    known = checks + sum(gate["fails"] for gate in document["gates"])
    return max(int(tests.get("failed", 0) + tests.get("error", 0) - known), 0)


def _fails(check: _Part) -> bool:
    return bool(check["state"] == "failed")


def _not_run(document: _Part) -> Iterator[str]:
    if not document["finished"]:
        yield "- The run did not finish: what is said here says nothing of the rest."
    for gate in document["gates_not_run"]:
        level = "Required gate" if gate["required"] else "Informational gate"
        yield f"- {level} {code(gate['name'])}{_place(gate)}"
    if document["checks_not_run"] and not _gates_alone(document):
        yield f"- {counted(len(document['checks_not_run']), 'check')} of batches"


def _gates_alone(document: _Part) -> bool:
    """Tell whether a run was for gates on targets, where no batch is on trial."""
    return bool(document["targets"]) and not any(each["checks"] for each in document["batches"])


def _to_read(document: _Part) -> Iterator[str]:
    gates = _in_order(document["gates"])
    yield from _points(gate for gate in gates if not gate["fails"] and gate["state"] != "passed")


def _points(gates: Iterable[_Part]) -> Iterator[str]:
    """Return a line for each gate, and one for all that the same thing kept from a result."""
    groups: dict[tuple[str, ...], list[_Part]] = {}
    for gate in gates:
        alike = ("target", "level", "state", "cause_text", "reason", "fix")
        key = tuple(map(str, map(gate.get, ("name", "target") if has_result(gate) else alike)))
        groups.setdefault(key, []).append(gate)
    for group in groups.values():
        yield _point(group[0]) if len(group) == 1 else _common(group)


def _point(gate: _Part) -> str:
    level = gate["level"].capitalize()
    said = prose(gate["sentence"] or gate["title"])
    return f"- {level} gate {code(gate['name'])}{_place(gate)}: {said} {_found(gate)}{_fix(gate)}"


def _common(gates: Sequence[_Part]) -> str:
    first, number = gates[0], counted(len(gates), f"{gates[0]['level']} gate")
    names = ", ".join(code(gate["name"]) for gate in gates[:_NAMES])
    more = f" and {len(gates) - _NAMES} more" if len(gates) > _NAMES else ""
    return f"- {number}{_place(first)}: {_found(first)} ({names}{more}){_fix(first)}"


def _place(gate: _Part) -> str:
    return f" on {code(gate['target'])}" if gate["target"] else ""


def _found(gate: _Part) -> str:
    if has_result(gate):
        noun = "finding" if gate["figures"] else "row"
        return f"**{_grouped(gate['count'])} {noun}{'' if gate['count'] == 1 else 's'}.**"
    # The reason often opens with the cause, which is said already.
    reason = _sentence(gate["reason"].removeprefix(f"{gate['cause_text']}: "))
    return f"**{_result(gate)}.** {reason}".rstrip()


def _sentence(text: str) -> str:
    said = prose(text)
    return f"{said}." if said and said[-1] not in ".!?…" else said


def _fix(part: _Part) -> str:
    return f" Fix: {prose(part['fix'])}" if part["fix"] else ""


def _result(gate: _Part) -> str:
    cause = f": {gate['cause_text']}" if gate["cause_text"] else ""
    return prose(f"{gate['state_text']}{cause}")


def _since(comparison: Comparison | None) -> Section | None:
    if comparison is None:
        return None
    lines = [_change(change) for change in merged(comparison.changes)] or ["- Nothing new."]
    head = ["### Since the earlier run", "", f"It was of {prose(comparison.previous)}.", ""]
    return Section(head, lines)


def _change(change: Change) -> str:
    mark = "**worse:** " if change.worse else ""
    place = f" on {code(change.target)}" if change.target else ""
    return f"- {mark}{code(change.subject) or 'the run'}{place}: {prose(change.text)}"


def _in_order(gates: Sequence[_Part]) -> list[_Part]:
    return sorted(gates, key=lambda gate: (not gate["fails"], gate["number"], gate["target"]))


def _gate_row(gate: _Part) -> str:
    rows = _grouped(gate["count"]) if has_result(gate) else "–"
    target = code(gate["target"]) if gate["target"] else "–"
    time = f"{gate['seconds'] * 1000:.0f} ms"
    return row((code(gate["name"]), target, gate["level"], _result(gate), rows, time))


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _batch_rows(document: _Part) -> list[str]:
    """Return the batches' rows, or none where gates alone were asked for."""
    batches = document["batches"]
    return [_batch_row(each) for each in batches] if any(b["checks"] for b in batches) else []


def _batch_row(batch: _Part) -> str:
    states = [check["state"] for check in batch["checks"]]
    made = {check["check"] for check in batch["checks"]}
    missing = sum(check not in made for check in batch["owes"])
    counts = (states.count(state) for state in ("passed", "failed", "not_exercised"))
    return row((code(batch["name"]), *map(str, counts), str(missing)))


def _target_row(target: _Part) -> str:
    server = " ".join(filter(None, (target["role"] or "not reached", target["server"])))
    when = ", ".join(target["snapshots"])
    notes = "; ".join(target["notes"])
    if target["grants"]:
        notes += f"; {counted(len(target['grants']), 'grant')} missing"
    cells = (server, when or "–", target["lag"] or "–", notes.removeprefix("; ") or "–")
    return row((code(target["name"]) or "–", *map(prose, cells)))


def _about(document: _Part) -> Section:
    about = document["about"]
    told = {
        "batchgate": about["batchgate"],
        "Python": about["python"],
        "started": about["started"],
        "took": f"{about['seconds']:.1f} s",
        "selected": about["command"],
        "snapshots": about["snapshot_mode"],
        **about["limits"],
    }
    parts = [f"{prose(name)} {prose(str(text))}" for name, text in told.items() if text]
    return Section(["### About", "", f"Run: {', '.join(parts)}"])
