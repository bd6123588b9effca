"""Comparison of leads: the identity each one states, and how likely two are one person. Pure functions only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from math import prod
from typing import Final, Self

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from leadflood.domains.enrichment.adapters.email_insight.address import parse_address
from leadflood.domains.enrichment.adapters.email_insight.mailbox import canonical_mailbox
from leadflood.kernel.company_name import company_key
from leadflood.kernel.email_domains import free_mail_provider, registrable_domain
from leadflood.kernel.text import search_key


class CandidateStatus(StrEnum):
    """`open → dismissed` or `merged`; both can be reverted."""

    OPEN = "open"
    DISMISSED = "dismissed"
    MERGED = "merged"


class MergeStatus(StrEnum):
    """`merged → undone`."""

    MERGED = "merged"
    UNDONE = "undone"


class ScanStatus(StrEnum):
    """`queued → running → completed` or `failed`."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ReasonKind(StrEnum):
    """Kind of evidence for a match. The values are stored."""

    SAME_MAILBOX = "same_mailbox"
    SIMILAR_EMAIL = "similar_email"
    SAME_PHONE = "same_phone"
    SIMILAR_NAME = "similar_name"
    SIMILAR_COMPANY = "similar_company"


class MergeSide(StrEnum):
    """The lead whose value is kept."""

    SURVIVOR = "survivor"
    OTHER = "other"


MIN_SCORE: Final = 55
"""Pairs with a lower score are not worth a review, such as the same phone number with different names."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that two leads have in common, with its similarity: 1 is equal."""

    kind: ReasonKind
    similarity: float


@dataclass(frozen=True, slots=True)
class Match:
    """Probability that two leads are one person, 0 to 100, and the reasons."""

    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ComparedLead:
    """The values that a lead is compared by, as given; the phone in E.164, optionally with an extension."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A lead in normalized form for comparison. Unknown values are empty.

    Attributes:
        mailbox: one spelling for all addresses of a mailbox. sure: how sure that is.
        companies: the employer as it is given, and as the domain of the address has it.
    """

    mailbox: str
    sure: float
    local: str
    domain: str
    first: str
    last: str
    companies: tuple[str, ...]
    phone: str

    @classmethod
    def of(cls, lead: ComparedLead) -> Self:
        """The person that a lead describes."""
        first, last = _names(lead.first_name or "", lead.last_name or "")
        address = parse_address(lead.email)
        mailbox = canonical_mailbox(address) if address else None
        email = mailbox.email if mailbox else lead.email.casefold()
        local, _, domain = email.rpartition("@")
        named, employer = company_key(lead.company or ""), _employer(domain)
        companies = (named,) if _compact(named) == _compact(employer) else (named, employer)
        return cls(
            mailbox=email,
            sure=mailbox.confidence if mailbox else 1.0,
            local=local,
            domain=domain,
            first=first,
            last=last,
            companies=tuple(company for company in companies if company),
            phone=(lead.phone or "").partition(";")[0],
        )

    def blocks(self) -> frozenset[int]:
        """Keys of a lead: only leads that share one are compared. Each key tolerates a typo or another spelling."""
        return frozenset(_hashed(parts) for parts in self._blocks())

    def _blocks(self) -> Iterator[tuple[str, ...]]:
        yield "mailbox", self.mailbox
        if self.phone:
            yield "phone", self.phone
        if len(self.local) >= _DISTINCT_LOCAL and any(map(str.isdigit, self.local)):
            yield "local", self.local, self.domain[:1]
        if self.first and self.last:
            for company in map(_compact, self.companies):
                yield "last", company, self.last, self.first[:1]
                yield "first", company, self.first, self.last[:1]
                yield "both", *sorted((self.first, self.last)), company[:4]


