"""Values of a language model are kept only if a page states them, whatever a page made the model say."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from leadflood.domains.enrichment.models import Fact, FactField, Receipt
from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.domains.enrichment.sources.language_model.request import MAX_QUOTE, is_number
from leadflood.kernel.text import InvalidValue

CONFIDENCE: Final = 0.7
MOST: Final = 10
"""Values of a field that may have several."""
_MOST_READ: Final = 20
"""Values of one field that are looked at. Others are counted as too many."""
_NUMBER: Final = re.compile(
    "(?<![0-9A-Za-z])(?<![0-9][.,])(?:[0-9]{1,3}(?:[.,'\u2019 ][0-9]{3})+|[0-9]+)(?![0-9A-Za-z])(?![.,'][0-9])"
)
_NO_DIGIT: Final = re.compile("[^0-9]")
_MAX_DIGITS: Final = 15


class Drop(Enum):
    """Reasons to drop a value, in words that follow their number."""

    UNQUOTED = "not quoted from a page"
    UNSUPPORTED = "not in its quote"
    INVALID = "not a value of its field"
    SURPLUS = "more than asked for"


@dataclass(slots=True)
class Checked:
    """The values of an answer that are kept, and those that were dropped, by reason."""

    facts: list[Fact] = field(default_factory=list)
    dropped: Counter[Drop] = field(default_factory=Counter)

    @property
    def note(self) -> str:
        """The dropped values in a sentence; empty if there are none."""
        total = self.dropped.total()
        if not total:
            return ""
        parts = [f"{self.dropped[why]} {why.value}" for why in Drop if self.dropped[why]]
        given = total + len(self.facts)
        verb = "was" if total == 1 else "were"
        return f"{total} of {given} {'value' if given == 1 else 'values'} {verb} dropped: {', '.join(parts)}."


def checked(
    answer: Mapping[str, Any], fields: Sequence[FactField], pages: Sequence[ReadPage], evidence: str
) -> Checked:
    """The values of an answer, each with its page as the receipt. Args: evidence: of all; a sentence."""
    folded = [ReadPage(page.url, " ".join(page.text.split()), page.read_at) for page in pages]
    found = Checked()
    known = {each.name for each in fields}
    for name, items in answer.items():
        if name not in known:
            found.dropped[Drop.SURPLUS] += len(items) if isinstance(items, list) else 1
    for each in fields:
        items = answer.get(each.name, [])
        _check(each, items if isinstance(items, list) else [items], folded, evidence, found)
    return found


def _check(each: FactField, items: Sequence[Any], pages: Sequence[ReadPage], evidence: str, found: Checked) -> None:
    keys: set[str] = set()
    for item in items[:_MOST_READ]:
        fact = _fact(each, item, pages, evidence)
        if isinstance(fact, Drop):
            found.dropped[fact] += 1
        elif fact.key in keys or len(keys) >= (MOST if each.multiple else 1):
            found.dropped[Drop.SURPLUS] += 1
        else:
            keys.add(fact.key)
            found.facts.append(fact)
    found.dropped[Drop.SURPLUS] += len(items[_MOST_READ:])


def _fact(each: FactField, item: Any, pages: Sequence[ReadPage], evidence: str) -> Fact | Drop:  # noqa: ANN401  JSON
    """The fact of a value, or why there is none. Args: pages: whose whitespace is folded."""
    value, quote = (item.get("value"), item.get("quote")) if isinstance(item, dict) else (None, None)
    if not isinstance(quote, str) or len(quote) > MAX_QUOTE:
        return Drop.UNQUOTED
    quote = " ".join(quote.split())
    page = next((page for page in pages if quote and quote in page.text), None)
    if page is None:
        return Drop.UNQUOTED
    if isinstance(value, bool) or not isinstance(value, int if is_number(each) else str):
        return Drop.INVALID
    said = value in numbers_in(quote) if isinstance(value, int) else stands_in(value, quote)
    if not said:
        return Drop.UNSUPPORTED
    receipt = Receipt("language_model", evidence, page.read_at, page.url, quote)
    try:
        return Fact.of(each, value, CONFIDENCE, receipt)
    except InvalidValue:
        return Drop.INVALID


def numbers_in(text: str) -> set[int]:
    """The whole numbers in a text, with or without separators of thousands."""
    digits = (_NO_DIGIT.sub("", found) for found in _NUMBER.findall(text))
    return {int(each) for each in digits if len(each) <= _MAX_DIGITS}


def stands_in(value: str, text: str) -> bool:
    """Whether a text has a value, as whole words, spelled like that. The text is folded."""
    word = " ".join(value.split())
    place = text.find(word) if word else -1
    while place >= 0:
        end = place + len(word)
        if not (_joined(text[place - 1 : place], word[0]) or _joined(word[-1], text[end : end + 1])):
            return True
        place = text.find(word, place + 1)
    return False


def _joined(one: str, other: str) -> bool:
    """Whether two neighbors are of one word or number. Letters without capitals, as in Chinese, are words alone."""
    return bool(one and other) and all(char.isdigit() or char.lower() != char.upper() for char in (one, other))
