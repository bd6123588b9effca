"""Statements with named parameters become what the server takes, and parts are joined without losing any."""

import pytest

from leadflood.kernel.db.sql import AND, EMPTY, Sql, assemble, joined, sql, sql_file


@pytest.mark.parametrize(
    ("source", "text", "parameters"),
    [
        ("SELECT 1", "SELECT 1", ()),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ("a", "b")),
        ("SELECT :ids::uuid[], x::text", "SELECT $1::uuid[], x::text", ("ids",)),
        ("SELECT to_char(now(), 'HH24:MI:SS'), a[1:2]", "SELECT to_char(now(), 'HH24:MI:SS'), a[1:2]", ()),
        ("SELECT :a_b2\n, :a", "SELECT $1\n, $2", ("a_b2", "a")),
    ],
)
def test_named_parameters_are_numbered_in_order(source: str, text: str, parameters: tuple[str, ...]) -> None:
    statement = Sql(source)

    assert (statement.text, statement.parameters) == (text, parameters)


def test_arguments_are_in_the_order_of_the_numbers_and_others_are_ignored() -> None:
    assert sql("SELECT :b, :a, :b").arguments({"a": 1, "b": 2, "c": 3}) == [2, 1]


def test_a_missing_argument_is_an_error() -> None:
    with pytest.raises(KeyError, match="a"):
        sql("SELECT :a").arguments({"b": 1})


def test_parts_are_put_into_a_template_and_keep_their_parameters() -> None:
    where = joined(AND, [sql("x = :x"), sql("y = :y")])
    whole = assemble(sql("SELECT :x FROM t WHERE {where}{more} LIMIT :n"), where=where, more=EMPTY)

    assert whole.text == "SELECT $1 FROM t WHERE x = $1 AND y = $2 LIMIT $3"
    assert whole.parameters == ("x", "y", "n")


def test_the_same_parts_give_the_same_statement() -> None:
    template, part = sql("SELECT {what}"), sql("1")

    assert assemble(template, what=part) is assemble(template, what=part)


def test_text_is_no_part() -> None:
    with pytest.raises(TypeError):
        assemble(sql("SELECT {what}"), what="1; DROP TABLE leads")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        joined(AND, [sql("x = :x"), "true"])  # type: ignore[list-item]


def test_a_part_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        assemble(sql("SELECT {what}"))


def test_a_statement_can_live_in_a_file() -> None:
    with pytest.raises(FileNotFoundError):
        sql_file("leadflood.kernel.db", "there_is_none")
