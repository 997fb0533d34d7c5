"""Runs made by hand for the tests of what machines read: of every state, and hostile ones."""

from dataclasses import replace

from batchgate.findings import MASK, Cause, Level, Row, State
from batchgate.outcomes.document import About, document_of
from batchgate.particulars import Change, Leg, Lock, Mutant, Particulars
from batchgate.run import (
    Application,
    CheckResult,
    GateResult,
    Promised,
    Run,
    TargetReport,
    TestResult,
)
from batchgate.verdict import judge

HOSTILE = (
    '</script>|`x`\n@team #1 "q" \\ \x1b[31m\u202e\u2028\ud800\x7f $a$ https://evil.example {é}'
)


def gate(name: str = "01_all_is_well", state: State = State.PASSED, **given) -> GateResult:
    """Make a gate's result; a finding counts three rows, of which one is shown."""
    found = state in (State.FAILED, State.WARNED)
    counted = 3 if found else 0 if state is State.PASSED else None
    values = {
        "number": int(name[:2]) if name[:2].isdigit() else 0,
        "title": "All",
        "path": f"gates/{name}.sql:6",
        "sentence": "All is well.",
        "level": Level.INFORMATIONAL if state is State.WARNED else Level.REQUIRED,
        "seconds": 0.1,
        "count": counted,
        "sample": (Row(("id", "phone"), ("7", MASK)),) if found else (),
        "fails": state is State.FAILED,
        "sql": f"select id from {name}",
        "definition": "a1",
        **given,
    }
    return GateResult(name=name, state=state, **values)


def without_result(cause: Cause, name: str = "01_all_is_well", **given) -> GateResult:
    """Make a gate that was kept from a result."""
    told = {"reason": f"{cause.value} after 30 s", "fails": True, **given}
    return gate(name, State.NO_RESULT, cause=cause, **told)


def target(name: str = "eu", **given) -> TargetReport:
    """Make a standby that was reached."""
    values = {
        "address": "host=db1 dbname=app user=gate_reader",
        "source": "--dsn",
        "server": "15.18",
        "role": "standby",
        "user": "gate_reader",
        "snapshot_mode": "run",
        "snapshots": ("2026-07-01T12:00:00Z",),
        "lag": "0 bytes",
        "lag_bytes": 0,
        "lag_seconds": 0.5,
        **given,
    }
    return TargetReport(name=name, **values)


def about(**given) -> About:
    """Make what stands about a run."""
    values = {
        "project": "shop",
        "started": "2026-07-01T12:00:00+00:00",
        "seconds": 2.5,
        "batchgate": "0.1.0",
        "python": "3.11.7",
        "exit_code": 0,
        "described": "2 batches, 11 gates",
        "command": "-m gates",
        "limits": {"statement_timeout": "30s"},
        **given,
    }
    return About(**values)


def run(*gates: GateResult, **given) -> Run:
    """Make a run of these gates and nothing else."""
    names = tuple(dict.fromkeys(each.name for each in gates))
    values = {
        "gates_in_suite": names,
        "required_in_suite": tuple(
            dict.fromkeys(each.name for each in gates if each.level is Level.REQUIRED)
        ),
        "counts": {
            "failed": sum(each.fails for each in gates),
            "passed": sum(not each.fails for each in gates),
        },
        **given,
    }
    return Run(gates=gates, **values)


def document(*gates: GateResult, **given):
    """Make the document of a run of these gates; `about_…` goes to what stands about it."""
    told = {name.removeprefix("about_"): given.pop(name) for name in [*given] if "about_" in name}
    made = run(*gates, **given)
    return document_of(made, judge(made), about(**told))


