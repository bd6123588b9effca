"""From a company's name to the domains that it may have."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.kernel.company_name import without_legal_form
from leadflood.kernel.email_domains import public_suffixes
from leadflood.kernel.text import search_key

MAX_NAME: Final = 200
"""Characters of a name that are read."""
_MAX_LABEL: Final = 63
_IN_BRACKETS: Final = re.compile(r"\s*[(\[][^()\[\]]{0,80}[)\]]")
_WRITTEN_DOMAIN: Final = re.compile(r"(?<![\w@.-])((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?![\w.-])")
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_SUFFIX_WORDS: Final = frozenset({"ai", "io"})
"""Last words of names that are mostly the suffix of the domain as well."""
_DESCRIPTIONS: Final = {"solutions": 0.57, "systems": 0.57, "technologies": 0.45, "technology": 0.4, "software": 0.4}
"""Last words that companies often leave out of their domain, and how often."""
_PUBLIC_BODIES: Final = frozenset(
    {"foundation", "association", "society", "charity", "federation", "alliance", "council"}
)
_CO_BEHIND: Final = re.compile(r"(.+\w)\s+co")
"""A name that ends in "Co" without a full stop, as in Acme Supply Co."""
_HYPHENED: Final = re.compile(r"[a-z0-9]+-[a-z0-9]+")
_COUNTRY_SUFFIXES: Final = {
    "GB": "co.uk", "AU": "com.au", "BR": "com.br", "JP": "co.jp", "NZ": "co.nz", "ZA": "co.za", "MX": "com.mx",
    "TR": "com.tr", "IN": "in", "US": "com", "KR": "co.kr", "SG": "com.sg", "HK": "com.hk", "AR": "com.ar",
}  # fmt: skip
"""Suffixes of companies by country, where it is not the country's own two letters."""
_SEPARATE: Final = {"&": " and ", "+": " plus ", "@": " at "}
_JOINING: Final = re.compile(r"['’.!?*]")


@dataclass(frozen=True, slots=True)
class DomainCandidate:
    """A domain that a company may have. `confidence`: probability that it is this one, from the rule that made it."""

    domain: str
    confidence: float
    because: str


def candidate_domains(name: str, country: str | None = None) -> list[DomainCandidate]:
    """The domains that a company with this name may have, the likeliest first; at most ten. None is looked up.

    Args:
        name: as written, with or without legal form.
        country: ISO 3166-1 alpha-2, for the suffix of the country.
    """
    found: dict[str, DomainCandidate] = {}
    for candidate in _candidates(name[:MAX_NAME], country):
        label = candidate.domain.partition(".")[0]
        if 0 < len(label) <= _MAX_LABEL and any(char.isalpha() for char in label):
            found.setdefault(candidate.domain, candidate)
    return sorted(found.values(), key=lambda one: -one.confidence)[:10]


def _candidates(name: str, country: str | None) -> Iterator[DomainCandidate]:
    plain = search_key(name)
    for found in _WRITTEN_DOMAIN.finditer(plain):
        suffix = public_suffixes().publicsuffix(found[1])
        if suffix and suffix != found[1]:
            yield DomainCandidate(found[1], 0.8, "the name contains a domain")
    words = _words(without_legal_form(_IN_BRACKETS.sub(" ", name)))
    if not words:
        return
    joined = "".join(words)
    yield DomainCandidate(f"{joined}.com", 0.55, "the name with .com")
    yield from _by_parts(_IN_BRACKETS.sub("", plain).strip(), words)
    if country:
        suffix = _COUNTRY_SUFFIXES.get(country, country.lower())
        confidence = 0.6 if suffix != "com" else 0.55
        yield DomainCandidate(f"{joined}.{suffix}", confidence, "the name with the country's suffix")
    for suffix, confidence in (("io", 0.2), ("co", 0.08), ("net", 0.05), ("org", 0.05)):
        yield DomainCandidate(f"{joined}.{suffix}", confidence, f"the name with .{suffix}")


def _by_parts(plain: str, words: Sequence[str]) -> Iterator[DomainCandidate]:
    """Domains that treat the first or last word, or a hyphen, in a way of its own."""
    if hyphened := _HYPHENED.fullmatch(plain):
        yield DomainCandidate(f"{hyphened[0]}.com", 0.57, "the name has a hyphen")
    if found := _CO_BEHIND.fullmatch(plain):
        yield DomainCandidate(f"{''.join(_words(found[1]))}.co", 0.57, "the last word is a top-level domain")
    if len(words) == 1:
        return
    before, last = "".join(words[:-1]), words[-1]
    yield DomainCandidate(f"{'-'.join(words)}.com", 0.15, "the name with hyphens")
    if words[0] == "the":
        yield DomainCandidate(f"{''.join(words[1:])}.com", 0.57, "the name without its article")
    if last in _SUFFIX_WORDS:
        yield DomainCandidate(f"{before}.{last}", 0.6, "the last word is a top-level domain")
    if last in _DESCRIPTIONS:
        yield DomainCandidate(f"{before}.com", _DESCRIPTIONS[last], "the name without its description")
    if last in _PUBLIC_BODIES:
        yield DomainCandidate(f"{before}{last}.org", 0.58, "the suffix of organizations")


def _words(name: str) -> list[str]:
    text = search_key(name)
    for char, word in _SEPARATE.items():
        text = text.replace(char, word)
    return [word for word in _LETTERS.sub(" ", _JOINING.sub("", text)).split() if word]
