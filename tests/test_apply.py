"""`batchgate apply` runs what the tests run, refuses what it must, and says what it did."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from batchgate.cli import main


def test_a_batch_is_applied_in_the_files_own_words(operated):
    result = operated.done("apply", "01_add_orders", "--yes")
    *said, closing = result.stdout.splitlines()
    assert said == ["orders made"]
    assert closing.startswith("✅ 01_add_orders applied in ")
    assert closing.endswith(f" s (database {operated.name})")
    assert f"database {operated.name} as postgres on host=" in result.stderr
    assert "dbname=" not in result.stderr
    assert "user=" not in result.stderr
    assert "PostgreSQL" in result.stderr
    assert "next: batchgate validate 01_add_orders" in result.stderr
    assert operated.ask("select count(*) from orders") == [7]


@pytest.mark.parametrize(
    "named",
    [
        "2",
        "02",
        "02_fill_currency",
        "sql/02_fill_currency/",
        "sql/02_fill_currency/migration.online.sql",
    ],
)
def test_a_batch_is_named_by_number_name_folder_or_a_file_of_it(operated, named):
    operated.done("apply", "1", "--yes")
    assert "02_fill_currency applied" in operated.done("apply", named, "--yes").stdout


def test_all_that_is_missing_is_applied_up_to_one(operated):
    operated.done("apply", "1", "--yes")
    result = operated.done("apply", "--through", "4", "--yes")
    closing = [line.split(" in ")[0] for line in result.stdout.splitlines() if line[0] == "✅"]
    assert closing == [
        "✅ 02_fill_currency applied",
        "✅ 03_audit validated",
        "✅ 04_index_orders applied",
    ]
    assert "left out:\n  01_add_orders: stands already\n" in result.stderr
    headings = [line for line in result.stderr.splitlines() if line.startswith("──")]
    assert headings == [
        "── 02_fill_currency (1 of 3)",
        "── 03_audit (2 of 3)",
        "── 04_index_orders (3 of 3)",
    ]
    again = operated.done("apply", "--through", "4", "--yes")
    assert again.stdout == ""
    assert "nothing to do" in again.stderr


def test_a_folder_that_only_validates_stops_what_comes_after_it(operated):
    operated.write({"sql/03_audit/validation.sql": "do $$ begin raise 'not yet'; end $$;"})
    result = operated.run("apply", "--through", "4", "--yes")
    assert result.exit_code == 1
    assert "batch 03_audit: expected validation to succeed, statement 1 of 1" in result.stderr
    assert operated.ask("select to_regclass('filled') is not null") == [True]
    assert operated.ask("select to_regclass('orders_currency') is not null") == [False]


RAISES = """\
-- Orders can be kept.
-- present: to_regclass('orders') is not null

begin;
do $$ begin
    raise exception 'not yet' using detail = 'It is early.', hint = 'Come back later.';
end $$;
commit;
"""


def test_the_hint_that_a_file_gives_is_what_there_is_to_do(operated):
    operated.write({"sql/01_add_orders/migration.sql": RAISES})
    said = operated.run("apply", "1", "--yes").stderr
    assert (
        "  cause: not yet [P0001]\n         It is early.\n"
        "  left: Nothing was changed: what was done is undone.\n"
        "        01_add_orders does not stand now.\n"
        "  fix: Come back later.\n"
    ) in said


def test_what_the_server_advises_is_no_fix(operated):
    operated.done("apply", "1", "--yes")
    with operated.session() as session:
        session.execute("create view seen as select * from orders")
    said = operated.run("rollback", "1", "--yes").stderr
    assert "         Use DROP ... CASCADE to drop the dependent objects too.\n  left:" in said
    assert "  fix: Put it right.\n" in said


def test_a_batch_that_stands_is_run_again_where_it_is_named(operated):
    operated.done("apply", "--through", "2", "--yes")
    operated.ask("insert into orders values (8) returning id")
    assert "Orders filled:   8" in operated.done("apply", "2", "--yes").stdout
    refused = operated.run("apply", "1", "--yes")
    assert refused.exit_code == 1
    assert 'cause: relation "orders" already exists [42P07]' in refused.stderr
    assert "left: Nothing was changed: what was done is undone.\n" in refused.stderr
    assert "        01_add_orders stands as before.\n  fix: Put it right.\n" in refused.stderr
    assert "    It stands already; its file is run once more.\n" in refused.stderr
    assert "at: sql/01_add_orders/migration.sql:5" in refused.stderr


def test_what_is_required_has_to_stand(operated):
    result = operated.run("apply", "2", "--yes")
    assert result.exit_code == 3
    assert "expected 01_add_orders to stand, found that it does not" in result.stderr
    assert "fix: Apply all that is missing: batchgate apply --through 02_fill" in result.stderr
    assert operated.ask("select to_regclass('filled')::text") == [None]


def test_a_required_gate_that_fails_keeps_a_batch_from_being_applied(operated):
    operated.done("apply", "--through", "2", "--yes")
    operated.ask("update orders set currency = null where id < 3 returning id")
    result = operated.run("apply", "4", "--yes")
    assert result.exit_code == 3
    assert "expected 1 required gate to pass, found that 1 does not" in result.stderr
    assert "row: 01_orders_have_currency: failed, 2 rows" in result.stderr
    assert "Run the fill again." in result.stderr
    assert operated.ask("select to_regclass('orders_currency')::text") == [None]


LATER = """\
-- Orders are paid.
-- level: required
-- of: filled
-- fix: Pay.

