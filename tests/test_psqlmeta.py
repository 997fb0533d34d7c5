"""Variables are filled in wherever psql would, and looked for nowhere else."""

import pytest

from batchgate.psqlmeta import fill

VARIABLES = {"x": "7", "name": "it's"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param("select :x", "select 7", id="value"),
        pytest.param("select :'name', :\"x\"", "select 'it''s', \"7\"", id="quoted"),
        pytest.param("select :{?x}", "select TRUE", id="asked-for"),
        pytest.param("select a::x, b:=c, d[1: 2]", None, id="type-and-others"),
        pytest.param("select '2'::int:x", "select '2'::int7", id="after-a-type"),
        pytest.param("select :::x", "select ::7", id="three-colons"),
        pytest.param(r"select \::x", r"select \:7", id="after-a-colon-for-the-server"),
        pytest.param("select ':x', $$:x$$ -- :x", None, id="within-quotes-and-comments"),
        pytest.param("select :y", None, id="unknown"),
    ],
)
def test_a_variable_is_filled_in_where_psql_does(text, filled):
    assert fill(text, VARIABLES).text == (text if filled is None else filled)


@pytest.mark.parametrize("text", ["select 1 +\n2", "select :x +\n2"])
def test_every_place_is_found_again_in_the_file(text):
    filled = fill(text, VARIABLES)
    assert filled.source_offset(filled.text.index("\n")) == text.index("\n")
    assert filled.source_offset(len(filled.text)) == len(text)
    assert filled.source_offset(0) == 0
