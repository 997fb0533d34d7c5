"""No password leaves in a text, however it is written, and nothing else is lost."""

import html
import json
import re
import shlex
from pprint import pformat
from urllib.parse import quote, quote_plus

import pytest

from batchgate.findings import MASK
from batchgate.scrub import (
    Scrubber,
    concealed,
    passwords_in,
    without_passwords,
    without_sql_passwords,
)

HARD = "hünter2 'x\\é%\"&<😀"
PLAIN = "Tr0ub4dor"

WRITTEN = [
    pytest.param(str, id="as-it-is"),
    pytest.param(repr, id="repr"),
    pytest.param(ascii, id="ascii"),
    pytest.param(lambda text: repr(text.encode()), id="bytes"),
    pytest.param(lambda text: repr(repr(text)), id="repr-of-a-repr"),
    pytest.param(json.dumps, id="json"),
    pytest.param(lambda text: json.dumps(text, ensure_ascii=False), id="json-unicode"),
    pytest.param(lambda text: json.dumps(json.dumps(text)), id="json-in-json"),
    pytest.param(html.escape, id="html"),
    pytest.param(lambda text: html.escape(html.escape(text)), id="html-twice"),
    pytest.param(lambda text: html.escape(json.dumps(text)), id="json-in-html"),
    pytest.param(lambda text: html.escape(json.dumps(repr(text))), id="repr-in-json-in-html"),
    pytest.param(lambda text: html.escape(text).replace("&#x27;", "&apos;"), id="xml"),
    pytest.param(quote, id="url"),
    pytest.param(lambda text: quote(text, safe=""), id="url-all"),
    pytest.param(
        lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
        id="url-lower-case",
    ),
    pytest.param(quote_plus, id="form"),
    pytest.param(lambda text: "".join(f"%{b:02X}" for b in text.encode()), id="every-sign-encoded"),
    pytest.param(lambda text: text.replace("\\", "\\\\").replace("'", "\\'"), id="keyword-value"),
]


@pytest.mark.parametrize("write", WRITTEN)
@pytest.mark.parametrize("secret", [HARD, PLAIN, "correct horse", "Xy12", "tab\there\nline"])
def test_a_secret_is_hidden_in_every_way_of_writing_it(write, secret):
    text = f"before {write(secret)} after"
    shown = Scrubber([secret])(text)
    assert write(secret) not in shown
    assert write(secret).strip("'\"b") not in shown
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("'Tr0ub'\n  '4dor'", id="literals-side-by-side"),
        pytest.param("E     Tr0u\nE     b4dor", id="pytest-margin"),
        pytest.param("Tr0ub\r\n      4dor", id="wrapped"),
        pytest.param("postgresql://u:Tr0ub...b4dor@host/db", id="cut-in-the-middle"),
        pytest.param("x = 'Tr0...ther'", id="cut-after-its-start"),
        pytest.param("'some...0ub4dor'", id="cut-before-its-end"),
        pytest.param("Tr0ub4…", id="cut-by-us"),
        pytest.param("uTr0ub4dorx", id="within-a-word"),
        pytest.param("(b'Tr0u'\n b'b4do'\n b'r')", id="bytes-side-by-side"),
        pytest.param("""["  'Tr0ub'", "  '4dor'"]""", id="list-of-lines"),
        pytest.param(r"'E     \'Tr0ub\'\nE     \'4dor\''", id="repr-of-lines"),
        pytest.param("E     - 'Tr0ub'\nE     -  '4dor'", id="comparison"),
    ],
)
def test_a_broken_secret_is_hidden(text):
    shown = Scrubber([PLAIN])(text)
    for piece in ("Tr0", "dor", "4d"):
        assert piece not in shown
    assert shown.count("\n") == text.count("\n")


RED, OFF = "\x1b[31m", "\x1b[39;49;00m"
MARKED = "Zq7'%5C\\w x"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(str, id="terminal"),
        pytest.param(repr, id="repr"),
        pytest.param(lambda text: repr(repr(text)), id="repr-of-a-repr"),
        pytest.param(json.dumps, id="json"),
        pytest.param(lambda text: text.replace("\x1b", "#x1B"), id="junit"),
    ],
)
def test_colours_within_a_secret_do_not_show_it(write):
    coloured = "".join(f"{RED}{sign}{OFF}" for sign in MARKED)
    shown = Scrubber([MARKED])(write(f"{RED}before {coloured} after"))
    assert "Zq7" not in re.sub(r"[^A-Za-z0-9]|[\dx]*1b\[[\d;]*m|#x1B\[[\d;]*m", "", shown)
    assert "w" not in shown
    assert shown.count(MASK) == 1
    assert "before " in shown
    assert " after" in shown


