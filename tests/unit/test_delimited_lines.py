"""Rows of short lists: the first row decides on the separator, quotes can span lines, and no row takes others along."""

import pytest

from leadflood.kernel.delimited_lines import MissingColumns, cells_of, named_cells

COLUMNS = {"email": {"email", "mail"}, "note": {"note"}}


def rows(text: str) -> list[tuple[int, dict[str, str]]]:
    return [*named_cells(text.splitlines(keepends=True), COLUMNS, optional={"note"})]


def test_the_first_row_decides_on_the_separator() -> None:
    assert rows("email;note\na@acme.com;one, two, three\n") == [(2, {"email": "a@acme.com", "note": "one, two, three"})]
    assert rows("note\tMail\nx, y; z\ta@acme.com") == [(2, {"email": "a@acme.com", "note": "x, y; z"})]


def test_a_quoted_cell_can_have_separators_quotes_and_line_breaks() -> None:
    text = 'email,note\n\na@acme.com,"Says ""hello"",\n\nand more"\nb@acme.com,\n'
    assert rows(text) == [
        (3, {"email": "a@acme.com", "note": 'Says "hello",\nand more'}),
        (6, {"email": "b@acme.com", "note": ""}),
    ]


@pytest.mark.parametrize("other", ['b@acme.com,6" pipe', "b@acme.com,none"])
def test_a_quote_that_is_not_closed_takes_no_other_row_along(other: str) -> None:
    more = "".join(f"{number}@acme.com,x\n" for number in range(200))
    found = rows(f'email,note\na@acme.com,5" pipe\n{other}\n{more}')
    assert [row["email"] for _, row in found] == ["a@acme.com", "b@acme.com", *(f"{n}@acme.com" for n in range(200))]
    assert found[0] == (2, {"email": "a@acme.com", "note": '5" pipe'})


def test_a_quote_that_opens_a_cell_and_is_never_closed_takes_no_other_row_along() -> None:
    more = "".join(f"{number}@acme.com,x\n" for number in range(200))
    found = rows(f'email,note\na@acme.com,"open\n{more}')
    assert [row["email"] for _, row in found][1:] == [f"{number}@acme.com" for number in range(200)]
    assert found[0][1] == {"email": "a@acme.com", "note": "open"}


def test_marks_blank_lines_and_short_rows_are_read() -> None:
    text = "\ufeffEmail,Note\r\n\r\na@acme.com\r\n'=1+1,x\r\n"
    assert rows(text) == [(3, {"email": "a@acme.com"}), (4, {"email": "=1+1", "note": "x"})]


@pytest.mark.parametrize("text", ["", "\n\n", "name;note\na;b"])
def test_a_missing_column_is_named(text: str) -> None:
    with pytest.raises(MissingColumns) as refused:
        rows(text)
    assert refused.value.names == ["email"]


def test_a_single_line_has_its_own_separator() -> None:
    assert cells_of("acme.com; Acme, Inc.; x") == ["acme.com", " Acme, Inc.", " x"]
    assert cells_of('a,"b') == ["a", "b"]
