"""Durations and sizes are read as the server reads them, wherever an option takes one."""

import psycopg
import pytest

from batchgate.errors import SuiteError
from batchgate.limits import is_setting, limits_from, seconds_of
from batchgate.targets.lag import lag_limit

UNITS = ("us", "ms", "s", "min", "h", "d")
TAKEN = (
    *("2s", "1.5s", ".5s", "1.s", "0.25min", "1500us", "500ms", "1 h", " 2 s ", "2\ts", "24d"),
    *("0", "0s", "0.0s", "250", "2147483647ms"),
)
REFUSED = (
    *("", "s", "soon", "-1", "2S", "2 sec", "1min 30s", "1..5s", "25d", "2147483648ms"),
    *("9999999999d", "08s"),
)
# The server takes these for something else than most would: octal, and 0, which is no limit.
TURNED_DOWN = ("010s", "0x10s", "1us", "0.4ms", "1.5")


@pytest.fixture
def server_reads(operated):
    """Return what the server makes of a time, in milliseconds; None where it refuses it."""
    with operated.session() as session:

        def read(text):
            try:
                session.execute("select set_config('lock_timeout', %s, false)", [text])
            except psycopg.Error:
                return None
            query = "select setting::int from pg_settings where name = 'lock_timeout'"
            return session.execute(query).fetchone()[0]

        yield read


@pytest.mark.parametrize("text", TAKEN)
def test_a_duration_is_what_the_server_makes_of_it(server_reads, text):
    assert is_setting(text)
    assert server_reads(text) == round(seconds_of(text) * 1000)
    assert limits_from({"lock_timeout": (text, "--x")}).lock_timeout == text.strip()


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_server_refuses_is_refused_before(server_reads, text):
    assert server_reads(text) is None
    assert not is_setting(text)


@pytest.mark.parametrize("text", TURNED_DOWN)
def test_what_the_server_would_take_for_something_else_is_refused(server_reads, text):
    assert server_reads(text) is not None
    assert not is_setting(text)
    with pytest.raises(SuiteError, match="expected a duration such as 30s"):
        limits_from({"lock_timeout": (text, "--x")})


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_taken_by_every_option_with_a_time(operated, unit):
    text = f"2000.5 {unit}" if unit in ("us", "ms") else f"1.5{unit}"
    assert lag_limit(text).seconds == pytest.approx(seconds_of(text))
    given = ("--lock-timeout", text) if unit != "us" else ("--lock-timeout", f"1{text}")
    operated.done("apply", "1", "--dry-run", *given)
    more = (f"--max-lag={text}", f"--max-replay-wait={text}", f"--statement-timeout={text}")
    result = operated.run("check", *more)
    assert result.exit_code == 1, result.output
    assert "expected" not in result.stderr


def test_the_lock_timeout_holds_as_it_is_given(operated):
    said = "do $$ begin raise notice 'waits %', current_setting('lock_timeout'); end $$;\n"
    operated.write({"sql/03_audit/validation.sql": said})
    for given, held in (("1.5s", "1500ms"), (" 2 min ", "2min"), ("0", "0")):
        assert f"waits {held}\n" in operated.done("validate", "3", "--lock-timeout", given).stdout


@pytest.mark.parametrize("text", ["1us", "2", "1.5", "010s", "25d", "1min 30s"])
def test_another_lock_timeout_is_refused_with_what_is_expected(operated, text):
    result = operated.run("validate", "3", "--lock-timeout", text)
    assert result.exit_code == 2
    expected = "a number and one of us, ms, s, min, h, d; from 1ms to 24d"
    assert expected in " ".join(result.stderr.split())
    assert f"found {text}" in result.stderr


@pytest.mark.parametrize("text", ["1.5GB", "100 MB", "0.5TB", "7", "512B"])
def test_a_size_may_be_a_fraction(operated, text):
    operated.done("apply", "1", "--yes", "--large", text)


@pytest.mark.parametrize("text", ["1.5MB", "64kB", "0.25 GB", "65536B", "0.001TB"])
def test_an_amount_of_memory_is_one_that_the_server_takes(operated, text):
    assert limits_from({"work_mem": (text, "--x")}).work_mem == text
    with operated.session() as session:
        session.execute("select set_config('work_mem', %s, false)", [text])