select id from filled where id < 0
"""


def test_a_gate_over_what_a_batch_is_about_to_make_is_told_to_say_so(operated):
    operated.write({"gates/02_paid.sql": LATER, "gates/02_paid.red.sql": "delete from filled;"})
    result = operated.run("apply", "1", "--yes")
    assert result.exit_code == 3
    assert (
        "fix: Where 01_add_orders makes it, give the gate `-- after: 01_add_orders`, at"
        " gates/02_paid.sql:1; else put its statement right.\n"
    ) in result.stderr
    gate = LATER.replace("-- of", "-- after: 01_add_orders\n-- of")
    operated.write({"gates/02_paid.sql": gate})
    operated.done("apply", "1", "--yes")
    result = operated.run("apply", "2", "--yes")
    assert "give the gate `-- after: 01_add_orders, 02_fill_currency`, at gates/02_paid.sql:3" in (
        result.stderr
    )
    gate = LATER.replace("-- of", "-- after: 02_fill_currency\n-- of")
    operated.write({"gates/02_paid.sql": gate})
    operated.done("apply", "2", "--yes")


def test_a_gate_that_is_wrong_for_itself_is_not_told_to_wait(operated):
    operated.write(
        {
            "gates/02_paid.sql": LATER.replace("id < 0", "1 / (id - id) = 1")
            .replace("filled", "pg_class")
            .replace("(id - id)", "(oid::int - oid::int)")
            .replace("select id", "select oid"),
            "gates/02_paid.red.sql": "select 1;",
        }
    )
    result = operated.run("apply", "1", "--yes")
    assert "[22012]" in result.stderr
    assert "fix: Put the gate's statement right.\n" in result.stderr


def test_a_gate_over_an_empty_table_is_no_pass_unless_that_is_expected(operated):
    operated.done("apply", "--through", "2", "--yes")
    operated.ask("delete from orders returning id")
    result = operated.run("apply", "4", "--yes")
    assert result.exit_code == 3
    assert "01_orders_have_currency: not exercised" in result.stderr
    assert "say --allow-empty" in result.stderr
    operated.done("apply", "4", "--yes", "--allow-empty")


def test_what_was_applied_before_a_refusal_is_said(operated):
    operated.write({"sql/02_fill_currency/migration.sql": None})
    operated.write(
        {
            "sql/02_fill_currency/migration.sql": FILLS_NOTHING,
            "sql/03_audit/validation.sql": "select 1;",
        }
    )
    result = operated.run("apply", "--through", "4", "--yes")
    assert result.exit_code == 3
    assert "  left: Done before: 01_add_orders, 02_fill_currency, 03_audit.\n" in result.stderr


FILLS_NOTHING = """\
-- There is a record.
-- requires: 01_add_orders
-- present: to_regclass('filled') is not null

