"""A run leaves its outcome for machines, by real runs of a small project."""

import json
import re
from xml.etree import ElementTree

import pytest
from strict import families, validator

from batchgate.database import connect, create_database, drop_database
from batchgate.signs import is_unseen

EMPTY = "insert into orders values (1, null, 'ann@example.com');"
OUTPUTS = ("report.json", "report.html", "summary.md")
SAMPLE = "scenarios/sample/01.sql"


def report(pytester, name="reports/report.json"):
    """Read what a run left, and hold it to the schema."""
    document = json.loads((pytester.path / name).read_text(encoding="utf-8"))
    validator().validate(document)
    return document


def test_a_run_leaves_a_report_a_summary_and_metrics(project, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "step"))
    ended = project({}, "gates", "--metrics-file=m.prom", "--junitxml=gates.xml")
    assert ended.ret == 0
    document = report(pytester)
    (gate,) = document["gates"]
    assert (gate["state"], gate["count"], gate["cause"]) == ("passed", 0, None)
    assert "where currency is null" in document["statements"][gate["statement"]]
    assert document["exit_code"] == 0
    assert document["about"]["command"] == "pytest gates"
    assert [batch["name"] for batch in document["batches"]] == ["01_add_orders", "02_index_orders"]
    summary = (pytester.path / "reports/summary.md").read_text()
    assert summary.startswith("## No check blocks this merge")
    assert (pytester.path / "step").read_text() == summary
    metrics = (pytester.path / "m.prom").read_text()
    names = {family.name for family in families(metrics)}
    assert {"batchgate_gate_rows", "batchgate_run_timestamp_seconds"} <= names
    assert _properties(pytester.path / "gates.xml") == {
        "gate_level": "required",
        "gate_state": "passed",
        "gate_count": "0",
        "gate_cause": "",
        "gate_reason": "",
        "gate_target": "",
    }


def _properties(path):
    """Return the properties that JUnit's file has of the gate."""
    cases = ElementTree.parse(path).iter("testcase")
    (case,) = [each for each in cases if each.get("name") == "green"]
    assert case.get("classname") == "gates.01_orders_have_currency.sql"
    return {each.get("name"): each.get("value") for each in case.iter("property")}


def test_workers_leave_one_outcome(project, pytester):
    ended = project({SAMPLE: EMPTY}, "gates", "-n2", "--metrics-file=m.prom", alone=True)
    assert ended.ret == 1
    document = report(pytester)
    assert [(gate["state"], gate["count"]) for gate in document["gates"]] == [("failed", 1)]
    assert document["gates"][0]["sample"] == {"columns": ["id", "email"], "rows": [["1", "••••"]]}
    assert re.search(r"batchgate_gate_rows\{.*\} 1$", (pytester.path / "m.prom").read_text(), re.M)
    names = {path.name for path in (pytester.path / "reports").iterdir()}
    assert names == {"report.json", "report.html", "summary.md"}


def test_what_is_new_is_told_even_if_the_report_is_written_over(project, pytester):
    project({}, "gates")
    ended = project({SAMPLE: EMPTY}, "gates", "--compare=reports/report.json")
    ended.stdout.fnmatch_lines(
        ["since *", "*worse: 01_orders_have_currency: 1 row, none before", "*Gates fail*"]
    )
    summary = (pytester.path / "reports/summary.md").read_text()
    assert "**worse:** `01_orders_have_currency`: 1 row, none before" in summary
    again = project({SAMPLE: EMPTY}, "gates", "--compare=reports/report.json")
    again.stdout.fnmatch_lines(["nothing new since *Gates fail*"])


@pytest.mark.parametrize(
    ("changes", "arguments", "code", "outcome"),
    [
        pytest.param({}, ("gates",), 0, "clear", id="passed"),
        pytest.param({SAMPLE: EMPTY}, ("gates",), 1, "gates_fail", id="required-gate-fails"),
        pytest.param({}, ("gates", "-k", "nothing"), 5, "none", id="nothing-collected"),
        pytest.param({}, ("gates", "--compare=none.json"), 0, "clear", id="first-run"),
        pytest.param({}, ("gates", "--metrics-file=gates"), 4, None, id="not-written"),
    ],
)
def test_exit_codes_are_those_of_the_page(project, pytester, changes, arguments, code, outcome):
    ended = project(changes, *arguments)
    assert ended.ret == code
    if outcome:
        document = report(pytester)
        assert (document["exit_code"], document["verdict"]["outcome"]) == (code, outcome)
        assert document["finished"] is True


def test_an_interrupted_run_leaves_no_verdict(project, pytester):
    stop = "def test_stop():\n    raise KeyboardInterrupt\n"
    assert project({"test_stop.py": stop}, "test_stop.py", alone=True).ret == 2
    document = report(pytester)
    assert (document["exit_code"], document["finished"]) == (2, False)
    assert document["verdict"]["text"] == "No verdict"


