"""Rows are masked and their cells are one safe line."""

from batchgate.findings import CELL_LIMIT, MASK, cell_text, mask_row


def test_only_the_columns_that_may_be_shown_are_shown():
    row = mask_row(("id", "phone"), (7, "+1 555 123 4567"), ("id",))
    assert str(row) == f"id=7 | phone={MASK}"


def test_a_null_is_masked_like_any_other_cell():
    assert mask_row(("phone",), (None,), ()).cells == (MASK,)


def test_a_cell_is_cut_and_says_so():
    text = cell_text("x" * 500)
    assert len(text) == CELL_LIMIT
    assert text.endswith("…")


def test_control_and_direction_characters_become_visible():
    assert cell_text("a\nb\x00c\u202ed") == "a\\x0ab\\x00c\\u202ed"


def test_a_character_beyond_four_digits_is_written_with_eight():
    assert cell_text("\U000e0001") == "\\U000e0001"


def test_a_columns_name_is_one_safe_line_and_is_told_by_its_true_name():
    row = mask_row(("a\nb", "\x1b[31m\u202e", "id"), (1, 2, 3), ("a\nb", "id"))
    assert row.columns == ("a\\x0ab", "\\x1b[31m\\u202e", "id")
    assert row.cells == ("1", MASK, "3")
    assert str(row).isprintable()


def test_null_is_marked():
    assert cell_text(None) == "NULL"
