"""Metrics follow the text format to the letter, and nothing without a result looks like none."""

import re
import stat
from time import tzset

import pytest
import runs
from strict import families

from batchgate.findings import Cause, State
from batchgate.outcomes.document import document_of
from batchgate.outcomes.metrics import metrics_of, write_metrics
from batchgate.outcomes.words import slug
from batchgate.verdict import Outcome, judge

LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"([a-z_:]+)\{{({LABEL}(?:,{LABEL})*)?\}} (-?[0-9.e+-]+|NaN)")


def strict(text):
    """Read the text format as promtool does; return the series, each of which stands once."""
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    series, told, current = {}, [], ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in told, f"{current} stands in two places"
            told.append(current)
            assert line.split(" ", 3)[3].endswith(".")
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {current} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            assert match[1] == current
            key = (match[1], match[2])
            assert key not in series, f"twice: {line!r}"
            series[key] = float(match[3])
    return series


def read(document):
    """Return the series by name and labels, read by two readers that must agree."""
    text = metrics_of(document)
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(text)
        for sample in family.samples
    }
    assert len(found) == len(strict(text))
    return found


def of(series, name, **labels):
    """Return the values of the series with this name and at least these labels."""
    return [
        value
        for (found, given), value in series.items()
        if found == f"batchgate_{name}" and labels.items() <= dict(given).items()
    ]


def everything():
    run = runs.everything()
    return document_of(run, judge(run), runs.about(exit_code=2))


def test_a_run_says_when_it_ended_how_and_with_what():
    series = read(everything())
    assert of(series, "run_timestamp_seconds") == [1782907202.5]
    assert of(series, "run_duration_seconds") == [2.5]
    assert of(series, "run_exit_code") == [2]
    assert of(series, "run_finished") == [0]
    assert of(series, "build_info", version="0.1.0", python="3.11.7") == [1]
    assert of(series, "tests", outcome="failed") == [20]
    assert of(series, "checks", state="not_run") == [1]
    assert sorted(of(series, "verdict")) == [0] * (len(Outcome) - 1) + [1]
    assert of(series, "verdict", outcome="blocked") == [1]
    assert all(dict(labels)["project"] == "shop" for _, labels in series)


@pytest.fixture
def far_east(monkeypatch):
    """Let this machine stand nine hours ahead."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        tzset()
        yield
    tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize("started", ["12:00:00Z", "12:00:00", "21:00:00+09:00"])
def test_a_start_without_a_zone_is_meant_in_utc(started):
    series = read(runs.document(runs.gate(), about_started=f"2026-07-01T{started}"))
    assert of(series, "run_timestamp_seconds") == [1782907202.5]


@pytest.mark.parametrize("state", State)
def test_only_a_count_is_a_number_of_rows(state):
    series = read(runs.document(runs.gate(state=state, target="eu")))
    labels = {"gate": "01_all_is_well", "target": "eu"}
    rows, silent = of(series, "gate_rows", **labels), of(series, "gate_no_result", **labels)
    expected = {State.PASSED: [0], State.FAILED: [3], State.WARNED: [3]}.get(state, [])
    assert rows == expected
    assert silent == ([] if expected else [1])
    assert of(series, "gate_state", state=slug(state), **labels) == [1]
    assert len(of(series, "gate_state", **labels)) == 1


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.NONE])
def test_a_gate_without_a_result_says_what_kept_it_from_one(cause):
    # A count that a gate had got to when it was stopped is none.
    series = read(runs.document(runs.without_result(cause, count=0, tries=3)))
    assert of(series, "gate_no_result", cause=slug(cause), level="required") == [1]
    assert of(series, "gate_rows") == []
    assert of(series, "gate_failing") == [1]
    assert of(series, "gate_tries") == [3]
    assert of(series, "gate_duration_seconds") == [0.1]


def test_numbers_are_written_whole_where_they_are():
    text = metrics_of(runs.document(runs.gate(state=State.FAILED, count=12_345_678_901)))
    assert re.search(r"^batchgate_gate_rows\{.*\} 12345678901$", text, re.MULTILINE)
    assert re.search(r"^batchgate_run_duration_seconds\{.*\} 2\.5$", text, re.MULTILINE)


def test_a_gate_that_was_not_run_is_no_gap():
    series = read(everything())
    for name in ("gate_no_result", "gate_state"):
        assert len(of(series, name, gate="90_never_run", level="required")) == 2
    assert of(series, "gate_no_result", gate="90_never_run", cause="not_run") == [1, 1]
    assert of(series, "gate_rows", gate="90_never_run") == []


def test_a_target_that_was_not_reached_has_no_lag():
    series = read(everything())
    assert of(series, "target_up", target="eu") == [1]
    assert of(series, "target_up", target="us") == [0]
    assert of(series, "target_lag_bytes") == [0]
    assert of(series, "target_lag_seconds", target="eu") == [0.5]


def test_hostile_names_stay_labels():
    run = runs.hostile()
    text = metrics_of(document_of(run, judge(run), runs.about(project=runs.HOSTILE)))
    names = {
        sample.labels.get("gate", "") for family in families(text) for sample in family.samples
    }
    shown = '</script>|`x`\n@team #1 "q" \\ \\x1b[31m\\u202e\\u2028\\ud800\\x7f'
    assert any(name.startswith(shown) for name in names)
    assert strict(text)


def test_a_gate_that_was_run_twice_stands_once_as_it_ended_last():
    series = read(runs.document(runs.gate(state=State.FAILED), runs.gate()))
    assert of(series, "gate_rows") == [0]
    assert len(of(series, "gate_state")) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="1"} 1\na{b="1"} 2\n', id="twice"),
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="x"y"} 1\n', id="quote"),
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="x\ny"} 1\n', id="newline"),
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="\\x"} 1\n', id="escape"),
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="1"} none\n', id="value"),
        pytest.param('# HELP a A.\n# TYPE a gauge\na{b="1"} 1', id="no-end"),
    ],
)
def test_the_strict_reader_is_strict(text):
    with pytest.raises(AssertionError):
        strict(text)


def test_the_file_can_be_read_by_a_collector_that_is_another_user(tmp_path):
    path = tmp_path / "textfile" / "batchgate.prom"
    write_metrics(everything(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text(encoding="utf-8") == metrics_of(everything())
