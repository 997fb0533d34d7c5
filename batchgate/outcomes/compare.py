"""What is new since an earlier run: findings, results that were lost, checks, rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batchgate.outcomes.words import has_result, slug, visible
from batchgate.verdict import Outcome, counted

_Part = Mapping[str, Any]
_SHOWN = 10
_SERVERS = {None: "no server", False: "the throw-away server", True: "targets"}
_GOOD = {slug(Outcome.CLEAR), slug(Outcome.GATES_PASS)}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is new: `kind` for machines, `text` for people, `worse` where it is so.

    `subject` is a gate, a check, a target or nothing (the run), `target` a gate's database, `why`
    what it has in common with others.
    """

    kind: str
    text: str
    subject: str = ""
    target: str = ""
    worse: bool = False
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What changed since `previous`, an earlier run by its date and verdict; worse things first."""

    previous: str
    changes: tuple[Change, ...] = ()


def compare_documents(previous: _Part, current: _Part) -> Comparison:
    """Tell what a run brought since an earlier one; rows are never compared, being masked.

    Gates are matched by name and target. Where a gate's definition differs its counts are those
    of two questions, so they are told and not compared.
    """
    changes = [*_run_changes(previous, current), *_check_changes(previous, current)]
    if _on_targets(previous) == _on_targets(current):
        changes += _target_changes(previous, current)
        changes += _gate_changes(previous, current)
    else:
        servers = (_SERVERS[_on_targets(each)] for each in (previous, current))
        text = "gates ran on {} then, on {} now: they are not compared".format(*servers)
        changes.append(Change(kind="servers", text=text))
    changes.sort(key=lambda change: not change.worse)
    when, verdict = previous["about"]["started"], _verdict(previous)
    return Comparison(previous=visible(f"{when}, {verdict}"), changes=tuple(changes))


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return a comparison for a terminal, a line a change; a first line names the earlier run."""
    since = visible(comparison.previous)
    if not comparison.changes:
        return [f"nothing new since {since}"]
    marks = {True: "worse: ", False: ""}
    return [
        f"since {since}:",
        *(f"  {marks[each.worse]}{change_line(each)}" for each in merged(comparison.changes)),
    ]


def merged(changes: Sequence[Change]) -> list[Change]:
    """Return the changes for people, those of one reason in one place as one."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for each in changes:
        alike = (each.kind, each.target, each.why)
        groups.setdefault(alike if each.why else (*alike, each.subject, each.text), []).append(each)
    return [group[0] if len(group) == 1 else _merged(group) for group in groups.values()]


def _merged(group: Sequence[Change]) -> Change:
    names = _listed([each.subject for each in group])
    text = f"no result any more: {group[0].why}: {names}"
    return replace(group[0], subject=counted(len(group), "gate"), text=text)


def change_line(change: Change) -> str:
    """Return one change in words."""
    place = f" on {change.target}" if change.target else ""
    return visible(f"{change.subject}{place}: {change.text}" if change.subject else change.text)


def _verdict(document: _Part) -> str:
    given = document["verdict"]
    return f"{given['text']}: {given['reason']}" if given["reason"] else str(given["text"])


def _run_changes(previous: _Part, current: _Part) -> Iterator[Change]:
    was, now = previous["about"]["project"], current["about"]["project"]
    if was != now:
        yield Change(kind="project", text=f"the earlier run is of another project, {was}")
    if _verdict(previous) != _verdict(current):
        text = f"verdict was {_verdict(previous)!r}, is {_verdict(current)!r}"
        good = [each["verdict"]["outcome"] in _GOOD for each in (previous, current)]
        yield Change(kind="verdict", text=text, worse=good == [True, False])


def _on_targets(document: _Part) -> bool | None:
    """Tell whether gates ran on targets or on the throw-away server; None where none ran."""
    return bool(document["targets"]) if document["gates"] or document["targets"] else None


def _places(document: _Part) -> set[str]:
    """Return the targets that gates ran on; one alone may have no name."""
    found = {target["name"] for target in document["targets"]}
    return found | {gate["target"] for gate in document["gates"]}


def _target_changes(previous: _Part, current: _Part) -> Iterator[Change]:
    """Tell of targets in one line each, and not of every gate that came or went with them."""
    before, after = _places(previous), _places(current)
    for name in sorted(before - after):
        text = "its gates ran in the earlier run, and not in this one"
        yield Change(kind="target_gone", subject=_place(name), text=text, worse=True)
    for name in sorted(after - before) if before else ():
        gates = [gate for gate in current["gates"] if gate["target"] == name]
        found = sum(has_result(gate) and gate["count"] > 0 for gate in gates)
        silent = sum(not has_result(gate) for gate in gates)
        text = f"new, {counted(len(gates), 'gate')}: {found} find something, {silent} no result"
        worse = any(gate["fails"] for gate in gates)
        yield Change(kind="target_new", subject=_place(name), text=text, worse=worse)
    known = {target["name"]: target for target in previous["targets"]}
    for now in current["targets"]:
        if now["name"] in known:
            yield from _target_change(known[now["name"]], now)


def _target_change(was: _Part, now: _Part) -> Iterator[Change]:
    subject = _place(now["name"])
    if was["address"] != now["address"]:
        # Which, is in the reports: what is said here is read by more people.
        text = "its address is not that of the earlier run"
        yield Change(kind="address", subject=subject, text=text)
    if was["error"] != now["error"]:
        text = f"no gate can run: {now['error']}" if now["error"] else "gates run again"
        yield Change(kind="target", subject=subject, text=text, worse=bool(now["error"]))


def _place(name: str) -> str:
    return f"target {name}" if name else "the target"


def _by_key(parts: Sequence[_Part]) -> dict[tuple[str, str], _Part]:
    return {(part["name"], part["target"]): part for part in parts}


def _gate_changes(previous: _Part, current: _Part) -> Iterator[Change]:
    before, after = _by_key(previous["gates"]), _by_key(current["gates"])
    missing, missed = _by_key(current["gates_not_run"]), _by_key(previous["gates_not_run"])
    places = _places(current)
    for key, was in before.items():
        if key in after:
            yield from _gate_change(was, after[key])
        elif key in missing:
            yield _lost(was, "it was not run")
        elif key[1] in places:
            yield _change(was, "gate_gone", f"gate removed, {_said(was)} before")
    old = _places(previous)
    for key, now in after.items():
        if key not in before and (key[1] in old or not old):
            again = key in missed
            text = f"{'ran again' if again else 'new gate'}, {_said(now)}"
            yield _change(now, "gate_back" if again else "gate_new", text, worse=_is_bad(now))


def _change(gate: _Part, kind: str, text: str, *, worse: bool = False) -> Change:
    return Change(kind=kind, text=text, subject=gate["name"], target=gate["target"], worse=worse)


def _lost(was: _Part, why: str) -> Change:
    text = f"no result any more ({_said(was)} before): {why}"
    return replace(_change(was, "result_lost", text, worse=True), why=why)


def _is_bad(gate: _Part) -> bool:
    return bool(gate["fails"]) or (has_result(gate) and gate["count"] > 0)


def _said(gate: _Part) -> str:
    if has_result(gate):
        noun = "finding" if gate["figures"] else "row"
        return counted(gate["count"], noun) if gate["count"] else "nothing found"
    why = gate["cause_text"] or gate["reason"]
    return f"{gate['state_text']} ({why})" if why else str(gate["state_text"])


def _gate_change(was: _Part, now: _Part) -> Iterator[Change]:
    """Tell how one gate's outcome in one place differs; at most one line, and one of its level."""
    told = list(_outcome_change(was, now))
    yield from told
    if was["level"] != now["level"]:
        text = f"level was {was['level']}, is {now['level']}"
        yield _change(now, "level", text, worse=now["level"] == "required")
    if not told and was["fails"] != now["fails"]:
        text = f"{_said(now)}, as before, and {'blocks now' if now['fails'] else 'blocks no more'}"
        yield _change(now, "blocks", text, worse=now["fails"])


