"""A person's probable name from the local part of an address.

Only separators, capitals or already known names are evidence: `adalovelace` alone says nothing certain.
"""

import re
import unicodedata
from dataclasses import dataclass

from leadflood.kernel.email_parts import fold
from leadflood.kernel.mailbox_roles import is_function_word
from leadflood.kernel.word_lists import given_names, given_names_only, name_particles

_AMBIGUOUS_WHEN_FIRST = frozenset(
    {"da", "de", "del", "della", "den", "der", "di", "dos", "du", "ten", "ter", "van", "von"}
)
_JOINERS = "'\N{RIGHT SINGLE QUOTATION MARK}-"
_TITLES = frozenset(["dr", "mr", "mrs", "ms", "miss", "prof", "sir", "ing", "mag", "dipl", "herr", "frau"])
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "phd", "ext", "extern", "external", "contractor", "mba", "esq"])
_FAMILY_FIRST_SCRIPTS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")
_CAMEL_CASE = re.compile(r"([A-Z][a-z]+)([A-Z][a-z]+)")
_PREFIX_IN_CAMEL_CASE = frozenset({"Mc", "Mac", "De", "Di", "Du", "La", "Le", "Van", "Von", "Fitz"})
_PATTERN = "local_part_pattern"
_MAX_WORD = 30
_MIN_WORD_WITH_VOWEL = 3
_MIN_REMAINDER = 2
_MIN_AFTER_MC = 5
_PAIR, _TRIPLE = 2, 3


@dataclass(frozen=True, slots=True)
class NameGuess:
    """Names in normal spelling; either may be missing."""

    first: str | None
    last: str | None
    confidence: float
    method: str
    pattern: str
    """Pattern of the local part, for the evidence."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that the lead already has, folded; empty where unknown."""

    first: str
    last: str

    @classmethod
    def of(cls, first: str | None, last: str | None) -> "KnownNames":
        """The names folded for comparison."""
        return cls(fold(first or "").strip(), fold(last or "").strip())


def probable_names(mailbox: str, known: KnownNames) -> NameGuess | None:
    """The name in `mailbox` (the local part without its tag, in its original case), or None."""
    words = _words_of(mailbox)
    if not words or not all(_could_be_a_name(word) for word in words):
        return None
    if len(words) == 1:
        return _from_one(words[0], known)
    if len(words) == _PAIR:
        return _from_pair(words[0], words[1], known)
    return _from_many(words)


def written_as_name(word: str) -> str:
    """Capitalization of names: `o'brien` gives "O'Brien", `mcdonald` "McDonald", `jean-luc` "Jean-Luc".

    A word in mixed case is left as its owner wrote it. `macdonald` gives "Macdonald": Machado and Macron are many.
    """
    if word != word.lower() and word != word.upper():
        return word
    return re.sub(rf"[^\s{_JOINERS}]+", lambda part: _capitalized(part.group()), word)


def _words_of(mailbox: str) -> list[str]:
    camel = _CAMEL_CASE.fullmatch(mailbox)
    if camel and camel[1] not in _PREFIX_IN_CAMEL_CASE:
        return [camel[1], camel[2]]
    separator = r"[._\s]+" if re.search(r"[._\s]", mailbox) else "-+"
    words = [re.sub(r"^\d+|\d+$", "", word).strip(_JOINERS) for word in re.split(separator, mailbox)]
    words = [word for word in words if word]
    while len(words) > 1 and fold(words[0]) in _TITLES:
        words = words[1:]
    while len(words) > 1 and fold(words[-1]) in _SUFFIXES:
        words = words[:-1]
    return words


def _could_be_a_name(word: str) -> bool:
    folded = fold(word)
    if len(word) > _MAX_WORD or not all(char in _JOINERS or unicodedata.category(char)[0] in "LM" for char in word):
        return False
    is_latin = re.fullmatch(rf"[a-z{_JOINERS}]+", folded) is not None
    return not is_latin or len(word) < _MIN_WORD_WITH_VOWEL or re.search("[aeiouy]", folded) is not None


def _from_one(word: str, known: KnownNames) -> NameGuess | None:
    folded = fold(word)
    if folded in given_names():
        sure = folded in given_names_only()
        return _guess(word, None, 0.65 if sure else 0.45, "given_name_list", "a common first name")
    return _beside_known_name(word, known) if len(folded) == len(word) else None


