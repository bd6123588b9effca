"""Amounts as people write and read them."""

import pytest

from leadflood.domains.spending.models.amounts import amount_input, amount_text, micros_of
from leadflood.kernel.text import InvalidValue


@pytest.mark.parametrize(
    ("text", "micros"),
    [("5", 5_000_000), ("0.025", 25_000), ("0,025", 25_000), (" 12.50 ", 12_500_000), ("0.000001", 1), ("0", 0)],
)
def test_an_amount_is_read_in_micros(text: str, micros: int) -> None:
    assert micros_of(text) == micros


@pytest.mark.parametrize(
    "text", ["", "much", "-1", "1.0000001", "NaN", "Infinity", "1e12", "1e3", "1_000", "٣", "1,2,3"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        micros_of(text)


@pytest.mark.parametrize("text", ["1,000", "1.000", "12,500", "1,000.00", "1.000,00"])
def test_an_amount_that_may_have_thousands_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        micros_of(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(5_000_000, "5.00 EUR"), (25_000, "0.025 EUR"), (1_234_500_000, "1,234.50 EUR"), (0, "0.00 EUR")],
)
def test_an_amount_is_shown_with_two_decimals_at_least(micros: int, text: str) -> None:
    assert amount_text(micros, "EUR") == text


@pytest.mark.parametrize(
    ("micros", "text"), [(1, "0.000001"), (25_000, "0.025"), (1_234_500_000, "1234.50"), (1_025_000, "1.0250")]
)
def test_an_amount_in_a_field_is_read_as_the_same(micros: int, text: str) -> None:
    assert amount_input(micros) == text
    assert micros_of(text) == micros
