"""No cell of a CSV file acts, whatever was written into it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.spreadsheet import FORMULA, escaped, shown

_SIGNS = "=+-@＝＋－＠"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("550 5.1.1 no such user", "550 5.1.1 no such user"),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "\\t=1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ('a;"=1', "a;'\"=1"),
        ("gro.elpmaxe\u202e@nna", "gro.elpmaxe\\u202e@nna"),
        ("two\r\nlines", "two\\r\\nlines"),
        ("＝1", "'＝1"),
        ("", ""),
    ],
)
def test_cells_that_people_look_at(text: str, cell: str) -> None:
    """What is harmless stays; the rest is shown as what it is."""
    assert shown(text) == cell


@given(st.text(alphabet=st.sampled_from(_SIGNS + ";,\"'\t\r\n\0 a1\u202e"), max_size=12))
def test_no_cell_begins_a_formula_with_either_separator(text: str) -> None:
    """Read with commas, as it is written, or with semicolons, as spreadsheets in half of Europe do."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(["x", shown(text), "y"])

    for separator in ",;":
        for row in csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=separator):
            assert not any(cell.startswith(FORMULA) for cell in row)


@given(st.text(max_size=20))
def test_a_cell_to_be_read_back_loses_nothing(text: str) -> None:
    """One apostrophe in front is always ours."""
    cell = escaped(text)

    assert not cell.startswith(FORMULA)
    assert (cell[1:] if cell.startswith("'") else cell) == text
