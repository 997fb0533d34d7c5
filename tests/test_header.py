"""The header of a file is read to the letter, or refused with its line."""

import pytest

from batchgate.errors import SuiteError
from batchgate.header import BATCH_KEYS, GATE_KEYS, Header, read_header

GATE = """\
-- Every lead is linked,
-- and linked once.
-- level: required
-- after: 01_first, 02_second
-- of: "Lead"

-- note: an ordinary comment
select 1
"""


def gate(text: str) -> Header:
    return read_header(text, path="gates/01_x.sql", keys=GATE_KEYS, required=True)


def batch(text: str) -> Header:
    return read_header(text, path="sql/01_x/migration.sql", keys=BATCH_KEYS, required=False)


def test_a_header_is_a_sentence_and_its_keys_up_to_the_first_blank_line():
    header = gate(GATE)
    assert header.sentence == "Every lead is linked, and linked once."
    assert header.values == {"level": "required", "after": "01_first, 02_second", "of": '"Lead"'}
    assert header.items("after") == ("01_first", "02_second")
    assert header.line("of") == 5


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("-- True.\n-- levle: required\n", 2, "found `levle`", id="unknown-key"),
        pytest.param(
            "-- True.\n-- level: required\n-- level: required\n",
            3,
            "expected header key `level` once",
            id="repeated-key",
        ),
        pytest.param("-- True.\n-- level:\n", 2, "found none", id="empty-key"),
        pytest.param("-- True.\n-- level:  \n", 2, "found none", id="blank-key"),
        pytest.param("-- level: required\n", 1, "opens with a sentence", id="no-sentence"),
        pytest.param("-- no full stop\n-- level: required\n", 1, "sentence", id="half-sentence"),
        pytest.param("select 1\n", 1, "found none", id="no-header"),
        pytest.param(
            "-- True.\n-- level: required\n-- Fix: Run it.\n", 3, "`Fix: Run it.`", id="capital"
        ),
        pytest.param("-- True.\n-- Level: required\n", 2, "`Level: required`", id="capital-first"),
        pytest.param(
            "-- True.\n-- level: required\n-- and so on\n", 3, "`and so on`", id="stray-line"
        ),
        pytest.param("-- True.\n-- level: required\n-- fix:run\n", 3, "`fix:run`", id="no-space"),
    ],
)
def test_a_wrong_gate_header_is_refused_with_its_line(text, line, said):
    with pytest.raises(SuiteError) as caught:
        gate(text)
    assert caught.value.message.at == f"gates/01_x.sql:{line}"
    assert said in caught.value.message.headline


def test_an_unknown_key_is_answered_with_the_known_ones_and_the_nearest():
    with pytest.raises(SuiteError) as caught:
        gate("-- True.\n-- levle: required\n")
    assert "Did you mean `level`?" in caught.value.message.fix
    assert all(key in caught.value.message.fix for key in GATE_KEYS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("create table t ();\n", id="no-comment"),
        pytest.param("-- author: someone\n-- ticket: 12\ncreate table t ();\n", id="fields"),
        pytest.param("-- 2025-11-10 first version\n\n-- x: y\nselect 1;\n", id="prose"),
        pytest.param("-- Makes t.\n\n-- note: an ordinary comment\n", id="after-the-blank"),
        pytest.param("-- Makes t.\n-- See there: it is so\n", id="prose-with-colon"),
        pytest.param("-- Makes t.\n-- author: bob\n", id="sentence-and-fields"),
        pytest.param("-- Makes t.\n-- Requires: PostgreSQL 15\n", id="sentence-and-capitals"),
    ],
)
def test_ordinary_comments_in_a_batch_are_no_header_errors(text):
    assert batch(text).values == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-- Makes t.\n-- requirse: 01_a\n", id="unknown"),
        pytest.param("-- Makes t.\n-- present: true\n-- colour: red\n", id="unknown-among-known"),
        pytest.param("-- Makes t\n-- presnt: false\n", id="misspelt-below-half-a-sentence"),
        pytest.param("-- Makes t.\n-- present: x\n-- Requires: 01_a\n", id="capital"),
        pytest.param("-- Makes t.\n-- present:false\n", id="no-blank"),
        pytest.param("-- Makes t.\n-- present: true\n-- present: true\n", id="repeated"),
        pytest.param("-- Makes t.\n-- irreversible:\n", id="empty"),
        pytest.param("-- requires: 01_a\ncreate table t ();\n", id="keys-without-sentence"),
    ],
)
def test_a_wrong_batch_header_is_refused(text):
    with pytest.raises(SuiteError):
        batch(text)


def test_windows_line_ends_make_no_difference():
    assert gate(GATE.replace("\n", "\r\n")) == gate(GATE)


def test_blank_lines_before_a_header_do_not_hide_it():
    assert batch("\n\n-- Makes t.\n-- present: true\n").values == {"present": "true"}
