"""What the server said is passed on without the values it quotes."""

import pytest

from batchgate.findings import MASK
from batchgate.serverwords import masked, shown_sql


@pytest.mark.parametrize(
    ("sqlstate", "text", "shown"),
    [
        pytest.param(
            "22P02",
            'invalid input syntax for type uuid: "ann@example.com"',
            f'invalid input syntax for type uuid: "{MASK}"',
            id="data-exception",
        ),
        pytest.param(
            "23505",
            'duplicate key value violates unique constraint "t_email_key"\n'
            "Key (email)=(ann@example.com) already exists.",
            'duplicate key value violates unique constraint "t_email_key"\n'
            f"Key (email)=({MASK}) already exists.",
            id="key",
        ),
        pytest.param(
            "23502",
            "Failing row contains (1, Ann (junior), ann@example.com).",
            f"Failing row contains ({MASK}).",
            id="row",
        ),
        pytest.param(
            "23505",
            "Key (note)=(line one\nann@example.com) is duplicated.",
            f"Key (note)=({MASK}) is duplicated.",
            id="key-of-two-lines",
        ),
        pytest.param(
            "23514",
            "Partition key of the failing row contains (email) = (ann@example.com).",
            f"Partition key of the failing row contains (email)=({MASK}).",
            id="partition-key",
        ),
        pytest.param(
            "42703",
            'column "e_mail" does not exist',
            'column "e_mail" does not exist',
            id="names-stay",
        ),
    ],
)
def test_values_are_hidden_and_names_stay(sqlstate, text, shown):
    assert masked(text, sqlstate) == shown


def test_a_statement_is_shown_by_its_first_line_without_its_values():
    assert shown_sql("  alter role app password 'hun''ter2';\nselect 1") == (
        f"alter role app password '{MASK}';"
    )
    assert (
        shown_sql("insert into t values ('an open\nstring')") == f"insert into t values ('{MASK}'"
    )
