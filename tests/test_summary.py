"""The summary says what blocks in Markdown that stays text, and fits where it is put."""

import re

import pytest
import runs

from batchgate.errors import SuiteError
from batchgate.findings import MASK, Cause, Level, Row, State
from batchgate.outcomes.compare import Change, Comparison, compare_documents
from batchgate.outcomes.document import document_of
from batchgate.outcomes.markdown import Section, code, fitted, prose
from batchgate.outcomes.summary import LIMIT, STEP_LIMIT, summary_of, write_summary
from batchgate.verdict import judge


def summary(run, comparison=None, **given):
    return summary_of(document_of(run, judge(run), runs.about(**given)), comparison)


def part(text, title):
    """Return the lines under a heading."""
    _, _, rest = text.partition(f"### {title}\n")
    return rest.partition("\n### ")[0].strip().splitlines()


def test_a_clear_run_is_short():
    text = summary(runs.run(runs.gate()))
    assert text.startswith("## No check blocks this merge\n")
    assert "What blocks" not in text
    assert "Figures: 0 of 1 test failed, 1 of 1 required gate passed, 0 gates failing" in text
    assert part(text, "Gates")[-1] == ("| `01_all_is_well` | – | required | passed | 0 | 100 ms |")
    assert "Run: batchgate 0.1.0, Python 3.11.7, started 2026-07-01T12:00:00+00:00" in text


GOLDEN = """\
## Do not merge

Blocked by 1 required gate, 1 required gate without a result, 2 other tests.

What ran: shop, 2 batches, 11 gates

Figures: 4 of 6 tests failed, 1 of 3 required gates passed, \
2 gates failing, 2 without a result, exit code 1

### What blocks

- Target `us`: no connection
- Required gate `01_a` on `eu`: All is well. **1 row.** Fix: Mend it.
- Required gate `03_c` on `us`: All is well. **no result: connection lost.** \
connection lost after 30 s.
- 2 other tests: see the log

### Not run

- The run did not finish: what is said here says nothing of the rest.

### To read

- Informational gate `04_d`: All is well. **2 findings.**
- Informational gate `05_e`: All is well. **not exercised.**

### Gates

| gate | on | level | result | rows | time |
| :-- | :-- | :-- | :-- | --: | --: |
| `01_a` | `eu` | required | failed | 1 | 100 ms |
| `03_c` | `us` | required | no result: connection lost | – | 100 ms |
| `02_b` | `eu` | required | passed | 0 | 100 ms |
| `04_d` | – | informational | warned | 2 | 100 ms |
| `05_e` | – | informational | not exercised | – | 100 ms |

### Targets

| target | server | snapshots | lag | notes |
| :-- | :-- | :-- | :-- | :-- |
| `eu` | standby 15.18 | 2026-07-01T12:00:00Z | 0 bytes | – |
| `us` | not reached | – | – | asleep; 1 grant missing |
| – | primary 18.6 | – | – | 2 grants missing |

### About

Run: batchgate 0.1.0, Python 3.11.7, started 2026-07-01T12:00:00+00:00, took 2.5 s, \
selected -m gates, statement\\_timeout 30s
"""


def test_a_run_reads_well():
    info = {"level": Level.INFORMATIONAL, "fails": False}
    none = {"server": "", "snapshots": (), "lag": ""}
    lacking = {"notes": ("asleep",), "grants": ("g",)}
    run = runs.run(
        runs.gate("01_a", State.FAILED, count=1, target="eu", fix="Mend it."),
        runs.gate("02_b", target="eu"),
        runs.without_result(Cause.LOST, "03_c", target="us"),
        runs.gate("04_d", State.WARNED, count=2, figures=True),
        runs.gate("05_e", State.NOT_EXERCISED, **info),
        targets=(
            runs.target(),
            runs.target("us", role="", error="no connection", **none, **lacking),
            runs.target("", **{**none, "server": "18.6"}, role="primary", grants=("g", "h")),
        ),
        gates_in_suite=(),
        counts={"failed": 3, "error": 1, "passed": 2},
        finished=False,
    )
    assert summary(run, exit_code=1) == GOLDEN