def _outcome_change(was: _Part, now: _Part) -> Iterator[Change]:
    if was["definition"] != now["definition"] and was["definition"] and now["definition"]:
        text = f"rule changed, {_said(now)}; by the earlier rule {_said(was)}"
        lost = has_result(was) and not has_result(now)
        yield _change(now, "rule_changed", text, worse=lost or now["fails"] > was["fails"])
    elif has_result(was) and has_result(now):
        yield from _count_change(was, now)
    elif has_result(was):
        yield _lost(was, _said(now) if now["state"] != "no_result" else _why(now))
    elif has_result(now):
        text = f"result again, {_said(now)} ({_said(was)} before)"
        yield _change(now, "result_back", text, worse=_is_bad(now))
    elif (was["state"], was["cause_text"]) != (now["state"], now["cause_text"]):
        yield _change(now, "cause", f"still no result: {_said(now)} ({_said(was)} before)")


def _why(gate: _Part) -> str:
    return gate["reason"] or gate["cause_text"] or str(gate["state_text"])


def _count_change(was: _Part, now: _Part) -> Iterator[Change]:
    before, after = was["count"], now["count"]
    if not before and after:
        yield _change(now, "finding_new", f"{_said(now)}, none before", worse=True)
    elif before and not after:
        yield _change(now, "finding_gone", f"{_said(now)}, {_said(was)} before")
    elif before != after:
        text = f"{_said(now)}, {before} before ({after - before:+d})"
        yield _change(now, "count", text, worse=after > before)


def _check_changes(previous: _Part, current: _Part) -> Iterator[Change]:
    before, after = _checks(previous), _checks(current)
    for name, now in after.items():
        was = before[name]["state"] if name in before else ""
        if now["state"] == was or (now["state"] == "passed" and not was):
            continue
        yield from _check_change(name, was, now)
    gone = [name for name in before if name not in after]
    if gone:
        text = f"{counted(len(gone), 'check')} of batches ran before and not now: {_listed(gone)}"
        yield Change(kind="checks_lost", text=text)


def _check_change(name: str, was: str, now: _Part) -> Iterator[Change]:
    if now["state"] == "failed":
        text = f"fails now: {now['headline'] or 'without a message'}"
        yield Change(kind="check_fails", subject=name, text=text, worse=True)
    elif now["state"] == "passed":
        yield Change(kind="check_passes", subject=name, text="passes now")
    elif was == "passed":
        text = "passed before, has nothing to look at now"
        yield Change(kind="check_lost", subject=name, text=text, worse=True)
    else:
        yield Change(kind="check", subject=name, text="has nothing to look at")


def _checks(document: _Part) -> dict[str, _Part]:
    return {
        f"{batch['name']}/{check['check']}": check
        for batch in document["batches"]
        for check in batch["checks"]
    }


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
