"""A signal between two things that a run does ends it there: it is neither lost nor too late."""

import signal

import pytest
from operated import rest_said
from waits import until
from wires import cuttable

from batchgate.cli import commands
from batchgate.operate.attempt import Attempt
from batchgate.operate.carrying import Carrier
from batchgate.operate.entry import Entrance
from batchgate.operate.interruption import Interruption

KINDS = [
    pytest.param(kind, id=kind.name) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
]


def signalled(monkeypatch, owner, name, kind, *, after=False, once=True):
    """Let a signal arrive right before something is done, or right after; the first time only."""
    before = getattr(owner, name)
    left = [kind]

    def do(*given, **named):
        if after:
            result = before(*given, **named)
        if left:
            signal.raise_signal(left.pop() if once else kind)
        return result if after else before(*given, **named)

    monkeypatch.setattr(owner, name, do)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_instead_of_an_answer_ends_it(operated, kind):
    with operated.on_a_terminal("apply", "1") as tty:
        tty.until_shown("[y/N]")
        tty.send(kind)
        assert tty.ended() == 130
        shown = "\n".join(tty.screen.text)
    assert "interrupted: nothing was changed" in shown
    assert "Traceback" not in shown
    assert operated.ask("select to_regclass('orders')::text") == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_after_the_answer_and_before_the_file_ends_it(operated, kind):
    """A gate that is held up stands between the two."""
    operated.done("apply", "--through", "2", "--yes")
    with operated.session() as holder:
        holder.execute("begin; lock table filled in access exclusive mode")
        gate = "-- Held up.\n-- level: required\n-- of: filled\n-- show: id\n-- fix: Wait.\n\n"
        patient = "batchgate_lock_timeout = 0\nbatchgate_statement_timeout = 0\n"
        operated.write(
            {
                "pytest.ini": f"[pytest]\naddopts = -p no:cacheprovider\n{patient}",
                "gates/02_held.sql": f"{gate}select id from filled where id < 0",
                "gates/02_held.red.sql": "select 1;",
            }
        )
        with operated.on_a_terminal("apply", "4", "--accept-locks") as tty:
            tty.until_shown("[y/N]")
            tty.type("y\r")
            operated.until_waiting()
            tty.send(kind)
            assert tty.ended() == 130
            shown = "\n".join(tty.screen.text)
    assert "interrupted: nothing was changed" in shown
    assert operated.ask("select to_regclass('orders_currency')::text") == [None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(Interruption, "__enter__", id="before-it-listens"),
        pytest.param(Carrier, "carry_out", id="before-the-file"),
        pytest.param(Carrier, "_attempt", id="before-the-attempt"),
        pytest.param(Attempt, "go", id="before-the-first-statement"),
        pytest.param(Attempt, "_begins", id="at-the-first-statement"),
    ],
)
def test_a_signal_before_the_first_statement_ends_it(operated, monkeypatch, owner, name, kind):
    signalled(monkeypatch, owner, name, kind)
    # In one piece: whoever hears of the signal after it has done its work.
    whole = "-- Orders.\n-- present: to_regclass('orders') is not null\n\ncreate table orders ();\n"
    operated.write({"sql/01_add_orders/migration.sql": whole})
    result = operated.run("apply", "1", "--yes")
    assert result.exit_code == 130, result.output
    assert "othing was changed" in result.stderr
    assert operated.ask("select to_regclass('orders')::text") == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_once_a_file_is_done_keeps_the_next_from_being_begun(operated, monkeypatch, kind):
    signalled(monkeypatch, Carrier, "carry_out", kind, after=True)
    result = operated.run("apply", "--through", "2", "--yes")
    assert result.exit_code == 130, result.output
    assert "✅ 01_add_orders applied" in result.stdout
    assert "interrupted: done before: 01_add_orders" in result.stderr
    assert operated.ask("select to_regclass('filled')::text") == [None]
    # It was the last one: all that was asked for is done.
    operated.done("rollback", "1", "--yes")
    signalled(monkeypatch, Carrier, "carry_out", kind, after=True)
    result = operated.run("apply", "1", "--yes")
    assert result.exit_code == 0, result.output
    assert "✅ 01_add_orders applied" in result.stdout


def test_a_signal_at_a_later_question_tells_what_was_done_before(operated):
    arguments = ("apply", "--through", "2", "--yes", "--large", "1kB", "--pg-bin", "nowhere")
    with operated.on_a_terminal(*arguments) as tty:
        tty.until_shown("Run it unmeasured, and let others wait? [y/N]")
        tty.type("\x03")
        assert tty.ended() == 130
        assert "interrupted: done before: 01_add_orders" in "\n".join(tty.screen.text)
    with operated.on_a_terminal(*arguments) as tty:
        tty.until_shown("Run it unmeasured, and let others wait? [y/N]")
        tty.type("n\r")
        assert tty.ended() == 3
        shown = "\n".join(tty.screen.text)
    assert "batch 02_fill_currency: expected a yes, found a no: nothing of it was changed" in shown


def test_a_server_that_does_not_answer_between_two_statements_is_given_up(operated):
    operated.done("apply", "1", "--yes")
    with cuttable(operated.server) as wire:
        # What is said before the file is run, and in no other place.
        wire.freeze_at(b"987654")
        given = ("--online", "--chunk", "987654", "--yes", "--dsn", wire.conninfo(operated.name))
        with operated.started("apply", "2", *given) as process:
            until(lambda: wire.frozen, "a server that does not answer")
            said = ""
            for told in ("stopping; what is under way", "stopping still", "is given up"):
                process.send_signal(signal.SIGINT)
                while told not in said:
                    said = process.stderr.readline()
            said = rest_said(process)
        wire.thaw()
    assert process.returncode == 130
    assert "interrupted: batch 02_fill_currency, before its first statement" in said
    assert operated.ask("select to_regclass('filled')::text") == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_while_it_is_told_how_it_ended_does_not_lose_the_document(
    operated, monkeypatch, kind
):
    from batchgate.cli.streams import Streams

    signalled(monkeypatch, Streams, "write_document", kind)
    result = operated.run("apply", "1", "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert '"outcome": "done"' in result.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_while_a_command_is_loaded_ends_it_in_order(operated, monkeypatch, kind):
    signalled(monkeypatch, commands, "import_module", kind)
    result = operated.run("apply", "1", "--yes", "--json")
    assert result.exit_code == 130
    assert "Error: interrupted" in result.stderr
    assert '"exit_code": 130' in result.stdout


def test_the_session_that_is_told_to_stop_gives_its_lock_back(operated, monkeypatch):
    signalled(monkeypatch, Entrance, "clean", signal.SIGTERM)
    assert operated.run("apply", "1", "--yes").exit_code == 130
    operated.done("apply", "1", "--yes")
