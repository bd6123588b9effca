"""Typos in an address: in its domain, and around it.

A correction of a domain is made only for a domain that cannot exist (its top-level domain does not) or that lies one
small slip from a mailbox provider and is not itself a known domain. Distances are optimal string alignment: one
insertion, deletion, replacement or swap of neighbours each count 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from leadflood.kernel.email_domains import (
    free_mail_domains,
    lookalike_domains,
    mistyped_providers,
    public_suffixes,
    with_parents,
)

_STRAY = "'\"`,;:<>()[]{}*!?/\\|"
_COMMON_SUFFIXES = ("com", "net", "org")
_SUFFIX_SLIPS = frozenset({"co", "cm", "om"})
"""Top-level domains that exist but are also typos of `com` after a provider's name."""

_ONE_SUFFIX_ONLY = frozenset({"gmail", "icloud", "googlemail", "protonmail", "rocketmail"})
"""Names that their provider uses under one suffix (protonmail.ch and national googlemails are listed separately)."""

_MIN_MISTYPED_LABEL = 4

_KEYBOARD_NEIGHBOURS = {
    "a": "qwsz", "b": "vghn", "c": "xdfv", "e": "wsdr34", "f": "rtgvcd", "g": "tyhbvfr", "h": "yujnbgt", "i": "uojk89",
    "l": "kop", "o": "ipkl90", "p": "ol0", "r": "etdf45", "s": "wedxza", "t": "ryfg56", "v": "cfgb", "w": "qase23",
    "y": "tugh67",
}  # fmt: skip
"""QWERTY neighbors of the first letters of providers' names, for typos in the first letter."""


@dataclass(frozen=True, slots=True)
class DomainTypo:
    """The domain that was probably meant, with confidence and reason."""

    meant: str
    confidence: float
    because: str


def find_domain_typo(domain: str) -> DomainTypo | None:
    """The correction of `domain` (A-labels, lower case); None if it may be right."""
    cleaned = domain.strip(_STRAY).strip(".")
    if _is_known(cleaned):
        return DomainTypo(cleaned, 0.95, "a stray character") if cleaned != domain else None
    return (
        _missing_dot(cleaned)
        or _doubled_suffix(cleaned)
        or _slip_in_suffix(cleaned)
        or _slip_in_label(cleaned)
        or _unknown_top_level(cleaned)
    )


def corrected_addresses(text: str) -> Iterator[str]:
    """Addresses that an invalid text may have meant, most likely first. They are not validated.

    For `jane@yahoo`, `jane@gmail,com`, `jane @gmail.com`, `jane(at)gmail.com`, `<jane@gmail.com>`, `janegmail.com`.
    """
    stripped = _AROUND.sub("", _IN_BRACKETS.sub(r"\1", text)).strip()
    spelled = _SPELLED_DOT.sub(".", _SPELLED_AT.sub("@", stripped))
    compact = _AT_SIGNS.sub("@", _SPACE_BESIDE.sub(r"\1", spelled))
    local, at, domain = compact.rpartition("@")
    if not at:
        local, domain = _apart(compact)
    if not local or not domain:
        return
    local = _DOTS.sub(".", local).strip(".")
    dotted = _DOTS.sub(".", _NO_DOT.sub(".", domain.lower())).strip(".-")
    for name in dict.fromkeys((dotted, dotted.replace("_", "."), dotted.replace("-", "."))):
        typo = find_domain_typo(name)
        if typo is not None:
            yield f"{local}@{typo.meant}"
        elif name == dotted or _is_known(name):
            yield f"{local}@{name}"


def _apart(text: str) -> tuple[str, str]:
    """The parts of an address whose @ is missing, or another key beside it, in front of a provider's domain."""
    lowered = text.lower()
    if _is_known(lowered):
        return "", ""
    known = [domain for domain, _ in mistyped_providers() if lowered.endswith(domain)]
    provider = max(known, key=len, default="")
    return _NO_AT.sub("", text[: len(text) - len(provider)]) if provider else "", provider


_IN_BRACKETS = re.compile(r"^[^<]*<\s*([^<>]*?)\s*>.*$", re.DOTALL)
"""An address with the name of its owner, as mail programs show it."""
_AROUND = re.compile(
    r"^(?:mailto:|e-?mail:|[\s'\"`,;:<>()\[\]{}\u200b\ufeff])+|[\s'\"`,;:<>()\[\]{}\u200b\ufeff.]+$", re.IGNORECASE
)
_SPELLED_AT = re.compile(r"\s*[(\[{<]\s*(?:at|ät|@)\s*[)\]}>]\s*|\s+at\s+", re.IGNORECASE)
_SPELLED_DOT = re.compile(r"\s*[(\[{<]\s*(?:dot|punkt|\.)\s*[)\]}>]\s*|\s+dot\s+", re.IGNORECASE)
_SPACE_BESIDE = re.compile(r"\s*([@.])\s*")
_AT_SIGNS = re.compile("@{2,}")
_DOTS = re.compile(r"\.{2,}")
_NO_DOT = re.compile(r"[,;:/\\\s]+")
"""Characters next to the full stop on keyboards, or similar to it, in a domain."""
_NO_AT = re.compile("(?<=.)[.#*'\"2qQ§&_-]$")