def compare(one: PersonKey, two: PersonKey) -> Match | None:
    """Probability that two leads are one person; None if it is too low to be worth reviewing.

    Each kind of evidence is a probability; the score is that not all of it is chance.
    """
    names, companies = _name_similarity(one, two), _company_similarity(one, two)
    reasons: list[Reason] = []
    evidence: list[float] = []
    if one.mailbox == two.mailbox:
        sure = min(one.sure, two.sure)
        reasons.append(Reason(ReasonKind.SAME_MAILBOX, 1.0))
        evidence.append(sure if names is None or names >= _DIFFERENT else sure - 0.2)
    elif one.local == two.local and len(one.local) >= _DISTINCT_LOCAL and _slip(one.domain, two.domain):
        reasons.append(Reason(ReasonKind.SIMILAR_EMAIL, JaroWinkler.normalized_similarity(one.domain, two.domain)))
        evidence.append(0.75 if names is None or names >= _DIFFERENT else 0.3)
    if one.phone and one.phone == two.phone:
        reasons.append(Reason(ReasonKind.SAME_PHONE, 1.0))
        evidence.append(0.6 if names is None else 0.9 if names >= _ALIKE else 0.25 if names < _DIFFERENT else 0.6)
    if names is not None and names >= _ALIKE:
        reasons.append(Reason(ReasonKind.SIMILAR_NAME, names))
        if companies >= _ALIKE:
            evidence.append(0.9 * names * companies)
    if companies >= _ALIKE:
        reasons.append(Reason(ReasonKind.SIMILAR_COMPANY, companies))
    score = round(100 * (1 - prod(1 - item for item in evidence)))
    if score < MIN_SCORE:
        return None
    return Match(score, tuple(Reason(reason.kind, round(reason.similarity, 2)) for reason in reasons))


_ALIKE: Final = 0.85
_DIFFERENT: Final = 0.6
_INITIAL: Final = 0.9
_TURNED: Final = 0.95
_HALF_KNOWN: Final = 0.8
"""Highest similarity of two names if one of them is known only in part."""
_DISTINCT_LOCAL: Final = 5
_SLIPS: Final = 2
_LONG_DOMAIN: Final = 6

_INSIDE_WORD: Final = re.compile("['.\u2019]")
_NO_WORD: Final = re.compile(r"[\W_]+")


def _names(first: str, last: str) -> tuple[str, str]:
    first, last = (_NO_WORD.sub(" ", _INSIDE_WORD.sub("", search_key(name))).strip() for name in (first, last))
    if first and not last and " " in first:
        first, _, last = first.rpartition(" ")
    return first, last


def _compact(company: str) -> str:
    return company.replace(" ", "")


@lru_cache(maxsize=50_000)
def _employer(domain: str) -> str:
    """The label of a company's own domain, which is often a short form of its name."""
    if not domain or free_mail_provider(domain):
        return ""
    label = (registrable_domain(domain) or "").partition(".")[0]
    return _NO_WORD.sub(" ", label).strip()


def _hashed(parts: tuple[str, ...]) -> int:
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _slip(one: str, two: str) -> bool:
    return min(len(one), len(two)) >= _LONG_DOMAIN and DamerauLevenshtein.distance(one, two) <= _SLIPS


def _part(one: str, two: str) -> float | None:
    """Similarity of two parts of names; None if one is unknown. An initial can stand for the name."""
    if not one or not two:
        return None
    if len(one) == 1 or len(two) == 1:
        return 1.0 if one == two else _INITIAL if one[0] == two[0] else 0.0
    return JaroWinkler.normalized_similarity(one, two)


def _name_similarity(one: PersonKey, two: PersonKey) -> float | None:
    """Similarity of the names, in either order; None if nothing can be compared."""
    straight = _both(_part(one.first, two.first), _part(one.last, two.last))
    turned = _both(_part(one.first, two.last), _part(one.last, two.first))
    if straight is None or turned is None:
        return straight
    return max(straight, turned * _TURNED)


def _both(first: float | None, last: float | None) -> float | None:
    """The weaker part decides: "Jane Smith" and "John Smith" are two people."""
    known = [part for part in (first, last) if part is not None]
    if not known:
        return None
    return min(known) if len(known) > 1 else known[0] * _HALF_KNOWN


def _company_similarity(one: PersonKey, two: PersonKey) -> float:
    return max((_same_company(a, b) for a in one.companies for b in two.companies), default=0.0)


def _same_company(one: str, two: str) -> float:
    if _compact(one) == _compact(two):
        return 1.0
    few, many = sorted((one.split(), two.split()), key=len)
    if few == many[: len(few)] and len(few[0]) > 1:
        return 0.9
    return token_sort_ratio(one, two) / 100
