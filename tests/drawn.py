"""What a browser would make of the page, and runs made by hand to draw."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import runs

from batchgate.findings import Level, State
from batchgate.outcomes.document import document_of
from batchgate.particulars import Change, Leg, Lock, Mutant, Particulars
from batchgate.report.page import draw_strictly
from batchgate.run import Application, CheckResult, GateResult, Promised, Run
from batchgate.verdict import judge

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;{{7*7}}\u202egnp"
VOID = {"meta", "br", "img", "input", "hr", "wbr", "source"}
FIRST, SECOND = "01_add_thing", "02_fill_thing"
OWED = ("migration.sql::applies", "rollback.sql::restores-schema")
PROMISED = (Promised(FIRST, 1, "Things exist.", OWED), Promised(SECOND, 2, "Full.", OWED))


class Drawn(HTMLParser):
    """Drawn HTML: its tags, ids, and the text that is seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._joined = False
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._joined = tag == "wbr"
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self._open, f"closed but never opened: {tag}"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self._open):
            if self._joined:
                data = self.words.pop() + data
            self.words.append(data)
        self._joined = False

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if attrs.get("id")]

    def tone_of(self, place: str) -> str:
        classes = next(attrs["class"] for _, attrs in self.tags if attrs.get("id") == place)
        return str(classes).split()[-1]

    def between_html(self, start: str, end: str) -> str:
        """Return the HTML from one text to another."""
        return self.html.partition(f'class="bg-code {start}"')[2].partition(end)[0]

    def between(self, start: str, end: str) -> str:
        """Return the text from one heading to another."""
        return self.text.partition(start)[2].partition(end)[0]


def gate(number=1, state=State.PASSED, level=Level.REQUIRED, **more):
    defaults = {
        "name": f"{number:02d}_rule",
        "title": f"Title {number}",
        "path": f"gates/{number:02d}_rule.sql:9",
        "sentence": f"Statement {number} holds.",
        "seconds": 0.012,
        "count": 0 if state is State.PASSED else None,
        "fix": f"Repair {number}.",
        "fails": state is State.FAILED,
    }
    return GateResult(number=number, level=level, state=state, **{**defaults, **more})


def check(name=OWED[0], batch=FIRST, passed=True, **more):
    state = State.PASSED if passed else State.FAILED
    return CheckResult(batch=batch, check=name, seconds=0.1, **{"state": state, **more})


def applied(batch=FIRST, number=1, **more):
    return Application(
        batch=batch, number=number, summary="Things exist.", **{"seconds": 0.05, **more}
    )


def everything(**more):
    """Make a run of two batches and a gate in which everything ran and passed."""
    checks = [check(name, batch) for batch in (FIRST, SECOND) for name in OWED]
    run = {
        "gates": [gate()],
        "checks": checks,
        "applications": [applied(), applied(SECOND, 2)],
        "promised": PROMISED,
        "gates_in_suite": ["01_rule"],
        "required_in_suite": ["01_rule"],
        "counts": {"passed": 5},
    }
    return Run(**{**run, **more})


def document(run, *, since=None, history=(), **about):
    """Make the document of a run, as it is read from its file."""
    owed = tuple(f"{batch.name}/{check}" for batch in run.promised for check in batch.checks)
    run = replace(run, checks_in_suite=run.checks_in_suite or owed)
    made = document_of(run, judge(run), runs.about(**about))
    return json.loads(json.dumps({**made, "since": since, "history": list(history)}))


def drawn(run, **given):
    """Draw a run's document."""
    return Drawn(draw_strictly(document(run, **given)))


def seen_by(name, batch=FIRST, passed=True, state=None, **seen):
    """Make a check that saw these particulars."""
    more = {"state": state} if state else {}
    told = {"particulars": Particulars(**seen), "headline": "" if passed else "expected it"}
    return check(name, batch, passed, **told, **more)


def change(kind="added", sort="relation", name="public.thing", **more):
    return Change(kind=kind, sort=sort, name=name, **more)


def lock(relation="public.thing", **more):
    defaults = {
        "file": "migration.sql",
        "at": f"sql/{FIRST}/migration.sql:12",
        "statement": "create index",
        "sort": "table",
        "mode": "SHARE",
        "stops": "writes",
        "strength": 5,
        "blocks_writes": True,
        "blocks_reads": False,
        "seconds": 2.9,
    }
    return Lock(relation=relation, **{**defaults, **more})


def mutant(name="index public.thing_idx dropped", ended="killed", **more):
    return Mutant(name=name, ended=ended, **more)


def legs(*seconds, failed=None):
    names = ("apply", "roll back", "apply again")
    return tuple(
        Leg(name=name, seconds=each, failed=name == failed)
        for name, each in zip(names, seconds, strict=False)
    )