def _beside_known_name(word: str, known: KnownNames) -> NameGuess | None:
    folded = fold(word)
    if known.first and folded.startswith(known.first) and _is_rest(folded, known.first):
        return _guess(None, word[len(known.first) :], 0.7, "known_name", "the known first name and a last name")
    if known.last and folded.endswith(known.last) and _is_rest(folded, known.last):
        return _guess(word[: -len(known.last)], None, 0.7, "known_name", "a first name and the known last name")
    if known.last and folded.startswith(known.last) and _is_rest(folded, known.last):
        return _guess(word[len(known.last) :], None, 0.6, "known_name", "the known last name and a first name")
    return None


def _is_rest(folded: str, known: str) -> bool:
    return len(folded) - len(known) >= _MIN_REMAINDER


def _from_pair(one: str, two: str, known: KnownNames) -> NameGuess | None:
    first, second = fold(one), fold(two)
    if is_function_word(first) or is_function_word(second):
        names_a_person = first in given_names() and is_function_word(second)
        return _guess(one, None, 0.6, "given_name_list", "a first name and a function") if names_a_person else None
    if len(one) == 1 or len(two) == 1:
        return _from_initial(one, two)
    if known.first == first or known.last == second:
        return _guess(one, two, 0.95, "known_name", "a first and a last name, one of which is known")
    if known.first == second or known.last == first:
        return _guess(two, one, 0.95, "known_name", "a last and a first name, one of which is known")
    # "de.vries" is a family name and "van.nguyen" a whole one: the address does not show which.
    return None if first in _AMBIGUOUS_WHEN_FIRST else _in_usual_order(one, two)


def _in_usual_order(one: str, two: str) -> NameGuess:
    first, second = fold(one), fold(two)
    if all(unicodedata.name(word[0], "").startswith(_FAMILY_FIRST_SCRIPTS) for word in (one, two)):
        return _guess(two, one, 0.6, _PATTERN, "a last and a first name, in the usual order of the language")
    if first in given_names_only() or (first in given_names() and second not in given_names_only()):
        return _guess(one, two, 0.9, _PATTERN, "a first and a last name")
    if second in given_names_only() and first not in given_names():
        return _guess(two, one, 0.65, _PATTERN, "a last and a first name, as only the second word is a first name")
    unsure = second in given_names()
    return _guess(one, two, 0.55 if unsure else 0.75, _PATTERN, "a first and a last name, in the usual order")


def _from_initial(one: str, two: str) -> NameGuess | None:
    if len(one) == len(two):
        return None
    if len(one) == 1:
        sure = fold(two) not in given_names_only()
        return _guess(None, two, 0.8 if sure else 0.5, _PATTERN, "an initial and a last name")
    if fold(one) in given_names():
        return _guess(one, None, 0.75, _PATTERN, "a first name and an initial")
    return _guess(None, one, 0.5, _PATTERN, "a last name and an initial, as the word is no common first name")


def _from_many(words: list[str]) -> NameGuess | None:
    folded = [fold(word) for word in words]
    if any(is_function_word(word) for word in folded if word not in name_particles()):
        return None
    first = words[0] if len(words[0]) > 1 else None
    start = next((at for at in range(1, len(words) - 1) if folded[at] in name_particles()), None)
    if start in (1, 2) and name_particles().issuperset(folded[start:-1]):
        return _guess(first, " ".join(words[start:]), 0.8, _PATTERN, "a first name and a last name of several words")
    if len(words) != _TRIPLE or len(words[2]) == 1:
        return None
    return _guess(first, words[2], 0.85 if len(words[1]) == 1 else 0.6, _PATTERN, "a first, a middle and a last name")


def _guess(first: str | None, last: str | None, confidence: float, method: str, pattern: str) -> NameGuess:
    *particles, family = last.split() if last else [""]
    written_last = " ".join([*(word.lower() for word in particles), written_as_name(family)])
    return NameGuess(written_as_name(first) if first else None, written_last or None, confidence, method, pattern)


def _capitalized(part: str) -> str:
    lowered = part.lower()
    if lowered.startswith("mc") and len(lowered) >= _MIN_AFTER_MC:
        return "Mc" + lowered[2:].capitalize()
    return lowered.capitalize()
