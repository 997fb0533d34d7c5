"""What is new since the last run: each gate's counts in a row, and whatever else changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from batchgate.outcomes.compare import Change, merged
from batchgate.outcomes.restoring import comparison_of
from batchgate.report.trends import Trend, Trends
from batchgate.report.words import first_few, moment

_CHANGES = 100
_NEW = frozenset(
    (
        *("finding_new", "result_lost", "gate_new", "gate_back", "result_back", "blocks"),
        *("check_fails", "check_lost"),
    )
)
# What a gate's own row says already.
_IN_ROWS = frozenset(("count", "finding_new", "finding_gone", "rule_changed"))


@dataclass(frozen=True)
class News:
    """What the comparison with the last run says; empty where there was none."""

    previous: str = ""
    changes: tuple[Change, ...] = ()

    def mark(self, *subjects: str, target: str = "") -> str:
        """Return what is new of a gate or of checks, in words, or nothing."""
        own = [each for each in self.changes if each.subject in subjects and each.target == target]
        if any(each.worse and each.kind in _NEW for each in own):
            return "new since the last run"
        if any(each.kind == "rule_changed" for each in own):
            return "rule changed since the last run"
        if any(each.worse and each.kind == "count" for each in own):
            return "more than in the last run"
        return ""


@dataclass(frozen=True)
class Since:
    """The section: the earlier run in words, the gates' trends, and the other changes."""

    previous: str
    trends: tuple[Trend, ...]
    changes: tuple[Change, ...]
    more: str


def news_of(document: Mapping[str, Any]) -> News:
    """Return the comparison that a document holds."""
    told = comparison_of(document)
    return News(told.previous, told.changes) if told else News()


def since_of(news: News, trends: Trends) -> Since | None:
    """Return the section, or None where there was no earlier run."""
    if not news.previous and not trends.by_gate:
        return None
    others = [
        replace(each, text=_without_batch(each))
        for each in merged(news.changes)
        if each.kind not in _IN_ROWS or trends.of(each.subject, each.target) is None
    ]
    shown, more = first_few(sorted(others, key=lambda each: not each.worse), _CHANGES)
    when, _, verdict = news.previous.partition(", ")
    previous = ", ".join(filter(None, (moment(when), verdict)))
    return Since(previous, tuple(trends.by_gate.values()), shown, more)


def _without_batch(change: Change) -> str:
    """Return what changed of a check, without the batch that is named beside it."""
    batch, _, check = change.subject.partition("/")
    return change.text.replace(f"batch {batch}: ", "", 1) if check else change.text
