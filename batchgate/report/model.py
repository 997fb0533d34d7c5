"""The page as values: every word and tone decided here, nothing drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchgate.outcomes.restoring import about_of, run_of, verdict_of
from batchgate.report.about import AboutRun, about_run, rows_of
from batchgate.report.anchors import anchors_of
from batchgate.report.attention import Point, blocking, left_out, to_read
from batchgate.report.batches import BatchRow, batch_rows
from batchgate.report.card import Card, card_of
from batchgate.report.figures import Bars
from batchgate.report.gates import GateGroup, gate_groups
from batchgate.report.since import Since, news_of, since_of
from batchgate.report.sources import Ink
from batchgate.report.timeline import Timeline, timeline_of
from batchgate.report.trends import trends_of

# More figures are one section.
_FIGURES = 3


@dataclass(frozen=True)
class Distribution:
    """A gate's figures as bars, and their place on the page."""

    anchor: str
    target: str
    bars: Bars


@dataclass(frozen=True)
class Page:
    """Everything the page's own part shows."""

    project: str
    card: Card
    blocks_title: str
    blocks: tuple[Point, ...]
    left_out: tuple[Point, ...]
    to_read: tuple[Point, ...]
    batches: tuple[BatchRow, ...]
    timeline: Timeline | None
    scratch_rows: str
    gates: tuple[GateGroup, ...]
    gates_not_run: tuple[str, ...]
    distributions: tuple[Distribution, ...]
    since: Since | None
    about: AboutRun

    @property
    def attention(self) -> int:
        """Return how many things there are to attend to."""
        return len(self.blocks) + len(self.left_out) + len(self.to_read)

    @property
    def trended(self) -> bool:
        """Return whether any gate has a past to be compared with."""
        return any(row.trend for group in self.gates for row in group.rows)

    @property
    def gathered(self) -> bool:
        """Return whether figures are too many for a section each, or those of several targets."""
        targets = {each.target for each in self.distributions}
        return len(self.distributions) > _FIGURES or len(targets) > 1

    @property
    def gate_count(self) -> int:
        """Return how many results of gates there are."""
        return sum(len(group.rows) for group in self.gates)


def page_of(document: Mapping[str, Any]) -> Page:
    """Turn a document into what the page shows."""
    run, verdict, about = run_of(document), verdict_of(document), about_of(document)
    # Gates on a target are a run of their own: what is true of batches is another's question.
    promised = () if run.only_gates else run.promised
    anchors, news, trends, ink = (
        anchors_of(run, promised),
        news_of(document),
        trends_of(document),
        Ink(),
    )
    line = timeline_of(run.checks, [each.name for each in promised])
    batches = batch_rows(run, promised, anchors, line, ink)
    gates = gate_groups(run, anchors, trends, ink)
    return Page(
        project=about.project,
        card=card_of(run, verdict, batches),
        blocks_title="What blocks" if run.only_gates else "What blocks this merge",
        blocks=blocking(run, anchors, news),
        left_out=left_out(run),
        to_read=to_read(run, anchors, news),
        batches=batches,
        timeline=line,
        scratch_rows=rows_of(run),
        gates=gates,
        gates_not_run=run.gates_not_run if run.gates else (),
        distributions=_distributions(gates),
        since=since_of(news, trends),
        about=about_run(run, about),
    )


def _distributions(groups: tuple[GateGroup, ...]) -> tuple[Distribution, ...]:
    return tuple(
        Distribution(f"figures-{row.anchor}", group.target, row.bars)
        for group in groups
        for row in sorted(group.rows, key=lambda row: row.gate.number)
        if row.bars
    )
