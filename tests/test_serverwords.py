"""What the server said is passed on without the values it quotes."""

import pytest

from batchgate.findings import MASK
from batchgate.serverwords import masked


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
            "42703",
            'column "e_mail" does not exist',
            'column "e_mail" does not exist',
            id="names-stay",
        ),
    ],
)
def test_values_are_hidden_and_names_stay(sqlstate, text, shown):
    assert masked(text, sqlstate) == shown