def test_colours_stay_where_they_were():
    text = f"{RED}Tr0{OFF}ub4dor and {RED}more{OFF}"
    assert Scrubber([PLAIN])(text) == f"{RED}{MASK}{OFF} and {RED}more{OFF}"
    assert Scrubber([PLAIN])(f"{RED}passed{OFF}") == f"{RED}passed{OFF}"
    assert without_passwords(f"postgresql://u:{RED}pw{OFF}@h") == (
        f"postgresql://u:{MASK}{RED}{OFF}@h"
    )
    assert Scrubber([PLAIN])(f"Tr0{RED}ub{OFF}... b") == f"{MASK}{RED}{OFF}... b"


@pytest.mark.parametrize("width", [10, 20, 40, 80])
@pytest.mark.parametrize("value", [str, lambda text: {"a": {text: [text]}}, str.encode])
def test_a_hard_secret_that_is_laid_out_is_hidden(width, value):
    secret = "Zq7'\\Wk3 Zq7\"'Wk3 Zq7\\Wk3\\\\ ü"
    laid = pformat(value(secret), width=width)
    shown = Scrubber([secret])(laid)
    assert "Zq7" in laid
    assert not re.search("Zq7|Wk3", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("postgresql://u:pw@h/db", f"postgresql://u:{MASK}@h/db", id="url"),
        pytest.param("postgres://u:p@s/s@h:1/d", f"postgres://u:{MASK}@h:1/d", id="unescaped"),
        pytest.param("postgresql://:pw@h/db", f"postgresql://:{MASK}@h/db", id="no-user"),
        pytest.param("mysql://u:pw@h/db", f"mysql://u:{MASK}@h/db", id="other-scheme"),
        pytest.param(
            "postgresql+psycopg://u:pw@h/db", f"postgresql+psycopg://u:{MASK}@h/db", id="dialect"
        ),
        pytest.param("postgresql://u:pw!...", f"postgresql://u:{MASK}", id="cut"),
        pytest.param(
            "postgres://h/d?user=u&password=pw&sslmode=x",
            f"postgres://h/d?user=u&password={MASK}&sslmode=x",
            id="query",
        ),
        pytest.param("host=h password=pw user=u", f"host=h password={MASK} user=u", id="keyword"),
        pytest.param("password = 'p w' user=u", f"password = '{MASK}' user=u", id="keyword-quoted"),
        pytest.param(
            r"password='it\'s p' user=u", f"password='{MASK}' user=u", id="keyword-escaped"
        ),
        pytest.param(
            r"'host=h password=\'p w\' user=u'", rf"'host=h password=\'{MASK}\' user=u'", id="repr"
        ),
        pytest.param("sslpassword=pw", f"sslpassword={MASK}", id="key-of-a-key"),
        pytest.param("PGPASSWORD=pw psql", f"PGPASSWORD={MASK} psql", id="environment"),
        pytest.param("password   = 'pw'", f"password   = '{MASK}'", id="local"),
        pytest.param("{'PGPASSWORD': 'pw'}", f"{{'PGPASSWORD': '{MASK}'}}", id="dict"),
        pytest.param('{"password": "pw"}', f'{{"password": "{MASK}"}}', id="json"),
        pytest.param("password=b'pw', host", f"password=b'{MASK}', host", id="bytes"),
    ],
)
def test_the_place_of_a_password_is_hidden_whatever_stands_there(text, shown):
    assert without_passwords(text) == shown
    assert without_passwords(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("postgresql://localhost:5432/db", id="port"),
        pytest.param("postgresql://localhost:5432", id="port-alone"),
        pytest.param("postgresql://u@localhost:5432/db", id="no-password"),
        pytest.param("postgresql://[::1]:5432/db", id="six"),
        pytest.param("http://localhost:8080/a and ann@example.com", id="other-address"),
        pytest.param('password authentication failed for user "app"', id="libpq"),
        pytest.param("if password == other:", id="code"),
        pytest.param("gates/01_leads.sql::green PASSED [ 12%]", id="report"),
        pytest.param("host=db1 port=5432 dbname=app user=gate_reader", id="address"),
    ],
)
def test_what_holds_no_password_stays(text):
    assert Scrubber([PLAIN, "s3cret-of-ours"])(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("postgres", id="word-of-ours"),
        pytest.param("Passed", id="word-in-capitals"),
        pytest.param("abc", id="short"),
        pytest.param("1234", id="digits"),
        pytest.param("app", id="also-the-database"),
        pytest.param("replica-db1", id="also-the-host"),
    ],
)
def test_a_secret_that_is_a_common_word_is_hidden_in_its_place_alone(secret):
    scrub = Scrubber([secret], visible=["app", "replica-db1.internal"])
    report = "12 passed, postgres 1234 rows abc on app at replica-db1.internal"
    assert scrub(report) == report
    assert scrub(f"postgresql://u:{secret}@h") == f"postgresql://u:{MASK}@h"
    assert scrub(f"password={secret}") == f"password={MASK}"


