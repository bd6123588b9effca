"""Numbers of a workbook as displayed, if their format changes the meaning: 01067, 15%.

Formats of quantities, such as currencies and grouped thousands, change nothing: the number itself says the same, and is
read again by any program. The codes are those of ECMA-376, part 1, 18.8.31.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

_SECTION: Final = re.compile(r'(?:"[^"]*"|\\.|[^;"\\])+')
_TOKEN: Final = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|(\[[^\]]*\])|(.)', re.DOTALL)
_CONDITION: Final = re.compile(r"\[(<=|>=|<|>|=)(-?\d+(?:\.\d+)?)\]")
_PLACES: Final = "0#?"
_OF_QUANTITIES: Final = ".,eE/@"
_MIN_DIGITS: Final = 2
_EXACT: Final = 15
"""Digits of a number that spreadsheets keep."""
_MAX_CODE: Final = 255


@dataclass(frozen=True, slots=True)
class _Layout:
    """Layout of a section: literal text, and a place (`0`, `#`, `?`) for each digit.

    `decimals`: of a percentage; None for other numbers.
    """

    tokens: tuple[tuple[str, bool], ...]
    decimals: int | None


def shown_number(value: float, code: str) -> str:
    """A number as its format shows it, if that is a code or a percentage; else all its digits."""
    layout = None if code == "General" else _layout(code, _section(value, code))
    if layout is None:
        return plain_number(value)
    if layout.decimals is not None:
        return _percentage(value, layout)
    return _filled(int(value), layout) if float(value).is_integer() else plain_number(value)


def plain_number(value: float) -> str:
    """All digits of a number that a spreadsheet keeps, without an exponent."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    text = f"{value:.{_EXACT}g}"
    return f"{Decimal(text):f}" if "e" in text else text


@lru_cache(maxsize=1024)
def _layout(code: str, place: int) -> _Layout | None:
    section = _sections(code)[place]
    tokens: list[tuple[str, bool]] = []
    for quoted, escaped, _block, char in _TOKEN.findall(section):
        if char and char in _OF_QUANTITIES and not (char == "." and "%" in section):
            return None
        if literal := quoted or escaped or char:
            tokens.append((literal, bool(char) and char in _PLACES))
    digits = [token for token, is_place in tokens if is_place]
    if not digits:
        return None
    if ("%", False) in tokens:
        decimals = section.partition(".")[2].count("0") if "." in section else 0
        return _Layout(tuple(tokens), decimals)
    inner = tokens[_edge(tokens) : len(tokens) - _edge(tokens[::-1])]
    parted = not all(is_place for _, is_place in inner)
    return _Layout(tuple(tokens), None) if digits.count("0") >= _MIN_DIGITS or parted else None


def _edge(tokens: list[tuple[str, bool]]) -> int:
    return next(place for place, (_, is_place) in enumerate(tokens) if is_place)


def _sections(code: str) -> list[str]:
    found: list[str] = _SECTION.findall(code[:_MAX_CODE])
    return found[:2] or [""]


@lru_cache(maxsize=1024)
def _conditions(code: str) -> tuple[str, Decimal] | None:
    found = _CONDITION.search(_sections(code)[0])
    return (found[1], Decimal(found[2])) if found else None


def _section(value: float, code: str) -> int:
    """The section that is for a value: the first one, unless it has a condition that the value does not meet."""
    if ";" not in code or (condition := _conditions(code)) is None:
        return 0
    sign, limit = condition
    met = {"<=": value <= limit, ">=": value >= limit, "<": value < limit, ">": value > limit, "=": value == limit}
    return 0 if met[sign] or len(_sections(code)) == 1 else 1


def _percentage(value: float, layout: _Layout) -> str:
    exact = Decimal(plain_number(value)) * 100
    number = exact.quantize(Decimal(1).scaleb(-(layout.decimals or 0)), ROUND_HALF_UP)
    after = "".join(text for text, is_place in layout.tokens if not is_place and text in " %")
    return f"{number}{after.rstrip()}"


def _filled(value: int, layout: _Layout) -> str:
    """The digits of a whole number in their places, from the right."""
    left = str(abs(value))
    parts: list[str] = []
    open_places = sum(is_place for _, is_place in layout.tokens)
    for text, is_place in reversed(layout.tokens):
        if not is_place:
            parts.append(text)
            continue
        open_places -= 1
        taken = left if not open_places else left[-1:]
        left = left[: len(left) - len(taken)]
        parts.append(taken or ("0" if text == "0" else ""))
    return ("-" if value < 0 else "") + "".join(reversed(parts)).strip()
