"""SQL to read: coloured, numbered, never changed, and no more of it than a page can hold."""

import re
from html import unescape

import pytest
from drawn import FIRST, HOSTILE, OWED, check, drawn, everything, gate

from batchgate.report.sources import Ink
from batchgate.run import Promised, Run

SQL = """-- A comment.
select 'text', 12, "Name" from thing; /* more */
do $$ begin raise exception 'no'; end $$;
"""


def text_in(source):
    return unescape(re.sub(r"<[^>]*>", "", source.text))


def coloured(source):
    return re.findall(r'<i class="(\w)">([^<]*)</i>', source.text)


def test_keywords_strings_comments_and_numbers_have_a_colour_and_names_have_none():
    found = coloured(Ink().sql("x", SQL))
    words = (("c", "-- A comment."), ("k", "select"), ("m", "12"), ("c", "/* more */"))
    for pair in (*words, ("k", "begin raise exception"), ("s", "'no'")):
        assert pair in [(kind, unescape(text).strip()) for kind, text in found]
    assert "Name" not in "".join(text for _, text in found)
    assert {kind for kind, _ in found} == {"k", "s", "c", "m"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SQL, id="sound"),
        pytest.param("select 'never closed", id="open string"),
        pytest.param("/* /* never closed", id="open comment"),
        pytest.param("do $a$ begin $b$ $a$; $ $1 $$", id="dollars"),
        pytest.param("$1$2$3$4$5" * 2_000, id="very many dollars"),
        pytest.param("create function f() language plpython3u as $$import x$$;", id="py"),
        pytest.param("\\set a b\n\\echo :'a'\n", id="psql"),
        pytest.param(HOSTILE.replace("\u202e", ""), id="hostile"),
        pytest.param("sélect 'é' — ∑", id="other signs"),
        pytest.param("a" * 20_000, id="one long word"),
    ],
)
def test_nothing_of_a_text_is_lost_or_added(text):
    for source in (Ink().sql("x", text), Ink().plan("x", text)):
        assert text_in(source) == text.rstrip("\n")


def test_what_cannot_be_seen_is_written_out_and_tabs_and_line_ends_are_not():
    assert (
        text_in(Ink().sql("x", "\tselect 1;\r\n\x07\u202e\r")) == "    select 1;\n\\x07\\u202e\\x0d"
    )


def test_each_line_has_its_number():
    assert Ink().sql("x", "a\n\nb\n").numbers == "1\n2\n3"
    assert Ink().sql("x", "a\n\nb").numbers == "1\n2\n3"


def test_a_page_colours_what_it_can_shows_the_rest_plain_and_then_says_where_it_is():
    ink = Ink(coloured=60, plain=40)
    first, second, third = (ink.sql("x", "select 1, 2, 3, 'four';") for _ in range(3))
    assert coloured(first)
    assert not coloured(second)
    assert text_in(second) == "select 1, 2, 3, 'four';"
    assert third.left_out
    assert third.note == "Not shown here: it is in report.json."


def test_a_batch_that_fails_is_coloured_before_those_that_pass():
    text = "select 1; -- " + "x" * 19_000 + "\n"
    names = [f"{n:02}_b" for n in range(1, 61)]
    promised = [
        Promised(name, n, "", OWED[:1], "", (("migration.sql", text),))
        for n, name in enumerate(names, 1)
    ]
    checks = [check(OWED[0], name, passed=name != "60_b") for name in names]
    page = drawn(Run(promised=promised, checks=checks, counts={"passed": 59, "failed": 1}))
    card = page.html.partition('id="batch-60"')[2]
    assert '<i class="k">select </i>' in card
    assert "Not shown here: it is in report.json." in page.text
    assert len(page.html) < 1_500_000


def test_a_plan_is_read_as_one():
    page = drawn(everything(gates=[gate(1, plan="Seq Scan on thing  (cost=0.00..8.00 rows=1)")]))
    assert "Plan of gate 1 1 Seq Scan on thing" in re.sub(r"\s+", " ", page.text)


def test_a_file_is_found_under_its_batch():
    promised = [Promised(FIRST, 1, "", OWED, "", (("rollback.sql", HOSTILE),))]
    text = drawn(everything(promised=promised)).text
    assert "<script>alert(1)</script>" in text.partition("Files")[2].replace(" ", "")
