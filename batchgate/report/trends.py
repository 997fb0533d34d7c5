"""Each gate's counts from run to run, as far as its rule stayed the same, as a line to draw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchgate.outcomes.history import Series, series_of
from batchgate.report.words import Tone, grouped

_WIDTH, _HEIGHT, _MARGIN = 96, 20, 2
_SAME = "same"


@dataclass(frozen=True)
class Spark:
    """A row of counts as a line: its strokes as points of an SVG, and where it ends."""

    strokes: tuple[str, ...]
    end: tuple[float, float] | None
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Trend:
    """One gate's counts, oldest first; `change` is in words where a number would be false."""

    name: str
    target: str
    last: str
    this: str
    change: str
    note: str
    tone: Tone
    spark: Spark
    told: str

    @property
    def steady(self) -> bool:
        """Return whether the count is the last run's and nothing else is to be said of it."""
        return self.change == _SAME and not self.note


@dataclass(frozen=True)
class Trends:
    """The trend of each gate on each target, where there was an earlier run."""

    by_gate: Mapping[tuple[str, str], Trend] = field(default_factory=dict)

    def of(self, name: str, target: str) -> Trend | None:
        """Return a gate's trend, or None where it has no past."""
        return self.by_gate.get((name, target))


def trends_of(document: Mapping[str, Any]) -> Trends:
    """Return the trends of a document's gates, of none where it knows no earlier run."""
    if not document.get("history"):
        return Trends()
    series = series_of(document)
    return Trends({key: _trend(*key, each) for key, each in series.items()})


def spark_of(counts: Sequence[int | None]) -> Spark:
    """Draw counts as a line; where there was no result it is broken."""
    top = max((count for count in counts if count is not None), default=0) or 1
    # This run is at the right, however many there were.
    step, right = (_WIDTH - 2 * _MARGIN) / max(len(counts) - 1, 1), _WIDTH - _MARGIN
    room = _HEIGHT - 2 * _MARGIN
    strokes: list[list[str]] = [[]]
    end = None
    for place, count in enumerate(counts):
        if count is None:
            strokes.append([])
            end = None
            continue
        across = right - (len(counts) - 1 - place) * step
        end = (round(across, 1), round(_MARGIN + room * (1 - count / top), 1))
        strokes[-1].append(f"{end[0]:g},{end[1]:g}")
    return Spark(tuple(" ".join(stroke) for stroke in strokes if len(stroke) > 1), end)


def _trend(name: str, target: str, series: Series) -> Trend:
    counts = [each.count if each.same_rule else None for each in series.earlier]
    counts.append(series.this.count)
    last = series.last.count if series.last else None
    change = series.change
    return Trend(
        name=name,
        target=target,
        last=_number(last),
        this=_number(series.this.count),
        change=series.said if change is None else _signed(change),
        note=series.said if change is not None else "",
        tone=Tone.IDLE if not change else Tone.BAD if change > 0 else Tone.GOOD,
        spark=spark_of(counts),
        told=_told(counts),
    )


def _number(count: int | None) -> str:
    return "–" if count is None else grouped(count)


def _signed(change: int) -> str:
    if not change:
        return _SAME
    return f"{'+' if change > 0 else '−'}{grouped(abs(change))}"


def _told(counts: Iterable[int | None]) -> str:
    """Return counts for who does not see the line."""
    return ", ".join("no result" if count is None else grouped(count) for count in counts)