begin;
create table filled (id int primary key);
commit;
"""


def test_a_file_that_does_not_make_its_batch_stand_has_failed(operated):
    operated.write(
        {
            "sql/02_fill_currency/migration.sql": FILLS_NOTHING.replace(
                "table filled", "table full_up"
            )
        }
    )
    operated.done("apply", "1", "--yes")
    result = operated.run("apply", "2", "--yes")
    assert result.exit_code == 1
    assert "expected `present` to be true once migration.sql has run, found false" in result.stderr


def test_without_a_terminal_a_word_is_needed(operated):
    result = operated.run("apply", "1")
    assert result.exit_code == 3
    assert "fix: Say --yes, once you have read which database that is." in result.stderr
    assert f"database {operated.name} as postgres" in result.stderr
    assert operated.ask("select to_regclass('orders')::text") == [None]


def test_on_a_terminal_it_is_asked_which_database_is_meant(operated):
    with operated.on_a_terminal("apply", "1") as tty:
        tty.until_shown(f"Apply 01_add_orders on {operated.name}? [y/N]")
        tty.type("n\r")
        assert tty.ended() == 3
        assert "nothing was changed" in tty.screen.text[-1]
    assert operated.ask("select to_regclass('orders')::text") == [None]
    with operated.on_a_terminal("apply", "1") as tty:
        tty.until_shown("[y/N]")
        tty.type("y\r")
        assert tty.ended() == 0
    assert operated.ask("select count(*) from orders") == [7]


def test_ctrl_c_instead_of_an_answer_is_an_interruption(operated):
    with operated.on_a_terminal("apply", "1") as tty:
        tty.until_shown("[y/N]")
        tty.type("\x03")
        assert tty.ended() == 130
        assert "interrupted: nothing was changed" in "\n".join(tty.screen.text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "expected either BATCH or --through BATCH", id="no-batch"),
        pytest.param(("1", "--through", "2"), "expected either BATCH", id="both"),
        pytest.param(("1", "--json"), "--json asks nothing: say --yes", id="json-without-yes"),
        pytest.param(("2", "--yes", "--chunk", "5"), "--chunk is for --online", id="chunk"),
        pytest.param(("2", "--online", "--chunk", "0"), "0 is not in the range", id="no-chunk"),
        pytest.param(("1", "--lock-timeout", "2"), "a duration such as 2s", id="milliseconds"),
        pytest.param(("1", "--lock-timeout", "soon"), "a duration such as 2s", id="no-duration"),
        pytest.param(("1", "--large", "much"), "expected a size such as 100MB", id="no-size"),
    ],
)
def test_a_wrong_call_is_told_as_one(operated, arguments, said):
    result = operated.run("apply", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_validation_is_next_where_there_is_one(operated):
    assert "next: batchgate validate 01_add_orders\n" in operated.done("apply", "1", "-y").stderr
    operated.write({"sql/02_fill_currency/validation.sql": None})
    assert "next:" not in operated.done("apply", "2", "-y").stderr


BLOCK = """\
-- A table stands.
-- transaction: none
-- present: to_regclass('made') is not null

do {};
"""


@pytest.mark.parametrize(
    ("block", "stays"),
    [
        pytest.param("$$ begin perform 1 / 0; end $$", False, id="plain"),
        pytest.param(
            "$do$ -- commit\nbegin execute 'commit'; perform 'call', $$call x$$; end $do$",
            False,
            id="words-in-strings-and-comments",
        ),
        pytest.param("'begin perform ''commit''; perform 1 / 0; end'", False, id="quoted"),
        pytest.param("$$ begin commit; perform 1 / 0; end $$", True, id="commit"),
        pytest.param("'begin COMMIT; perform 1 / 0; end'", True, id="commit-in-quotes"),
        pytest.param("e'begin\\ncommit; perform 1 / 0; end'", True, id="escaped"),
        pytest.param("language plpgsql $x$ begin call nobody(); end $x$", True, id="call"),
        pytest.param("language plnothing $x$ x $x$", True, id="another-language"),
    ],
)
def test_a_block_is_said_to_have_committed_only_where_it_may(operated, block, stays):
    operated.write(
        {"sql/05_make/migration.sql": BLOCK.format(block), "sql/05_make/rollback.sql": "select 1;"}
    )
    result = operated.run("apply", "5", "--yes")
    assert result.exit_code == 1
    left = "What statement 1 committed itself" if stays else "Nothing was changed: what was done"
    assert f"left: {left}" in result.stderr


def test_an_unknown_batch_is_told_with_those_that_are_known(operated):
    result = operated.run("apply", "9", "--yes")
    assert result.exit_code == 2
    assert "One of: 01_add_orders, 02_fill_currency, 03_audit, 04_index_orders." in result.stderr


def test_a_folder_that_only_validates_is_not_applied_by_itself(operated):
    result = operated.run("apply", "3", "--yes")
    assert result.exit_code == 3
    assert "Run it with batchgate validate 03_audit." in result.stderr


def test_the_online_route_is_taken_on_demand_and_reads_the_chunk(operated):
    operated.done("apply", "1", "--yes")
    result = operated.done("apply", "2", "--online", "--chunk", "4", "--yes")
    assert result.stdout.splitlines()[:2] == ["filled 4", "filled 7"]
    assert "02_fill_currency applied online" in result.stdout
    assert "orders were written meanwhile" in result.stderr
    operated.done("apply", "4", "--online", "--yes")
    assert operated.ask(
        "select indisvalid from pg_index where indexrelid = 'orders_currency'::regclass"
    ) == [True]


def test_a_batch_without_an_online_route_says_so(operated):
    result = operated.run("apply", "1", "--online", "--yes")
    assert result.exit_code == 3
    assert "expected a migration.online.sql for --online, found none" in result.stderr
    # Through several, the others take the route that they have.
    operated.done("apply", "--through", "2", "--online", "--yes")
    assert operated.ask("select count(*) from filled") == [7]


def test_two_runs_are_kept_apart(operated):
    operated.done("apply", "1", "--yes")
    with operated.held_up(), operated.started("apply", "2", "--yes", "--lock-timeout", "0"):
        pid = operated.until_waiting()
        for command in ("apply", "rollback"):
            result = operated.run(command, "2", "--yes")
            assert result.exit_code == 3
            assert "expected to be the only run here, found another one" in result.stderr
            assert f"row: pid {pid}, batchgate apply, since 2" in result.stderr
        assert operated.run("validate").exit_code == 3
    operated.until_gone()
    operated.done("apply", "2", "--yes")


def test_what_a_batch_sets_or_makes_for_its_session_does_not_reach_the_next(operated):
    operated.write(
        {
            "sql/01_add_orders/migration.sql": LOOSE,
            "sql/02_fill_currency/migration.sql": FILLS_NOTHING.replace(
                "begin;", "begin; create temp table left_over (id int) on commit drop;"
            ),
        }
    )
    operated.done("apply", "--through", "2", "--yes")
    assert operated.ask("select to_regclass('public.filled') is not null") == [True]


LOOSE = """\
-- Orders can be kept.
-- present: to_regclass('public.orders') is not null