def test_what_blocks_and_what_was_not_run_comes_before_the_tables():
    text = summary(runs.everything(), exit_code=1)
    assert text.startswith("## Do not merge\n\nBlocked by 2 batches, ")
    blocking = part(text, "What blocks")
    assert blocking[:3] == [
        "- Target `us`: no connection",
        "- Check `01_a/rollback.sql::restores-data`: left behind",
        "- Batch `02_b`: it broke",
    ]
    assert (
        "- Required gate `27_lock_wait` on `eu`: All is well. "
        "**no result: waited for a lock.** waited for a lock after 30 s."
    ) in blocking
    assert "- Required gate `02_failed` on `us`: All is well. **3 rows.**" in blocking
    assert "- Required gate `90_never_run` on `us`" in part(text, "Not run")
    assert "- 1 check of batches" in part(text, "Not run")
    assert text.index("### What blocks") < text.index("### Not run") < text.index("### Gates")
    assert "- Informational gate `03_warned` on `eu`" in "\n".join(part(text, "To read"))


def test_batches_have_a_table_where_their_checks_were_asked_for():
    lines = part(summary(runs.everything()), "Batches")
    assert lines[-3:] == [
        "| `01_a` | 1 | 1 | 0 | 0 |",
        "| `02_b` | 0 | 0 | 1 | 0 |",
        "| `03_c` | 0 | 0 | 0 | 1 |",
    ]
    gates_alone = runs.run(runs.gate(), checks_in_suite=("01_a/migration.sql::applies",))
    assert not part(summary(gates_alone), "Batches")


def test_a_reason_does_not_say_the_cause_again():
    lost = runs.without_result(Cause.LOST, reason="connection lost: ended by an administrator")
    text = summary(runs.run(lost))
    assert "**no result: connection lost.** ended by an administrator.\n" in text


def test_checks_are_not_missed_where_gates_alone_were_asked_of_targets():
    owed = {"checks_in_suite": ("01_a/migration.sql::applies",)}
    assert "1 check of batches" in summary(runs.run(runs.gate(), **owed))
    on_target = runs.run(runs.gate(target="eu"), targets=(runs.target(),), **owed)
    assert "check of batches" not in summary(on_target)


def test_what_kept_many_gates_from_a_result_is_one_line():
    gates = [
        runs.without_result(Cause.UNREACHABLE, f"{at:02}_gate", target=name, fix="Wake it up.")
        for name in ("eu", "us")
        for at in range(1, 31)
    ]
    lines = part(summary(runs.run(*gates)), "What blocks")
    names = ", ".join(f"`{at:02}_gate`" for at in range(1, 21))
    assert lines == [
        f"- 30 required gates on `{name}`: **no result: no connection.** no connection after 30 s. "
        f"({names} and 10 more) Fix: Wake it up."
        for name in ("eu", "us")
    ]


def test_a_gate_without_a_result_has_no_rows_in_the_table():
    lines = part(summary(runs.run(runs.without_result(Cause.TIMED_OUT))), "Gates")
    assert lines[-1] == "| `01_all_is_well` | – | required | no result: timed out | – | 100 ms |"


def test_no_row_of_a_gate_and_no_address_is_in_it():
    secret = Row(("id", "phone"), ("a-cell-to-find", MASK))
    found = runs.gate(state=State.FAILED, sample=(secret,), target="eu")
    text = summary(runs.run(found, targets=(runs.target(address="host=db-to-find"),)))
    assert "a-cell-to-find" not in text
    assert "db-to-find" not in text
    assert MASK not in text


def test_what_is_new_is_told():
    eu = (runs.target(),)
    before = runs.document(runs.gate(target="eu"), targets=eu)
    after = runs.document(runs.gate(state=State.FAILED, target="eu"), targets=eu)
    lines = part(summary_of(after, compare_documents(before, after)), "Since the earlier run")
    assert lines[0] == "It was of 2026-07-01T12:00:00+00:00, Gates pass."
    assert "- **worse:** `01_all_is_well` on `eu`: 3 rows, none before" in lines
    same = part(summary_of(after, compare_documents(after, after)), "Since the earlier run")
    assert same[-1] == "- Nothing new."


