"""Names of companies as they are compared: without legal form, case, accents and punctuation."""

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from leadflood.kernel.email_domains import public_suffixes
from leadflood.kernel.text import search_key


@lru_cache(maxsize=20_000)
def company_key(name: str) -> str:
    """The common key of all spellings of a company's name.

    The legal form goes, before or behind the name ("Acme, Inc.", "Acme A/S", "UAB Acme"), and so does the end of a
    domain that is used as a name: "Draw.io" has the key of "Draw". A name of nothing else stays as it is.
    """
    words = company_words(name)
    if words[:1] == ["the"] and len(words) > 1:
        words = words[1:]
    while words and (shorter := _without_form(words)) != words:
        words = shorter
    return " ".join(words)


def company_words(name: str) -> list[str]:
    """The words of a name in their searched form: "A/S" is `as`, "S.p.A." is `spa`, "AT&T" is `at`, `and`, `t`."""
    text = _LETTERS_APART.sub("", _without_domain(search_key(name)))
    return _NO_WORD.sub(" ", _INSIDE_WORD.sub("", text).replace("&", " and ").replace("+", " and ")).split()


def without_legal_form(name: str) -> str:
    """A name as it is written, without one legal form behind or before it; a name of nothing else stays as it is.

    "Hello. World, Oy" is "Hello. World", "UAB Acme" is "Acme".
    """
    written = " ".join(_COMMA.sub(", ", name).split())
    tokens = written.split(" ")
    before, behind = _forms()
    for length in range(min(_MAX_FORM, len(tokens) - 1), 0, -1):
        if _spelled(tokens[-length:]) in behind and _spelled(tokens[:-length]) not in before | behind:
            return " ".join(tokens[:-length]).rstrip(_BESIDE) or written
        if _spelled(tokens[:length]) in before and _spelled(tokens[length:]) not in before | behind:
            return " ".join(tokens[length:]).lstrip(_BESIDE) or written
    for form in () if len(tokens) > 1 else _joined_forms():
        if len(written) > len(form) and (written.endswith(form) or written.startswith(form)):
            return written.removesuffix(form).removeprefix(form).strip(_BESIDE) or written
    return written


def has_legal_form(name: str) -> bool:
    """Whether a name is written with a legal form, such as "Acme GmbH".

    A form of Latin letters counts only with a capital or a full stop in it: many forms are also words, such as "as".
    """
    written = " ".join(_COMMA.sub(", ", name).split())
    short = without_legal_form(name)
    form = written.replace(short, "", 1) if short != written else ""
    return form != "" and (any(char.isupper() or char == "." for char in form) or not form.isascii())


_COMMA: Final = re.compile(r",(?=\S)")
_BESIDE: Final = " ,;-\u2013\u2014"


def _spelled(tokens: list[str]) -> str:
    return " ".join(company_words(" ".join(tokens)))


_INSIDE_WORD: Final = re.compile("['.\u2019\"\u05f4]")
_LETTERS_APART: Final = re.compile(r"(?<=\b\w)/(?=\w\b)")
_NO_WORD: Final = re.compile(r"[\W_]+")
_DOMAIN: Final = re.compile(r"\b([\w-]{2,})\.([a-z]{2,}(?:\.[a-z]{2})?)\b(?!\.\w)")
_MAX_FORM: Final = 6
"""Words of the longest legal form."""
_UNSPACED: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
"""Scripts that write a legal form and the name together."""


def _without_domain(text: str) -> str:
    return _DOMAIN.sub(lambda found: found[1] if _is_suffix(found[2]) else found[0], text)


@lru_cache(maxsize=4096)
def _is_suffix(text: str) -> bool:
    return public_suffixes().publicsuffix(text) == text


def _without_form(words: list[str]) -> list[str]:
    """The words without one legal form; the same where that would leave nothing."""
    before, behind = _forms()
    for length in range(min(_MAX_FORM, len(words) - 1), 0, -1):
        if " ".join(words[-length:]) in behind:
            return words[:-length]
        if " ".join(words[:length]) in before:
            return words[length:]
    return _without_joined_form(words)


def _without_joined_form(words: list[str]) -> list[str]:
    for form in _joined_forms():
        if len(words[0]) > len(form) and words[0].startswith(form):
            return [words[0].removeprefix(form), *words[1:]]
        if len(words[-1]) > len(form) and words[-1].endswith(form):
            return [*words[:-1], words[-1].removesuffix(form)]
    return words


@cache
def _forms() -> tuple[frozenset[str], frozenset[str]]:
    """The legal forms that stand before a name, and those that stand behind one."""
    text = resources.files(__package__).joinpath("data", "legal_forms.txt").read_text(encoding="utf-8")
    listed = [form for line in text.splitlines() if not line.startswith("#") for form in line[3:].split("|")]
    before = {form.lstrip("^*") for form in listed if form[0] in "^*" or _UNSPACED.search(form)}
    behind = {form.lstrip("*") for form in listed if not form.startswith("^")}
    return frozenset(before), frozenset(behind)


@cache
def _joined_forms() -> tuple[str, ...]:
    """The longest first."""
    forms = {form for group in _forms() for form in group if _UNSPACED.search(form)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))