def test_a_run_that_could_not_begin_leaves_the_last_outcome(project, pytester):
    project({}, "gates", "--metrics-file=m.prom")
    before = [(pytester.path / name).read_bytes() for name in ("reports/report.json", "m.prom")]
    ended = project({}, "gates", "--metrics-file=m.prom", "--compare=reports/summary.md")
    assert ended.ret == 4
    after = [(pytester.path / name).read_bytes() for name in ("reports/report.json", "m.prom")]
    assert after == before


def test_a_gate_that_fails_reads_well_in_junit(project, pytester):
    project({SAMPLE: EMPTY}, "gates", "--junitxml=gates.xml")
    (failure,) = ElementTree.parse(pytester.path / "gates.xml").iter("failure")
    headline = "gate 01_orders_have_currency: expected 0 rows, found 1"
    assert failure.get("message").partition("\n")[0].endswith(headline)
    assert "  fix: Fill it in." in failure.text
    assert "ann@example.com" not in (pytester.path / "gates.xml").read_text()
    assert _properties(pytester.path / "gates.xml")["gate_count"] == "1"


HOSTILE_GATE = """\
-- Every </script><b> `order` | @team has a currency.
-- title: </title>\u202e|`x` \U000e0001 [a](https://evil.example) ]]>
-- level: required
-- after: 01_add_orders
-- of: orders
-- show: a\\b, email
-- fix: <img src=x onerror=alert(1)> {{7*7}} | "q"

select email, email as "\x1b[31m\u202e", id as "a
b", 1 as "</td><script>"
from orders
"""
HOSTILE_ROWS = r"""
insert into orders
select n, null, e'\x1b[2J\x07</script>]]>\u202e\u2028\U000e0001\ufffe|`@team` "q" \\ \r\n'
    || chr(n) || chr(127) || chr(155)
from generate_series(1, 31) as n;
"""


def test_hostile_rows_and_names_stay_text_in_every_output(project, pytester):
    changes = {SAMPLE: HOSTILE_ROWS, "gates/02_hostile.sql": HOSTILE_GATE}
    changes["gates/02_hostile.red.sql"] = "insert into orders (id) values (-1);"
    arguments = ("gates", "--junitxml=gates.xml", "--metrics-file=m.prom", "--samples=40")
    ended = project(changes, *arguments, page=True)
    assert ended.ret == 1
    (gate,) = [each for each in report(pytester)["gates"] if each["name"] == "02_hostile"]
    assert gate["count"] == 31
    cases = ElementTree.parse(pytester.path / "gates.xml").iter("testcase")
    assert [each for each in cases if "02_hostile" in each.get("classname")]
    metrics = (pytester.path / "m.prom").read_text()
    assert list(families(metrics))
    for name in ("gates.xml", "m.prom", *(f"reports/{each}" for each in OUTPUTS)):
        text = (pytester.path / name).read_text(encoding="utf-8")
        unseen = {char for char in text if is_unseen(char)} - {"\n", "\t"}
        assert not unseen, f"{name}: {unseen!a}"
    assert "<img src=x" not in (pytester.path / "reports/report.html").read_text()
    assert "](https" not in (pytester.path / "reports/summary.md").read_text()
    assert not re.search("\u202e|\x1b\\[2J|\x07", ended.stdout.str())


@pytest.fixture
def shop(batchgate_server):
    """Make a database with an order that has no currency, and name it as a DSN does."""
    name = "outcomes_of_a_shop"
    create_database(batchgate_server, name)
    try:
        with connect(batchgate_server, name) as session:
            session.execute("create table orders (id int primary key, currency text, email text)")
            session.execute("create index orders_currency on orders (currency)")
            session.execute("insert into orders (id) values (1)")
        yield batchgate_server.conninfo(name)
    finally:
        drop_database(batchgate_server, name)


def test_targets_stand_in_every_outcome(project, pytester, shop):
    targets = (f"--dsn=here={shop}", "--dsn=gone=host=127.0.0.1 port=1 dbname=x user=y")
    ended = project({}, "gates", *targets, "--allow-superuser", "--metrics-file=m.prom")
    assert ended.ret == 1
    document = report(pytester)
    found = {gate["target"]: gate for gate in document["gates"]}
    assert (found["here"]["state"], found["here"]["count"]) == ("failed", 1)
    assert (found["gone"]["state"], found["gone"]["count"]) == ("no_result", None)
    assert found["gone"]["cause"] == "unreachable"
    reached = {target["name"]: target["reached"] for target in document["targets"]}
    assert reached == {"here": True, "gone": False}
    series = {
        (sample.name, sample.labels.get("target")): sample.value
        for family in families((pytester.path / "m.prom").read_text())
        for sample in family.samples
    }
    assert series["batchgate_gate_rows", "here"] == 1
    assert ("batchgate_gate_rows", "gone") not in series
    assert series["batchgate_gate_no_result", "gone"] == 1
    assert series["batchgate_target_up", "gone"] == 0
    summary = (pytester.path / "reports/summary.md").read_text()
    assert "on `gone`: Every order has a currency. **no result: no connection.**" in summary