def _is_known(domain: str) -> bool:
    return not _known_domains().isdisjoint(with_parents(domain))


@cache
def _known_domains() -> frozenset[str]:
    return free_mail_domains() | lookalike_domains() | {name for name, _ in mistyped_providers()}


@cache
def _providers() -> tuple[tuple[str, str, str, int], ...]:
    """Each provider's domain, its first label, the rest, and the number of tolerated typos."""
    parts = ((domain, domain.partition("."), slips) for domain, slips in mistyped_providers())
    return tuple((domain, label, suffix, slips) for domain, (label, _, suffix), slips in parts)


def _missing_dot(domain: str) -> DomainTypo | None:
    if "." in domain:
        return None
    for provider, label, _, slips in _providers():
        if domain == provider.replace(".", "") or (slips and domain == label):
            return DomainTypo(provider, 0.9, "the domain has no dot")
    for provider, label, _, slips in _providers():
        names = (label, provider.replace(".", ""))
        if len(domain) >= _MIN_MISTYPED_LABEL and any(_is_slip(domain, name, min(slips, 1)) for name in names):
            return DomainTypo(provider, 0.7, "the domain has no dot, and a letter is wrong")
    return None


def _doubled_suffix(domain: str) -> DomainTypo | None:
    for suffix in _COMMON_SUFFIXES:
        if domain.endswith(f".{suffix}.{suffix}"):
            return DomainTypo(domain.removesuffix(f".{suffix}"), 0.85, f"'.{suffix}' appears twice")
    return None


def _slip_in_suffix(domain: str) -> DomainTypo | None:
    label, _, suffix = domain.partition(".")
    exists = _suffix_exists(suffix)
    for provider, name, meant, slips in _providers():
        if label != name or not suffix:
            continue
        if _is_suffix_slip(suffix, meant) or (not exists and slips and _is_first_choice(provider)):
            return DomainTypo(provider, 0.9 if exists else 0.95, f"'.{suffix}' is not an ending that {name} uses")
        if name in _ONE_SUFFIX_ONLY:
            return DomainTypo(provider, 0.7, f"'.{suffix}' is not an ending that {name} uses")
    return None


def _slip_in_label(domain: str) -> DomainTypo | None:
    label, _, suffix = domain.partition(".")
    if len(label) < _MIN_MISTYPED_LABEL:
        return None
    best: DomainTypo | None = None
    for provider, name, meant, slips in _providers():
        if suffix == meant:
            distance, allowed = OSA.distance(label, name), slips
        elif _is_suffix_slip(suffix, meant):
            distance, allowed = OSA.distance(label, name), min(slips, 1)
        else:
            continue
        if not 0 < distance <= allowed or not _plausible_first_letter(label, name, distance):
            continue
        confidence = (0.9 if distance == 1 else 0.7) - (0.15 if label[0] != name[0] else 0)
        if best is None or confidence > best.confidence:
            slip = "one letter" if distance == 1 else "two letters"
            best = DomainTypo(provider, confidence, f"'{label}' is {slip} away from '{name}'")
    return best


def _unknown_top_level(domain: str) -> DomainTypo | None:
    head, _, last = domain.rpartition(".")
    if not head or len(last) < 2 or _suffix_exists(last):  # noqa: PLR2004
        return None
    for suffix in _COMMON_SUFFIXES:
        if OSA.distance(last, suffix) == 1:
            return DomainTypo(f"{head}.{suffix}", 0.8, f"no domain ends in '.{last}'")
    return None


def _is_suffix_slip(suffix: str, meant: str) -> bool:
    if meant == "com" and suffix in _SUFFIX_SLIPS:
        return True
    allowed = 1 if len(meant) <= 2 else 2  # noqa: PLR2004
    return not _suffix_exists(suffix) and 0 < OSA.distance(suffix, meant) <= allowed


def _is_first_choice(provider: str) -> bool:
    name = provider.partition(".")[0]
    return next(domain for domain, label, _, _ in _providers() if label == name) == provider


def _is_slip(word: str, name: str, allowed: int) -> bool:
    distance = OSA.distance(word, name)
    return 0 < distance <= allowed and _plausible_first_letter(word, name, distance)


def _plausible_first_letter(label: str, name: str, distance: int) -> bool:
    """The first letter is rarely far off, and words that differ in it are mostly different words."""
    if label[0] == name[0]:
        return True
    swapped = label[:2] == name[1::-1]
    dropped = label == name[1:]
    slipped = label[0] in _KEYBOARD_NEIGHBOURS.get(name[0], "")
    return distance == 1 and (swapped or dropped or slipped)


@lru_cache(maxsize=4096)
def _suffix_exists(suffix: str) -> bool:
    return public_suffixes().publicsuffix(suffix) == suffix
