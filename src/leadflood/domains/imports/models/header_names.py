"""Names of lead fields in headers, in many languages and in the exports of common tools."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import dropwhile, takewhile
from typing import Final

from leadflood.domains.imports.models.fields import Target
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.kernel.text import search_key

_NUMBER: Final = 0.01
_SURE, _LESS_SURE, _IN_PART, _IN_A_QUESTION = 0.95, 0.88, 0.04, 0.7
_MAX_NAME, _MAX_QUESTION = 12, 60
"""Maximum words of a name with details, and those of a question that are looked at."""
_MAX_WORDS: Final = 6
_ASKING: Final = frozenset(
    {"what", "whats", "which", "who", "how", "where", "please", "enter", "your", "my", "tell", "wie", "was", "woher"}
    | {
        "bitte",
        "ihr",
        "ihre",
        "ihren",
        "dein",
        "deine",
        "welche",
        "welches",
        "votre",
        "vos",
        "quel",
        "quelle",
        "comment",
    }
    | {"tu", "su", "cual", "como", "tuo", "tua", "suo", "sua", "qual", "seu", "je", "jouw", "uw", "wat", "hoe", "vul"}
)
"""Words of questions and requests, which forms also have without a question mark."""
_LINKING: Final = frozenset(
    {"of", "the", "at", "in", "der", "des", "im", "de", "du", "d", "la", "le", "l", "les", "del", "della", "dell"}
    | {"dello", "di", "da", "do", "na", "no", "en", "el", "van", "het", "bij", "av", "af", "i", "w", "z", "v", "\u0432"}
)
"""Words between what a value is and whose it is."""
_COMPANYS: Final = 0.06
"""Penalty of words that say that something is a company's."""
_NAMES: Final = (Target.FIRST_NAME, Target.LAST_NAME, Target.FULL_NAME)
_NOT_BEHIND: Final = frozenset({"address", "mailing", "billing"})
"""Qualifiers that are something else behind a name: a company address is no company."""
_ASKED: Final = (
    Target.EMAIL,
    Target.FIRST_NAME,
    Target.LAST_NAME,
    Target.FULL_NAME,
    Target.PHONE,
    Target.JOB_TITLE,
    Target.COMPANY,
    Target.SOURCE,
)
"""Targets of questions in forms."""
_NOT_WORDS: Final = re.compile(r"[\W_]+")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGIT_BORDER: Final = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """Target of a header.

    Attributes:
        strength: confidence, 0 to 1.
        sure: whether the header has no other meaning. Then only cells of another kind disprove it.
    """

    target: str
    strength: float
    sure: bool = False


def name_key(name: str) -> str:
    """A header without case, accents and punctuation."""
    return _NOT_WORDS.sub(" ", search_key(name)).strip()


def match_header(name: str) -> HeaderMatch | None:
    """The target of a header: by its whole text, without qualifiers such as *work*, or as a question of a form."""
    key = name_key(name)
    if whole := _named(key):
        return whole
    words = name_key(_DIGIT_BORDER.sub(" ", _HUMP.sub(" ", name))).split()
    short = words if len(words) <= _MAX_NAME else []
    return (
        _named(" ".join(words))
        or _of_a_company(short)
        or _without_details(short)
        or _in_question(words[:_MAX_QUESTION], is_question="?" in name or not _ASKING.isdisjoint(words))
    )


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Targets by header name, and penalties of qualifiers."""

    names: dict[str, HeaderMatch]
    whose: dict[str, float]


@cache
def _vocabulary() -> _Vocabulary:
    """The contents of `data/header_names.txt`, and what the catalog adds to it."""
    names: dict[str, HeaderMatch] = {}
    whose: dict[str, float] = {}
    text = files("leadflood.domains.imports").joinpath("data/header_names.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        kind, colon, listed = line.partition(": ")
        if not colon or kind.startswith("#"):
            continue
        if kind.startswith("whose"):
            whose |= dict.fromkeys(listed.split("|"), float(kind.removeprefix("whose ")))
            continue
        sure = not kind.endswith("?")
        match = HeaderMatch(kind.removesuffix("?"), _SURE if sure else _LESS_SURE, sure)
        names |= {name_key(name): match for name in listed.split("|")}
    for field in LEAD_FIELDS:
        if field.importable:
            match = HeaderMatch(field.short_name, _SURE, sure=True)
            own = (field.label, field.api_name, field.name, *field.headers)
            names = {name_key(name): match for name in own} | names
    return _Vocabulary(names, whose)


def is_only_whose(name: str) -> bool:
    """Whether a header only says whose its values are, as *Customer* does."""
    words = name_key(name).split()
    return bool(words) and all(word in _vocabulary().whose for word in words)


def is_of_company(name: str) -> bool:
    """Whether a header says that its values are a company's, such as those of *Company email*."""
    words = name_key(_HUMP.sub(" ", name)).split()
    whose = _vocabulary().whose
    named = [_named(word) for word in words]
    return any(whose.get(word) == _COMPANYS for word in words if word != "address") or any(
        match is not None and match.target == Target.COMPANY for match in named
    )


def _named(key: str) -> HeaderMatch | None:
    return _vocabulary().names.get(key)


def _of_a_company(words: list[str]) -> HeaderMatch | None:
    """The target of *title of the organization*, as such headers are built in many languages: what comes first.

    A name of the company is the company itself.
    """
    kept = [word for word in words if not word.isdecimal()]
    for place in range(1, len(kept)):
        whose = [*dropwhile(_LINKING.__contains__, kept[place:])]
        of = _named(" ".join(whose)) if whose else None
        if of is None or of.target != Target.COMPANY:
            continue
        what = _named(" ".join(kept[:place]))
        if what is None or what.target == Target.COMPANY:
            continue
        target = Target.COMPANY if what.target in _NAMES else what.target
        against = _IN_PART + (_COMPANYS if target in (Target.EMAIL, Target.PHONE) else 0)
        return HeaderMatch(target, what.strength - against, sure=True)
    return None


def _without_details(words: list[str]) -> HeaderMatch | None:
    """The target of a header without numbers and with as few qualifiers as possible removed at both ends."""
    whose = _vocabulary().whose
    number = max((int(word) - 1 for word in words if word.isdecimal() and len(word) == 1), default=0)
    kept = [word for word in words if not word.isdecimal()]
    before = sum(1 for _ in takewhile(whose.__contains__, kept))
    after = sum(1 for _ in takewhile(whose.__contains__, reversed(kept)))
    for dropped in range(before + after + 1):
        for start in reversed(range(max(dropped - after, 0), min(dropped, before) + 1)):
            end = len(kept) - (dropped - start)
            named = _named(" ".join(kept[start:end])) if start < end else None
            if named is not None and (named.target != Target.COMPANY or _NOT_BEHIND.isdisjoint(kept[end:])):
                against = _IN_PART + _NUMBER * number + sum(whose[word] for word in (*kept[:start], *kept[end:]))
                return HeaderMatch(named.target, max(named.strength - against, _IN_A_QUESTION), named.sure)
    return None


def _in_question(words: list[str], *, is_question: bool) -> HeaderMatch | None:
    if not is_question:
        return None
    for length in range(_MAX_WORDS, 0, -1):
        for start in range(len(words) - length + 1):
            named = _named(" ".join(words[start : start + length]))
            if named is not None and named.sure and named.target in _ASKED:
                return HeaderMatch(named.target, _IN_A_QUESTION)
    return None