def test_a_short_secret_is_hidden_as_a_word_and_not_within_others():
    scrub = Scrubber(["Xy12"])
    assert scrub("'Xy12', aXy12b, u%3AXy12%40h") == f"'{MASK}', aXy12b, u%3A{MASK}%40h"


def test_the_longer_of_two_secrets_is_hidden_whole():
    assert Scrubber(["Tr0ub", "Tr0ub4dor"])("Tr0ub4dor Tr0ub") == f"{MASK} {MASK}"


def test_a_scrubber_shows_nothing_of_what_it_hides():
    assert PLAIN not in repr(Scrubber([PLAIN]))
    assert PLAIN not in repr(concealed(PLAIN))
    assert concealed(PLAIN) == PLAIN


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("postgresql://u:pw@h/db", "pw", id="url"),
        pytest.param("postgresql://u:p%40w@h/db", "p@w", id="decoded"),
        pytest.param("postgresql://u:p%40w@h/db", "p%40w", id="encoded"),
        pytest.param("postgresql://u:p@ss@h/db", "p@ss", id="unescaped-at"),
        pytest.param("postgresql://u:p@word@h/db", "word", id="taken-for-the-host"),
        pytest.param("postgresql://u:p/ss@h/db", "p/ss", id="unescaped-slash"),
        pytest.param("postgresql://u:p%zz@h/db", "p%zz", id="not-an-escape"),
        pytest.param("postgresql:/u:pw@h/db", "pw", id="one-slash"),
        pytest.param("mysql://u:pw@h/db", "pw", id="other-scheme"),
        pytest.param("name=postgresql://u:pw@h/db", "pw", id="named"),
        pytest.param("postgresql://h/db?password=p%26w&user=u", "p&w", id="query"),
        pytest.param("host=h password=pw user=u", "pw", id="keyword"),
        pytest.param("host=h password='p w' user=u", "p w", id="quoted"),
        pytest.param(r"host=h password=it\'s user=u", "it's", id="escaped"),
        pytest.param("host=h password=hello world user=u", "hello world", id="unquoted-space"),
        pytest.param("host=h password=hello world user=u", "world", id="its-second-word"),
        pytest.param("host=h password='hello", "hello", id="unterminated"),
        pytest.param("host=h passwd=pw", "pw", id="wrong-keyword"),
    ],
)
def test_a_password_is_found_in_sound_and_malformed_strings(text, secret):
    assert secret in set(passwords_in(text))


def test_a_connection_string_without_a_password_has_none():
    assert not set(passwords_in("postgresql://u@h:5432/db?sslmode=require"))
    assert not set(passwords_in("host=h port=5432 dbname=app"))


def test_a_quoted_shell_word_is_hidden():
    assert PLAIN not in Scrubber([PLAIN])(shlex.join(["--dsn", f"postgresql://u:{PLAIN}@h"]))


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        pytest.param("role a password 'hunter2';\n", f"role a password '{MASK}';\n", id="plain"),
        pytest.param("password 'it''shunter2' b", f"password '{MASK}' b", id="doubled"),
        pytest.param("password E'a\\'hunter2' b", f"password '{MASK}' b", id="escaped"),
        pytest.param("password $x$hunter2$x$ b", f"password '{MASK}' b", id="dollars"),
        pytest.param("'password ''a''''hunter2'' b' c", f"'password '{MASK}'' c", id="nested"),
        pytest.param("password 'a\nhunter2'\nb", f"password '{MASK}'\n\nb", id="lines-stay"),
        pytest.param("password null; 'a'", "password null; 'a'", id="none"),
        pytest.param("u.password is 'x'", "u.password is 'x'", id="a-column"),
    ],
)
def test_a_password_in_sql_is_hidden(sql, shown):
    assert without_sql_passwords(sql) == shown
