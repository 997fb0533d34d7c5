"""From a document back to the run that it was made of, so that it can be drawn again."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from batchgate.findings import Cause, Level, Row, State
from batchgate.outcomes.compare import Change, Comparison
from batchgate.outcomes.document import About
from batchgate.outcomes.typed import misfit
from batchgate.outcomes.words import visible
from batchgate.particulars import Particulars
from batchgate.run import (
    Application,
    CheckResult,
    GateResult,
    Promised,
    Run,
    TargetReport,
    TestResult,
)
from batchgate.verdict import Outcome, Verdict, judge

T = TypeVar("T")
_GOOD = (Outcome.CLEAR, Outcome.GATES_PASS)
_SAID = 200
_Part = Mapping[str, Any]


def run_of(document: _Part) -> Run:
    """Return the run; what an older document does not hold is empty."""
    batches, statements = document["batches"], document.get("statements", {})
    gates_in_suite = document.get("gates_in_suite", ())
    return Run(
        gates=tuple(_gate(each, statements) for each in document["gates"]),
        targets=tuple(_rebuilt(TargetReport, each) for each in document["targets"]),
        checks=tuple(_check(batch, each) for batch in batches for each in batch["checks"]),
        applications=tuple(_application(batch) for batch in batches if batch["applied"]),
        tests=tuple(_rebuilt(TestResult, each) for each in document.get("tests", ())),
        promised=tuple(_promised(batch, statements) for batch in batches),
        gates_in_suite=tuple(each["name"] for each in gates_in_suite),
        required_in_suite=tuple(each["name"] for each in gates_in_suite if each["required"]),
        checks_in_suite=tuple(
            f"{batch['name']}/{check}" for batch in batches for check in batch["owes"]
        ),
        counts=document["figures"]["tests"],
        reds_failed=document["figures"].get("reds", {}).get("failed", 0),
        finished=document["finished"],
    )


def verdict_of(document: _Part) -> Verdict:
    """Return the verdict as it was given; it is not judged again."""
    given = document["verdict"]
    return Verdict(Outcome[given["outcome"].upper()], given["reason"])


def about_of(document: _Part) -> About:
    """Return what stands about the run."""
    return _rebuilt(About, {**document["about"], "exit_code": document["exit_code"]})


def comparison_of(document: _Part) -> Comparison | None:
    """Return what was new since an earlier run, or None where there was none to compare with."""
    since = document.get("since")
    if not since:
        return None
    changes = tuple(_rebuilt(Change, each) for each in since["changes"])
    return Comparison(previous=since["previous"], changes=changes)


def problem_of(document: _Part) -> str:
    """Return what keeps a document from being drawn, or nothing."""
    try:
        parts = (run_of(document), about_of(document), comparison_of(document))
        verdict = verdict_of(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return visible(f"a part that cannot be read ({type(error).__name__}: {error})")[:_SAID]
    kinds = (Run, About, Comparison | None)
    found = filter(None, map(misfit, parts, kinds, ("run", "about", "since")))
    for place in found:
        return f"another type of value ({visible(place)})"[:_SAID]
    # A page is believed by its colour: one that was edited to be good is not drawn.
    if verdict.outcome in _GOOD and (due := judge(parts[0])).outcome not in _GOOD:
        return visible(f"the verdict {verdict.outcome!s}, where its results give: {due}")[:_SAID]
    return ""


def _rebuilt(kind: type[T], plain: _Part) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    values = {name: plain[name] for name in known & plain.keys()}
    return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()})


def _gate(plain: _Part, statements: Mapping[str, str]) -> GateResult:
    sample = plain["sample"]
    columns = tuple(sample["columns"])
    if any(len(cells) != len(columns) for cells in sample["rows"]):
        raise ValueError("a row has a cell for each column")
    told = {
        "level": Level(plain["level"]),
        "state": State[plain["state"].upper()],
        "cause": Cause[plain["cause"].upper()] if plain["cause"] else Cause.NONE,
        "sample": tuple(Row(columns, tuple(cells)) for cells in sample["rows"]),
        "sql": statements.get(plain["statement"] or "", ""),
    }
    return _rebuilt(GateResult, {**plain, **told})


def _check(batch: _Part, plain: _Part) -> CheckResult:
    told = {
        "batch": batch["name"],
        "state": State[plain["state"].upper()],
        "particulars": Particulars.from_dict(plain.get("particulars", {})),
    }
    return _rebuilt(CheckResult, {**plain, **told})


def _application(batch: _Part) -> Application:
    given = {key: batch[key] for key in ("number", "summary")}
    return _rebuilt(Application, {**batch["applied"], **given, "batch": batch["name"]})


def _promised(batch: _Part, statements: Mapping[str, str]) -> Promised:
    files: Sequence[_Part] = batch.get("files", ())
    return Promised(
        name=batch["name"],
        number=batch["number"],
        summary=batch["summary"],
        checks=tuple(batch["owes"]),
        irreversible=batch["irreversible"],
        files=tuple((each["name"], statements.get(each["statement"] or "", "")) for each in files),
    )