create temp table left_over (id int);
set search_path = nowhere;
create table public.orders (id int primary key, currency text);
"""


def test_a_document_holds_what_happened_and_nothing_else_is_on_stdout(operated):
    operated.done("apply", "1", "--yes")
    result = operated.run("apply", "2", "--yes", "--json")
    document = json.loads(result.stdout)
    assert (document["command"], document["exit_code"], document["message"]) == ("apply", 0, None)
    assert document["database"].endswith(f"dbname={operated.name} user=postgres")
    (part,) = document["batches"]
    assert part["batch"] == "02_fill_currency"
    assert part["file"] == "sql/02_fill_currency/migration.sql"
    assert (part["route"], part["outcome"], part["attempts"]) == ("ordinary", "done", 1)
    assert (part["statements"], part["statements_committed"]) == (8, 8)
    assert part["figures"] == {"Orders filled": 7}
    assert part["notices"] == ["filling", "Statistics:\n   Orders filled:   7"]
    assert part["stands"] is True
    failed = operated.run("apply", "1", "--yes", "--json")
    document = json.loads(failed.stdout)
    assert (failed.exit_code, document["exit_code"]) == (1, 1)
    assert document["batches"][0]["error"] == {
        "at": "sql/01_add_orders/migration.sql:5",
        "sqlstate": "42P07",
    }
    assert document["message"].startswith("batch 01_add_orders: expected migration to succeed")


def test_verbose_shows_each_statement_with_its_time_and_tells_the_file(operated):
    operated.write(
        {
            "sql/01_add_orders/migration.sql": ORDERS_TOLD,
            "sql/01_add_orders/rollback.sql": "drop table orders;",
        }
    )
    result = operated.done("apply", "1", "--yes", "--verbose")
    said, closing = result.stdout.splitlines()
    assert said == "verbose: on"
    assert closing.startswith("✅ 01_add_orders applied in ")
    assert "[1/3]" in result.stderr
    assert " s  insert into orders values (1, '••••')" in result.stderr
    assert "ann@example.com" not in result.output


ORDERS_TOLD = """\
-- Orders can be kept.
-- present: to_regclass('orders') is not null
create table orders (id int primary key, currency text);
insert into orders values (1, 'ann@example.com');
do $$ begin raise notice 'verbose: %', current_setting('batchgate.verbose', true); end $$;
"""


def test_warnings_are_shown_as_such_and_control_characters_written_out(operated):
    operated.write(
        {
            "sql/03_audit/validation.sql": "do $$ begin raise warning 'careful';"
            " raise notice 'a\x1b[31mred'; end $$;\n\\echo -n one\n\\echo  two\n"
        }
    )
    said = operated.done("validate", "3").stdout.splitlines()
    assert said[0] == "⚠ careful"
    assert said[1] == "a\\x1b[31mred"
    assert said[2].replace(" ", "") == "onetwo"


def test_very_many_notices_are_shown_live_and_kept_in_bounds(operated):
    operated.write(
        {
            "sql/03_audit/validation.sql": "do $$ begin for n in 1..5000 loop"
            " raise notice 'row %', n; end loop; end $$;"
        }
    )
    assert len(operated.done("validate", "3").stdout.splitlines()) == 5001
    (part,) = json.loads(operated.done("validate", "3", "--json").stdout)["batches"]
    assert part["notices"][-1] == "row 5000"
    assert (len(part["notices"]), part["notices_left_out"]) == (200, 4800)


def test_no_password_is_shown(operated):
    dsn = f"{operated.dsn} password=sesame-open-up"
    result = operated.run("apply", "2", "--yes", "--dsn", dsn)
    assert result.exit_code == 3
    assert "sesame" not in result.output


LONG = """\
-- Orders can be kept.
-- present: to_regclass('orders') is not null