def test_hostile_text_stays_text_in_every_section():
    change = Change(kind="count", text=runs.HOSTILE, subject=runs.HOSTILE, target=runs.HOSTILE)
    comparison = Comparison(previous=runs.HOSTILE, changes=(change,))
    text = summary(runs.hostile(), comparison, project=runs.HOSTILE, command=runs.HOSTILE)
    assert text.count("@&#8203;team") > 20
    bare = re.sub(r"`[^`\n]*`", "", text)
    assert not re.search(r"@(?!&#8203;)|(?<!&)#(?=\d)", bare)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)<(?!/?span>)", bare)
    assert "https://" not in bare
    assert all(char == "\n" or char.isprintable() for char in text)
    columns = {}
    for line in text.splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            columns.setdefault(cells, []).append(line)
    assert sorted(columns) == [6, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a|b", r"a\|b", id="pipe"),
        pytest.param("`x`", r"\`x\`", id="backtick"),
        pytest.param("<b>", r"\<b\>", id="html"),
        pytest.param("@team", "@&#8203;team", id="mention"),
        pytest.param("#12 GH-3", "#&#8203;12 GH&#8203;-3", id="reference"),
        pytest.param("http://a www.b.c", "http:&#8203;//a www&#8203;.b.c", id="address"),
        pytest.param("&#64;x", r"\&#&#8203;64;x", id="entity"),
        pytest.param("*a* _b_ ~c~ [d](e)", r"\*a\* \_b\_ \~c\~ \[d\](e)", id="marks"),
        pytest.param("$a$", "<span>$</span>a<span>$</span>", id="mathematics"),
        pytest.param("a\nb\r\x1b[1m\u202e", r"a b\\x0d\\x1b\[1m\\u202e", id="unseen"),
        pytest.param("\ud800", r"\\ud800", id="surrogate"),
        pytest.param("x" * 400, "x" * 299 + "…", id="long"),
    ],
)
def test_prose_is_taken_as_it_is_written(text, expected):
    assert prose(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("01_a", "`01_a`", id="name"),
        pytest.param("@team <b>", "`@team <b>`", id="code-is-left-alone"),
        pytest.param("a`b", r"a\`b", id="backtick"),
        pytest.param("a|b", r"a\|b", id="pipe"),
        pytest.param("a\\", r"a\\", id="backslash"),
        pytest.param(" ", "", id="blank"),
    ],
)
def test_a_name_is_code_unless_it_would_end_it(text, expected):
    assert code(text) == expected


def test_a_large_run_fits_and_says_what_is_left_out():
    gates = [
        runs.gate(f"{at:04}_gate", State.FAILED, target=name, fix="<@" * 200, sentence="é" * 400)
        for at in range(500)
        for name in "vwxyz"
    ]
    run = runs.run(*gates, targets=tuple(map(runs.target, "vwxyz")))
    text = summary(run)
    assert LIMIT * 0.9 < len(text.encode()) <= LIMIT
    left = [int(n) for n in re.findall(r"… and (\d+) more; report.json has them all\.", text)]
    assert left
    assert len(part(text, "What blocks")) - 2 + left[0] == 2500
    assert part(text, "About")
    assert text.index("### Targets")


def test_lines_that_fit_are_all_kept_and_one_byte_less_leaves_one_out():
    sections = [Section(["### A", ""], ["- é" * 10] * 5), Section(["### B"])]
    whole = fitted(sections, 10_000)
    assert whole.count("- é" * 10) == 5
    for limit in range(120, len(whole.encode()) + 200):
        text = fitted(sections, limit)
        assert len(text.encode()) <= limit
        kept = text.count("- é" * 10)
        assert kept == 5 or f"… and {5 - kept} more" in text


def test_the_summary_is_written_and_added_to_that_of_the_job(tmp_path):
    path, github = tmp_path / "reports" / "summary.md", tmp_path / "step"
    write_summary("## A\n", path)
    assert path.read_text() == "## A\n"
    write_summary("## A\n", path, str(github))
    assert github.read_text() == "## A\n"
    write_summary("## B\n", path, str(github))
    assert github.read_text() == "## A\n\n\n## B\n"
    assert path.read_text() == "## B\n"
    write_summary("## C\n", path, "")


@pytest.mark.parametrize("left", [0, 1, 50, 100, 200, 5_000, 9_999, 10_000, 20_000])
def test_the_summary_of_a_job_never_grows_beyond_what_github_takes(tmp_path, left):
    github = tmp_path / "step"
    github.write_bytes(b"x" * (STEP_LIMIT - left))
    text = "## é\n" + "- é\n" * 2_000
    write_summary(text, tmp_path / "summary.md", str(github))
    added = github.read_bytes()[STEP_LIMIT - left :].decode()
    assert len(added.encode()) <= left
    if left >= 200:
        assert added.startswith("\n\n## é\n")
        assert added.endswith("- é\n") or added.endswith("report.json has all of it.\n")
    else:
        assert added == "" or added.endswith("report.json has all of it.\n")
    assert (tmp_path / "summary.md").read_text() == text


def test_what_has_just_room_is_not_cut(tmp_path):
    github = tmp_path / "step"
    github.write_bytes(b"x" * (STEP_LIMIT - 12))
    write_summary("a" * 10, tmp_path / "summary.md", str(github))
    assert github.read_bytes().endswith(b"\n\naaaaaaaaaa")


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(SuiteError, match="expected to write it"):
        write_summary("a", tmp_path / "summary.md", str(tmp_path / "none" / "step"))
    assert (tmp_path / "summary.md").read_text() == "a"
