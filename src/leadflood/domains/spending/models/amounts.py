"""Amounts of money as people write and read them. Pure."""

from decimal import Decimal, InvalidOperation
from typing import Final

from leadflood.domains.spending.models import MAX_AMOUNT, MICROS
from leadflood.kernel.text import InvalidValue

_DECIMALS: Final = 6
_LEAST: Final = 2


def micros_of(text: str) -> int:
    """The micros of an amount such as `5`, `0.025` or `0,025`. Raises: InvalidValue."""
    plain = text.strip().replace(",", ".")
    try:
        amount = Decimal(plain) * MICROS
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount <= MAX_AMOUNT) or amount != amount.to_integral_value():
        message = "Must be an amount such as 5 or 0.025, with up to six decimals."
        raise InvalidValue(message)
    return int(amount)


def amount_text(micros: int, currency: str) -> str:
    """An amount with its currency and at least two decimals, such as `0.025 EUR`."""
    return f"{_trimmed(f'{Decimal(micros) / MICROS:,.{_DECIMALS}f}')} {currency}"


def amount_input(micros: int) -> str:
    """An amount as `micros_of` reads it, such as `0.025` or `1250.00`."""
    return _trimmed(f"{Decimal(micros) / MICROS:.{_DECIMALS}f}")


def _trimmed(text: str) -> str:
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(_LEAST, '0')}"