def everything() -> Run:
    """Make a run that holds each state, each cause, two targets, and batches in every shape."""
    states = [gate(f"{at:02}_{state.name.lower()}", state) for at, state in enumerate(State, 1)]
    causes = [
        without_result(cause, f"{at:02}_{cause.name.lower()}", cost=1e9, plan="Seq Scan", tries=3)
        for at, cause in enumerate(Cause, 20)
        if cause is not Cause.NONE
    ]
    gates = [*states, *causes]
    return run(
        *[GateResult(**{**vars(each), "target": name}) for each in gates for name in ("eu", "us")],
        targets=(target(), target("us", role="", error="no connection", lag_bytes=None)),
        gates_in_suite=(*(each.name for each in gates), "90_never_run"),
        required_in_suite=("90_never_run",),
        checks=(
            check(
                "01_a",
                "migration.sql::applies",
                State.PASSED,
                notes=("a note",),
                particulars=seen("a thing"),
            ),
            check("01_a", "rollback.sql::restores-data", State.FAILED, headline="left behind"),
            check("02_b", "migration.sql::applies", State.NOT_EXERCISED, unexercised=("no rows",)),
        ),
        applications=(
            applied("01_a", 1, "A is there."),
            applied("02_b", 2, "B is there.", error="it broke"),
        ),
        checks_in_suite=(
            *("01_a/migration.sql::applies", "01_a/rollback.sql::restores-data"),
            *("02_b/migration.sql::applies", "03_c/migration.sql::applies"),
        ),
        promised=(
            Promised("01_a", 1, "A is there.", _OWED_BY_A, "", (("migration.sql", "create …"),)),
            Promised("02_b", 2, "B is there.", ("migration.sql::applies",), "rows are gone"),
            Promised("03_c", 3, "", ("migration.sql::applies",)),
        ),
        tests=(
            a_test("tests/test_a.py::test_one"),
            a_test("tests/test_a.py::test_two", "failed", text="expected 1\nfound 2"),
            a_test("tests/test_a.py::test_two", "error", when="teardown", text="broke"),
        ),
        counts={"passed": 7, "failed": 20, "error": 1, "skipped": 1},
        reds_failed=1,
        finished=False,
    )


_OWED_BY_A = ("migration.sql::applies", "rollback.sql::restores-data")


def seen(name: str) -> Particulars:
    """Make what a check may see, one of each kind, with every text of it `name`."""
    names = dict.fromkeys(("name", "attribute", "before", "after", "parts", "note", "at"), name)
    change = Change(kind="added", sort="column", **names)
    words = dict.fromkeys(
        ("file", "at", "statement", "relation", "sort", "mode", "stops", "work", "excused"), name
    )
    lock = Lock(**words, strength=7, blocks_writes=True, blocks_reads=True, seconds=0.25)
    return Particulars(
        changes=(change,),
        diff=(f"+{name}",),
        differences=(replace(change, kind="left behind"),),
        locks=(lock, replace(lock, seconds=None, offends=True)),
        mutants=(Mutant(name=name, ended="survived", at=name, reason=name),),
        legs=(Leg(name="apply", seconds=0.5), Leg(name="roll back", seconds=0.25, failed=True)),
        rows=12,
        written=((name, 3),),
        left_out=(("locks", 2),),
    )


def a_test(name: str, outcome: str = "passed", **given) -> TestResult:
    """Make the result of a test of pytest's own."""
    told = {"said": outcome, "when": "call", "seconds": 0.01, **given}
    return TestResult(id=name, outcome=outcome, **told)


def applied(batch: str, number: int, summary: str, **given) -> Application:
    """Make the record of a batch that was applied on the way up."""
    return Application(batch=batch, number=number, summary=summary, seconds=0.2, **given)


def check(batch: str, name: str, state: State, **given) -> CheckResult:
    """Make the result of a batch's check."""
    return CheckResult(batch=batch, check=name, state=state, seconds=0.1, **given)


def hostile() -> Run:
    """Make a run whose every text would break out of a table, a label or a page."""
    texts = dict.fromkeys(("title", "path", "sentence", "fix", "reason"), HOSTILE)
    bad = (Row((HOSTILE, "b"), (HOSTILE, MASK)),)
    found = gate(HOSTILE, State.FAILED, target=HOSTILE, sample=bad, sql=HOSTILE, **texts)
    silent = without_result(Cause.LOST, "02" + HOSTILE, target=HOSTILE, plan=HOSTILE, **texts)
    told = (HOSTILE,)
    names = dict.fromkeys(("address", "server", "user", "lag", "error"), HOSTILE)
    return run(
        found,
        silent,
        targets=(target(HOSTILE, notes=told, grants=told, snapshots=told, **names),),
        checks=(
            check(
                HOSTILE,
                HOSTILE,
                State.FAILED,
                headline=HOSTILE,
                notes=told,
                particulars=seen(HOSTILE),
            ),
        ),
        promised=(Promised(HOSTILE, 4, HOSTILE, told, HOSTILE, ((HOSTILE, HOSTILE),)),),
        tests=(a_test(HOSTILE, "failed", text=HOSTILE),),
        applications=(applied(HOSTILE, 1, HOSTILE, error=HOSTILE),),
        gates_in_suite=(found.name, silent.name, "03" + HOSTILE),
        checks_in_suite=("04/" + HOSTILE,),
    )
