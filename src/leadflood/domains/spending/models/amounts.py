"""Amounts of money as people write and read them. Pure."""

import re
from decimal import Decimal
from typing import Final

from leadflood.domains.spending.models import MAX_AMOUNT, MICROS
from leadflood.kernel.text import InvalidValue

_DECIMALS: Final = 6
_LEAST: Final = 2
_AMOUNT: Final = re.compile("([0-9]{1,12})(?:[.,]([0-9]{1,6}))?")
_GROUP: Final = 3


def micros_of(text: str) -> int:
    """The micros of an amount such as `5`, `0.025` or `0,025`.

    Three digits after a separator, as in `1,000`, may be thousands or decimals, and are refused unless a zero is before
    them. Raises: InvalidValue.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise InvalidValue("Must be an amount such as 5 or 0.025, with up to six decimals.")
    whole, decimals = found[1], found[2] or ""
    if len(decimals) == _GROUP and int(whole):
        raise InvalidValue(f"Can mean {whole}{decimals} or {whole}.{decimals}0. Write one of these.")
    micros = int(whole) * MICROS + int(decimals.ljust(_DECIMALS, "0"))
    if micros > MAX_AMOUNT:
        raise InvalidValue(f"Must be at most {MAX_AMOUNT // MICROS}.")
    return micros


def amount_text(micros: int, currency: str) -> str:
    """An amount with its currency and at least two decimals, such as `0.025 EUR`."""
    return f"{_trimmed(f'{Decimal(micros) / MICROS:,.{_DECIMALS}f}')} {currency}"


def amount_input(micros: int) -> str:
    """An amount as `micros_of` reads it, such as `0.025`, `1250.00` or `1.0250`."""
    text = _trimmed(f"{Decimal(micros) / MICROS:.{_DECIMALS}f}")
    whole, _, decimals = text.partition(".")
    return f"{text}0" if len(decimals) == _GROUP and int(whole) else text


def _trimmed(text: str) -> str:
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(_LEAST, '0')}"
