"""The verdict follows from the results; what did not run is never counted as good."""

import pytest

from batchgate.findings import Level, Row, State
from batchgate.run import CheckResult, GateResult, Run, TargetReport, TestResult
from batchgate.verdict import Outcome, judge


def gate(state: State, *, level: Level = Level.REQUIRED, fails: bool = False) -> GateResult:
    return GateResult(
        name="01_all_is_well",
        number=1,
        title="All",
        path="gates/01_all_is_well.sql:6",
        sentence="All is well.",
        level=level,
        state=state,
        seconds=0.1,
        count=2 if state in (State.FAILED, State.WARNED) else None,
        sample=(Row(("id",), ("1",)),),
        fails=fails,
    )


CHECK = CheckResult(
    batch="01_a", check="rollback.sql::restores-data", state=State.FAILED, seconds=1
)
WARNED = gate(State.WARNED, level=Level.INFORMATIONAL)
SILENT = gate(State.NOT_EXERCISED, level=Level.INFORMATIONAL)


@pytest.mark.parametrize(
    ("run", "outcome", "reason"),
    [
        pytest.param(Run(counts={"passed": 3}), Outcome.CLEAR, "", id="all-passed"),
        pytest.param(
            Run(gates=[WARNED], counts={"passed": 1}),
            Outcome.CLEAR,
            "1 finding to read",
            id="warned",
        ),
        pytest.param(
            Run(gates=[SILENT], counts={"passed": 1}),
            Outcome.CLEAR,
            "1 gate without a result",
            id="informational-not-exercised",
        ),
        pytest.param(
            Run(gates=[gate(State.FAILED, fails=True)], counts={"failed": 1}),
            Outcome.GATES_FAIL,
            "blocked by 1 required gate",
            id="gate-fails",
        ),
        pytest.param(
            Run(
                gates=[gate(State.FAILED, fails=True)],
                checks=[CHECK],
                counts={"failed": 3, "passed": 9},
            ),
            Outcome.BLOCKED,
            "blocked by 1 batch, 1 required gate, 1 other test",
            id="batch-gate-and-test",
        ),
        pytest.param(
            Run(gates=[gate(State.FAILED, fails=True)], counts={"skipped": 1, "passed": 3}),
            Outcome.GATES_FAIL,
            "blocked by 1 required gate",
            id="failed-gate-expected-to-fail",
        ),
        pytest.param(
            Run(
                gates=[gate(State.FAILED, fails=True)],
                counts={"failed": 4, "passed": 9},
                reds_failed=2,
            ),
            Outcome.BLOCKED,
            "blocked by 1 required gate, 2 red proofs, 1 other test",
            id="red-proofs-apart-from-other-tests",
        ),
        pytest.param(
            Run(counts={"error": 1, "passed": 9}),
            Outcome.BLOCKED,
            "blocked by 1 other test",
            id="set-up-error",
        ),
        pytest.param(
            Run(counts={"passed": 3}, finished=False),
            Outcome.NONE,
            "the run did not finish",
            id="interrupted",
        ),
        pytest.param(
            Run(
                counts={"passed": 3},
                tests=[
                    TestResult(id="a.py", outcome="error", said="error", when="collect", seconds=0)
                ],
            ),
            Outcome.NONE,
            "1 file could not be collected",
            id="not-collected",
        ),
        pytest.param(
            Run(
                gates=[gate(State.NO_RESULT, level=Level.INFORMATIONAL)],
                targets=[TargetReport(name="eu", address="", source="")],
                counts={"passed": 1},
            ),
            Outcome.NONE,
            "no gate gave a result",
            id="only-gates-and-none-with-a-result",
        ),
        pytest.param(Run(), Outcome.NONE, "no test ran", id="nothing-ran"),
        pytest.param(
            Run(counts={"skipped": 2}), Outcome.NONE, "no test ran", id="everything-skipped"
        ),
        pytest.param(
            Run(
                gates=[gate(State.PASSED)],
                gates_in_suite=("01_all_is_well", "02_b"),
                required_in_suite=("01_all_is_well", "02_b"),
                counts={"passed": 1},
            ),
            Outcome.NONE,
            "1 required gate not run (02_b)",
            id="required-gate-deselected",
        ),
    ],
)
def test_the_verdict_follows_from_the_results(run, outcome, reason):
    verdict = judge(run)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_result_survives_the_way_from_a_worker():
    result = gate(State.WARNED, level=Level.INFORMATIONAL)
    assert GateResult.from_dict(result.as_dict()) == result


def test_a_run_that_pytest_calls_failed_is_never_good():
    passed = Run(gates=[gate(State.PASSED)], counts={"passed": 1})
    assert judge(passed).outcome is Outcome.CLEAR
    assert judge(passed, failed=True).outcome is Outcome.NONE
    blocked = Run(counts={"failed": 1})
    assert judge(blocked, failed=True) == judge(blocked)
