"""What the terminal says of gates and targets reads well, once, and pastes back."""

from dataclasses import replace

import pytest
from runs import gate, run, target, without_result

from batchgate.findings import Cause, State
from batchgate.terminal import show_run
from batchgate.verdict import judge
from batchgate.whereabouts import GRANTS

GRANT = "grant select on public.orders, public.invoices, public.shipments to gate_reader;"
COMMENT = "-- row security hides rows of public.orders, and a gate would pass over them, all of it"
ROLE = f"{COMMENT}\nalter role gate_reader bypassrls;"


class Paper:
    """A terminal that keeps what is written to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def ensure_newline(self) -> None:
        """Be at the start of a line always."""

    def section(self, title: str, sep: str) -> None:
        self.lines.append(f"{sep} {title}")

    def write_line(self, line: str, **_: bool) -> None:
        self.lines.append(line)


@pytest.fixture
def shown(monkeypatch):
    """Return the lines that a run is told by, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def show(made) -> list[str]:
        paper = Paper()
        show_run(paper, made, judge(made), "")
        return paper.lines

    return show


def lacking(fix: str, **given):
    return replace(without_result(Cause.NOT_PERMITTED, target="eu", fix=fix), **given)


def test_statements_to_paste_stay_whole_with_their_comments(shown):
    lines = shown(run(lacking(f"On the primary:\n{GRANT}\n{ROLE}"), targets=(target(),)))
    for whole in (GRANT, COMMENT):
        assert [line for line in lines if line.endswith(whole)]


def test_each_line_of_a_missing_grant_is_indented(shown):
    lines = shown(run(gate(target="eu"), targets=(target(grants=(GRANT, ROLE)),)))
    assert f"  {GRANTS}:" in lines
    assert f"    {COMMENT}" in lines
    assert "    alter role gate_reader bypassrls;" in lines


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        pytest.param((GRANT, ROLE), "fix: Run what is listed above as missing grants.", id="all"),
        pytest.param((GRANT,), "alter role gate_reader bypassrls;", id="not-all"),
    ],
)
def test_a_fix_points_to_the_missing_grants_only_where_all_of_it_stands_there(shown, grants, said):
    fix = f"On the primary:\n{GRANT}\n{ROLE}"
    lines = shown(run(lacking(fix), targets=(target(grants=grants),)))
    assert lines[-2].endswith(said) or lines[-3].endswith(said)


def test_what_kept_every_gate_from_running_is_told_once_with_its_fix(shown):
    gone = "no connection: refused: nothing listens there"
    gates = [
        without_result(Cause.UNREACHABLE, f"{n:02}_a", target="eu", reason=gone, fix="Look at it.")
        for n in range(1, 12)
    ]
    lines = shown(run(*gates, targets=(target(role="", server="", error=gone),)))
    assert f"  no gate ran: {gone}" in lines
    assert [line for line in lines if "Look at it." in line] == ["  fix: Look at it."]
    assert not any("why:" in line for line in lines)


def test_what_kept_several_gates_alike_from_a_result_is_told_at_the_first(shown):
    why = "no connection: starting-up: the database system is starting up"
    gates = [
        without_result(Cause.UNREACHABLE, f"{n:02}_a", target="eu", reason=why, fix="Wait.")
        for n in (1, 2)
    ]
    other = without_result(Cause.TIMED_OUT, "03_a", target="eu", fix="Wait.")
    lines = shown(run(*gates, other, targets=(target(),)))
    assert [line.strip() for line in lines if "Wait." in line] == ["fix: Wait."] * 2
    assert "     why: as gate 1" in lines


def test_an_end_on_the_way_is_no_gate_ran_only_where_none_gave_a_result(shown):
    ended = target(error="connection lost: the run was interrupted")
    lines = shown(run(gate(target="eu"), targets=(ended,), finished=False))
    assert "  interrupted: connection lost: the run was interrupted" in lines
    lines = shown(run(without_result(Cause.TIMED_OUT, target="eu"), targets=(ended,)))
    assert "  no gate ran: connection lost: the run was interrupted" in lines


def test_a_reason_of_its_own_is_told_beside_what_is_said_of_the_target(shown):
    late = without_result(Cause.TIMED_OUT, target="eu", fix="Wait.")
    lines = shown(run(late, targets=(target(error="connection lost: gone"),)))
    assert "     fix: Wait." in lines


def test_options_and_paths_are_never_broken(shown):
    path = "/var/lib/somewhere/" + "long/" * 20 + "report.json"
    words = "Connect as a role that may do nothing but read any table, or say --allow-superuser"
    lines = shown(run(without_result(Cause.REFUSED, fix=f"{words}. {path}")))
    assert any("--allow-superuser" in line for line in lines)
    assert any(path in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0124, "12 ms"), (2.02, "2.0 s"), (75.2, "1 min 15 s")]
)
def test_a_time_is_told_as_the_page_tells_it(shown, seconds, told):
    lines = shown(run(gate(state=State.PASSED, seconds=seconds)))
    assert any(line.endswith(told) for line in lines)
