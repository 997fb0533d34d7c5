"""What earlier runs counted: carried from report to report, and read as one series a gate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batchgate.outcomes.typed import LARGEST
from batchgate.outcomes.words import has_result, well_formed
from batchgate.verdict import counted

KEPT = 20
_TEXT = 200
_Part = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """What a gate counted in one run; `count` is None where it gave no result, never 0.

    `same_rule` tells that the gate's rule has been today's ever since.
    """

    started: str
    count: int | None
    same_rule: bool = True


@dataclass(frozen=True)
class Series:
    """A gate in one place, run by run: the earlier ones, oldest first, and this one."""

    earlier: tuple[Point, ...]
    this: Point

    @property
    def last(self) -> Point | None:
        """Return the latest earlier result of today's rule, or None."""
        return self.earlier[-self.missed - 1] if self.missed < len(self.earlier) else None

    @property
    def change(self) -> int | None:
        """Return how much more is counted than in `last`; None where one of them is missing."""
        last = self.last.count if self.last else None
        return None if last is None or self.this.count is None else self.this.count - last

    @property
    def missed(self) -> int:
        """Return how many runs, back from this one, gave no result of today's rule."""
        results = [each.same_rule and each.count is not None for each in reversed(self.earlier)]
        return results.index(True) if True in results else len(results)

    @property
    def rule_changed(self) -> bool:
        """Return whether there are earlier results, and all of another rule."""
        return self.last is None and not all(each.same_rule for each in self.earlier)

    @property
    def said(self) -> str:
        """Return in words why there is no change to tell, or what lies within it, or nothing."""
        if self.this.count is None:
            return "no result"
        if self.last:
            return f"{counted(self.missed, 'run')} without a result between" if self.missed else ""
        if self.rule_changed:
            return "rule changed"
        return "no earlier result" if self.earlier else "first run"


def extended(previous: _Part | None, project: str) -> list[dict[str, Any]]:
    """Return the history for a run's report: that of the previous one, and the previous run.

    Another project's runs are none of ours. A run that asked no gate says nothing of any, and
    would only push out those that do, unless it was interrupted before it could.
    """
    if previous is None or previous["about"]["project"] != project:
        return []
    entries = [_entry(each, each["gates"]) for each in previous.get("history", ())]
    if previous["gates"] or not previous.get("finished", True):
        verdict = previous["verdict"]
        told = {
            "started": previous["about"]["started"],
            "verdict": verdict["text"],
            "outcome": verdict["outcome"],
        }
        gates = {
            _key(previous, gate): (gate["definition"], _count(gate), gate["state"])
            for gate in previous["gates"]
        }
        entries.append(_entry(told, gates))
    return entries[-KEPT:]


def series_of(document: _Part) -> dict[tuple[str, str], Series]:
    """Return the series of each gate that a run asked, by its name and its target's.

    A gate on a target, and the same on another one or on the throw-away server, are different
    series. A run in its place without it, or without its result, is a gap.
    """
    started, history = document["about"]["started"], document.get("history", ())
    return {
        (gate["name"], gate["target"]): Series(
            tuple(_points(history, _key(document, gate), _short(gate["definition"]))),
            Point(started, _count(gate)),
        )
        for gate in document["gates"]
    }


def history_problems(document: _Part) -> Iterator[str]:
    """Tell what is wrong with a document's history; a document of version 1 has none."""
    history = document.get("history", [])
    if not isinstance(history, list):
        yield "a history that is no list"
        return
    for at, entry in enumerate(history, 1):
        if not _is_entry(entry):
            yield f"no earlier run (history, entry {at})"


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and all(isinstance(entry.get(name), str) for name in ("started", "verdict", "outcome"))
        and isinstance(entry.get("gates"), dict)
        and all(isinstance(told, list) and _is_told(*told) for told in entry["gates"].values())
    )


def _is_told(definition: Any = None, count: Any = None, state: Any = None, *more: Any) -> bool:
    return (
        isinstance(definition, str)
        and (count is None or _is_count(count))
        and isinstance(state, str)
        and not more
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _count(gate: _Part) -> int | None:
    count = gate["count"]
    return int(count) if has_result(gate) and _is_count(count) else None


def _entry(told: _Part, gates: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {
        **{name: _short(told[name]) for name in ("started", "verdict", "outcome")},
        "gates": {
            well_formed(key): [_short(definition), count, _short(state)]
            for key, (definition, count, state) in gates.items()
        },
    }


def _short(text: str) -> str:
    return well_formed(text)[:_TEXT]


def _key(document: _Part, gate: _Part) -> str:
    """Return a gate's name after its place: a target's name, which may be empty, and a slash.

    A gate is named by its file, so that no slash is in its name; nothing stands before one on the
    throw-away server.
    """
    name = str(gate["name"])
    return well_formed(f"{gate['target']}/{name}" if document["targets"] else name)


def _place(key: str) -> str:
    place, slash, _ = key.rpartition("/")
    return place + slash


def _points(history: Sequence[_Part], key: str, definition: str) -> list[Point]:
    """Return a gate's points from its first run on."""
    runs = [entry["gates"] for entry in history]
    first = next((at for at, gates in enumerate(runs) if key in gates), len(runs))
    points: list[Point] = []
    same_rule = True
    for entry in reversed(history[first:]):
        gates = entry["gates"]
        rule, count, _ = gates.get(key, ("", None, ""))
        same_rule = same_rule and (rule == definition or not rule or not definition)
        if key in gates or not gates or _place(key) in map(_place, gates):
            points.append(Point(entry["started"], count, same_rule))
    return points[::-1]
