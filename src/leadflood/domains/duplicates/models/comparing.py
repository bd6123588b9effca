"""Probability that two leads are one person, after Fellegi and Sunter: the sum of the weights of all shared fields.

Weights are in bits, the sum is the log2 of the odds, and the score is the probability in percent. A shared mailbox or
phone number has a probability of its own, regardless of the number of leads; other evidence starts from the prior that
most pairs are two people.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from math import log2
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from leadflood.domains.duplicates.models.name_weights import NameWeight, compare_names
from leadflood.domains.duplicates.models.people import PersonKey, compact
from leadflood.domains.duplicates.models.states import CERTAIN, MIN_SCORE, Match, Reason, ReasonKind
from leadflood.domains.duplicates.models.values import Level, level_of
from leadflood.domains.duplicates.models.weights import UNTRAINED, Weights


@dataclass(slots=True)
class Evidence:
    """Evidence of two leads.

    Attributes:
        base: log2 odds of a shared mailbox or phone number; None if they share neither.
        bits: sum of the other weights.
        personal: whether some of it identifies the person, not only the company.
        certain: whether something besides the name agrees that few other people share.
        conflict: whether a field contradicts that they are one person.
        colleagues: whether they have the same employer.
    """

    base: float | None = None
    bits: float = 0.0
    personal: bool = False
    certain: bool = False
    conflict: bool = False
    colleagues: bool = False
    reasons: list[Reason] = field(default_factory=list)

    def odds(self, weights: Weights) -> float:
        """Log2 odds that they are one person."""
        return (weights.prior if self.base is None else max(self.base, weights.prior)) + self.bits


def compare(one: PersonKey, two: PersonKey, weights: Weights = UNTRAINED) -> Match | None:
    """Probability that two leads are one person, with reasons; None if it is too low to be worth reviewing."""
    names = compare_names(one.first, one.last, two.first, two.last)
    if names is not None and names.differ and not _share_something(one, two, weights):
        return None
    found = evidence(one, two, weights, names)
    _add_fields(found, one, two, weights)
    if not found.personal:
        return None
    odds = found.odds(weights)
    probability = 1 / (1 + 2.0**-odds) if odds < _MAX_BITS else 1.0
    certain = odds >= _CERTAIN_BITS and found.certain and not found.conflict
    score = CERTAIN if certain else min(CERTAIN - 1, round(100 * probability))
    return Match(score, tuple(found.reasons)) if score >= MIN_SCORE else None


def _share_something(one: PersonKey, two: PersonKey, weights: Weights) -> bool:
    """Whether two leads with different names share a mailbox, a phone number or the value of a key field."""
    return (
        one.mailbox == two.mailbox
        or (one.letters == two.letters and bool(one.letters))
        or (one.phone == two.phone and bool(one.phone))
        or any(name in one.values and one.values[name] == two.values.get(name) for name in weights.keys)
    )


def evidence(one: PersonKey, two: PersonKey, weights: Weights, names: NameWeight | None) -> Evidence:
    """Evidence of emails, names, employers and phone numbers."""
    found = Evidence()
    _add_email(found, one, two, names)
    same_mailbox = found.base is not None
    companies, company = _companies(one, two)
    found.colleagues = companies >= _SAME_COMPANY
    _add_phone(found, one, two)
    if names is not None:
        floor = _MIN_OF_NAMES if same_mailbox else -_MAX_BITS
        found.bits += max(floor, names.bits)
        found.conflict = names.differ or (one.last.generation != two.last.generation and not same_mailbox)
        if names.similarity >= _REASON_SIMILARITY:
            found.personal = True
            found.reasons.append(Reason(ReasonKind.SIMILAR_NAME, round(names.similarity, 2)))
    if company is not None:
        bits = weights.company_bits(company)
        found.bits += bits if found.colleagues else bits / 2
        found.certain = found.certain or (found.colleagues and bits >= _TELLING_COMPANY)
        found.reasons.append(Reason(ReasonKind.SIMILAR_COMPANY, round(companies, 2)))
    elif one.companies and two.companies and not same_mailbox:
        found.bits += _OTHER_COMPANY
    return found


_MAX_BITS: Final = 60.0
_CERTAIN_BITS: Final = log2(9999)
"""One error in 10,000."""
_REASON_SIMILARITY: Final = 0.85

_MIN_OF_NAMES: Final = -2.0
"""Minimum weight of names if the mailbox is the same, which is always worth a review."""

_SAME_COMPANY: Final = 0.9
_ALIKE_COMPANY: Final = 0.85
_OTHER_COMPANY: Final = log2(0.25 / 0.99)
_TELLING_COMPANY: Final = 4.0
"""Weight of an employer that makes a name certain: fewer than one in twenty leads has it."""

_SAME_PHONE: Final = log2(0.58 / 0.42)
"""Phone numbers are shared in offices and families."""
_COLLEAGUES_PHONE: Final = log2(0.35 / 0.65)
_PHONE_BESIDE_MAILBOX: Final = 10.0
_OTHER_PHONE: Final = -1.0


def _companies(one: PersonKey, two: PersonKey) -> tuple[float, str | None]:
    """Similarity of the employers, and the shared one; None if they differ."""
    best, shared = 0.0, None
    for a in one.companies:
        for b in two.companies:
            alike = _same_company(a, b)
            if alike > best:
                best, shared = alike, min(a, b, key=len)
    return best, shared if best >= _ALIKE_COMPANY else None


@lru_cache(maxsize=50_000)
def _same_company(one: str, two: str) -> float:
    if one == two or compact(one) == compact(two):
        return 1.0
    few, many = sorted((one.split(), two.split()), key=len)
    if few == many[: len(few)] and len(few[0]) > 1:
        return 0.9
    return float(token_sort_ratio(one, two)) / 100


def _add_phone(found: Evidence, one: PersonKey, two: PersonKey) -> None:
    if not one.phone or not two.phone:
        return
    if one.phone != two.phone:
        found.bits += _OTHER_PHONE
        return
    found.personal = found.certain = True
    found.reasons.append(Reason(ReasonKind.SAME_PHONE, 1.0))
    if found.base is None:
        found.base = _COLLEAGUES_PHONE if found.colleagues else _SAME_PHONE
    else:
        found.bits += _PHONE_BESIDE_MAILBOX


def _add_email(found: Evidence, one: PersonKey, two: PersonKey, names: NameWeight | None) -> None:
    """Add the evidence of the emails: one mailbox, a typo, or two mailboxes."""
    if one.mailbox == two.mailbox:
        sure = min(one.sure, two.sure)
        found.base = log2(sure / (1 - sure))
        found.personal = found.certain = True
        slipped = one.slip != two.slip
        kind = ReasonKind.SIMILAR_EMAIL if slipped else ReasonKind.SAME_MAILBOX
        found.reasons.append(Reason(kind, _MAX_SIMILAR if slipped else 1.0))
        return
    bits = _email_bits(one, two, names=1.0 if names is None else names.similarity)
    found.bits += bits
    if bits >= _SIMILAR_EMAIL:
        found.personal = found.certain = True
        alike = round(float(JaroWinkler.similarity(one.mailbox, two.mailbox)), 2)
        found.reasons.append(Reason(ReasonKind.SIMILAR_EMAIL, min(alike, _MAX_SIMILAR)))


_SIMILAR_EMAIL: Final = 9.0
_MAX_SIMILAR: Final = 0.99
_SLIP_IN_DOMAIN, _SLIP_IN_DOMAIN_OF_SHORT = 24.0, 15.0
_SLIPS_IN_BOTH: Final = 20.0
_SAME_LOCAL, _SAME_NUMBERED_LOCAL = 2.0, 10.0
_SLIP_IN_LOCAL, _SLIP_IN_LOCAL_OF_COLLEAGUES = 10.0, 6.0
_OTHER_LOCAL_OF_COLLEAGUES, _OTHER_EMAIL = -1.5, -0.5
_OTHER_LOCAL_AFTER_SLIP: Final = 3.0
"""A person who mistyped the domain may have tried again."""
_SHORT_LOCAL, _LONG_LOCAL, _SHORT_DOMAIN = 5, 8, 6
_SLIPS: Final = 2


def _email_bits(one: PersonKey, two: PersonKey, *, names: float) -> float:
    """Weight of two emails. `names`: similarity of the names."""
    if one.letters == two.letters:
        return _same_local(one, two)
    if one.role or two.role or not one.local or not two.local:
        return 0.0
    if one.domain == two.domain:
        return _same_domain(one, two, same_name=names >= 1)
    if names >= _REASON_SIMILARITY and _slip(one.local, two.local) and _near(one.domain, two.domain):
        return _SLIPS_IN_BOTH
    return _OTHER_EMAIL


def _same_domain(one: PersonKey, two: PersonKey, *, same_name: bool) -> float:
    """Weight of two local parts at one domain. Emails of Anna and Anne differ as little as their names."""
    if same_name and _slip(one.local, two.local):
        return _SLIP_IN_LOCAL if one.private else _SLIP_IN_LOCAL_OF_COLLEAGUES
    if same_name and one.slip != two.slip:
        return _OTHER_LOCAL_AFTER_SLIP
    return _OTHER_EMAIL if one.private else _OTHER_LOCAL_OF_COLLEAGUES


def _same_local(one: PersonKey, two: PersonKey) -> float:
    """Weight of one local part at two domains."""
    if one.role or len(one.letters) < _SHORT_LOCAL:
        return 0.0
    numbered = any(map(str.isdigit, one.letters))
    if _near(one.domain, two.domain):
        return _SLIP_IN_DOMAIN if numbered or len(one.letters) >= _LONG_LOCAL else _SLIP_IN_DOMAIN_OF_SHORT
    return _SAME_NUMBERED_LOCAL if numbered else _SAME_LOCAL


def _near(one: str, two: str) -> bool:
    """Whether one of two domains can be a typo of the other. Domains with different numbers are not."""
    if min(len(one), len(two)) < _SHORT_DOMAIN or _digits(one) != _digits(two):
        return False
    return OSA.distance(one, two, score_cutoff=_SLIPS) <= _SLIPS


def _slip(one: str, two: str) -> bool:
    """Whether one of two local parts can be a typo of the other. Numbers and "jr" distinguish people."""
    short, long = sorted((len(one), len(two)))
    if short < _SHORT_LOCAL or OSA.distance(one, two, score_cutoff=_SLIPS) > (_SLIPS if long > _LONG_LOCAL else 1):
        return False
    return _digits(one) == _digits(two) and _GENERATION.findall(one) == _GENERATION.findall(two)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


_GENERATION: Final = re.compile("(?:jr|sr|jun|sen|junior|senior|ii+)$")


def _add_fields(found: Evidence, one: PersonKey, two: PersonKey, weights: Weights) -> None:
    """Add the evidence of all other fields that both leads have."""
    shared: list[tuple[float, Reason]] = []
    trained = untrained = 0.0
    for name, value in one.values.items():
        other = two.values.get(name)
        if other is None or other.kind is not value.kind:
            continue
        level = level_of(value, other)
        known = weights.of(name, value.kind)
        bits = known.bits(level, value, colleagues=found.colleagues)
        if known.trained:
            trained += bits
        else:
            untrained += bits
        if level is Level.EXACT and bits >= _IDENTIFIES:
            found.personal = found.certain = True
        if bits <= _CONTRADICTS:
            found.conflict = True
        elif level is not Level.DIFFERENT and bits >= _REASON_BITS:
            alike = 1.0 if level is Level.EXACT else _SIMILAR_VALUE
            shared.append((bits, Reason(ReasonKind.SIMILAR_FIELD, alike, name)))
    found.bits += _within(trained, -_MAX_OF_FIELDS, _MAX_OF_FIELDS)
    found.bits += _within(untrained, _MIN_OF_UNTRAINED, _MAX_OF_UNTRAINED)
    shared.sort(key=lambda item: -item[0])
    found.reasons.extend(reason for _, reason in shared[:_MAX_FIELD_REASONS])


def _within(bits: float, least: float, most: float) -> float:
    return max(least, min(most, bits))


_MAX_OF_FIELDS: Final = 20.0
"""Limit of all fields together: they are not independent, such as postcode, town and street."""
_MIN_OF_UNTRAINED, _MAX_OF_UNTRAINED = -1.5, 4.0
_CONTRADICTS: Final = -3.0
_REASON_BITS: Final = 1.5
_IDENTIFIES: Final = 7.0
"""Weight of a value that identifies a person: hardly any colleagues share it."""
_MAX_FIELD_REASONS: Final = 4
_SIMILAR_VALUE: Final = 0.9