begin;
do $$ begin
    raise exception 'there-are-a-great-many-words in what is said here, so many of them that they'
        ' do not fit into one line of this terminal' using hint = 'Do the one thing.';
end $$;
commit;
"""


def test_what_goes_wrong_is_told_no_wider_than_the_terminal(operated):
    operated.write({"sql/01_add_orders/migration.sql": LONG})
    with operated.on_a_terminal("apply", "1", "--yes", lines=40) as tty:
        assert tty.ended() == 1
        shown = [line.rstrip() for line in tty.screen.text]
    first = next(number for number, line in enumerate(shown) if line.startswith("  cause: "))
    assert shown[first].endswith(" do not fit into one line of this")
    assert shown[first + 1] == "         terminal [P0001]"


@pytest.mark.parametrize("interrupted", ["batchgate.cli.commands", "batchgate.cli.apply"])
def test_ctrl_c_while_modules_are_loaded_is_one_line(operated, interrupted):
    program = f"""
import sys

class Interrupts:
    def find_spec(self, name, *_):
        if name == {interrupted!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from batchgate.cli import main
main(prog_name="batchgate")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, "apply", "1"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "Error: interrupted\n"


def test_a_database_that_is_not_reached_is_told(operated):
    result = operated.run("apply", "1", "--yes", "--dsn", f"{operated.dsn} dbname=nowhere")
    assert result.exit_code == 5
    assert "nowhere" in result.stderr


@pytest.mark.parametrize("command", ["apply", "rollback", "validate"])
def test_the_help_teaches(operated, command):
    said = operated.done(command, "--help").stdout
    for word in (
        "Exit codes:",
        "Examples:",
        "130  interrupted",
        "--dsn",
        "--json",
        "BATCHGATE_DSN",
    ):
        assert word in said


def test_a_folder_without_batches_and_gates_is_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 4
    assert "expected batches or gates, found neither" in result.stderr


@pytest.mark.parametrize("present", ["null", "1 / 0 = 1", "'perhaps'"])
def test_a_batch_that_cannot_say_whether_it_stands_is_not_applied(operated, present):
    text = f"-- Done.\n-- present: {present}\n\nbegin;\ncreate table orders ();\ncommit;\n"
    operated.write({"sql/01_add_orders/migration.sql": text})
    result = operated.run("apply", "1", "--yes")
    assert result.exit_code == 1
    assert "expected `present` to be true or false, found" in result.stderr
    assert operated.ask("select to_regclass('orders') is null") == [True]


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["terminal", "no-colour", "dumb"],
)
def test_colours_are_for_terminals_that_have_them(operated, variables, coloured):
    for arguments in (("apply", "1", "--yes", "-v"), ("status", "--no-drift")):
        quiet = {"CI": "true", **variables}
        with operated.on_a_terminal(*arguments, variables=quiet) as tty:
            assert tty.ended() == 0
            assert (b"\x1b[" in tty.written) == coloured, tty.written


def test_a_log_has_more_of_each_statement_than_a_terminal_has_room_for(operated):
    long = f"select {', '.join(map(str, range(1000, 1100)))}"
    operated.write({"sql/03_audit/validation.sql": f"{long};\n"})
    with operated.started("validate", "3", "-v") as process:
        _, said = process.communicate(timeout=60)
    assert "1000, 1001, " in said
    shown = next(line for line in said.splitlines() if "1000" in line)
    assert len(shown) > 80
    assert shown.endswith("…")
    with operated.on_a_terminal("validate", "3", "-v", variables={"COLUMNS": "80"}) as tty:
        assert tty.ended() == 0
        assert all(len(each) <= 80 for each in tty.screen.text)
        line = next(at for at, line in enumerate(tty.screen.text) if "1000" in line)
        assert "validated" in tty.screen.text[line + 1]
