"""Combines the facts from the parts of an address."""

from datetime import datetime
from typing import Final, NamedTuple

from leadflood.domains.enrichment.models import (
    Answer,
    Fact,
    FactField,
    FactValue,
    Fetcher,
    Found,
    Missed,
    Question,
    Receipt,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.sources.email_insight.company_names import probable_company_name
from leadflood.domains.enrichment.sources.email_insight.names import KnownNames, probable_names
from leadflood.kernel.canonical_mailbox import canonical_mailbox
from leadflood.kernel.disposable_domains import disposable_provider
from leadflood.kernel.email_domains import free_mail_provider, registrable_domain
from leadflood.kernel.email_parts import Address, parse_address
from leadflood.kernel.email_typos import DomainTypo, find_domain_typo
from leadflood.kernel.mailbox_roles import find_role
from leadflood.kernel.text import InvalidValue

_LISTED: Final = 0.98
_NOT_LISTED: Final = 0.8
"""Lists are never complete, so "no" is less certain than "yes"."""
_MAX: Final = 256
_GIVEN: Final = 1.0
"""Confidence in what a person or a file wrote."""


class _Finding(NamedTuple):
    """A value, before it is a fact."""

    field: FactField
    value: FactValue
    confidence: float
    method: str
    evidence: str


class EmailInsight:
    """Reads the email address of a person, and the names if a person or a file wrote them."""

    spec = SourceSpec(
        name="email_insight",
        version="1",
        label="Email address",
        subject=SubjectKind.LEAD,
        speed=Speed.INSTANT,
        needs=(frozenset({lead.EMAIL}),),
        also_reads=frozenset({lead.FIRST_NAME, lead.LAST_NAME}),
        gives=frozenset(
            {
                lead.FIRST_NAME,
                lead.LAST_NAME,
                lead.COMPANY_NAME,
                lead.COMPANY_DOMAIN,
                lead.CANONICAL_EMAIL,
                lead.LIKELY_TYPO_OF,
                lead.IS_FREE_MAIL,
                lead.IS_DISPOSABLE,
                lead.IS_ROLE_ADDRESS,
            }
        ),
        family="email_address",
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  it is asked like all sources
        """The facts; `Missed` for an address that cannot be parsed. Never raises."""
        address = parse_address(question.text(lead.EMAIL) or "")
        if address is None:
            return Missed("This is no email address.")
        known = KnownNames.of(_given(question, lead.FIRST_NAME), _given(question, lead.LAST_NAME))
        return Found(_facts_of(address, known, question.asked_at))


def _given(question: Question, field: FactField) -> str | None:
    """A name, unless it was guessed from the address itself."""
    values = question.known.get(field, ())
    return str(values[0].value) if values and values[0].confidence == _GIVEN else None


def _facts_of(address: Address, known: KnownNames, at: datetime) -> list[Fact]:
    role = _role(address, known)
    typo = find_domain_typo(address.domain)
    disposable = _disposable(address)
    found = [_canonical_email(address), _free_mail(address), disposable, role, *_typo(address, typo)]
    if not typo and not disposable.value:
        found += _company(address)
    if not role.value and not disposable.value:
        found += _names(address, known)
    facts = (_fact(finding, at) for finding in found)
    return [fact for fact in facts if fact is not None]


def _fact(finding: _Finding, at: datetime) -> Fact | None:
    """The fact; None for a value that cannot be stored, such as a name of 400 letters."""
    receipt = Receipt(finding.method, finding.evidence, at)
    if isinstance(finding.value, bool) or _is_stored_form(finding.value):
        return Fact.stored(finding.field, finding.value, finding.confidence, receipt)
    try:
        return Fact.of(finding.field, finding.value, finding.confidence, receipt)
    except InvalidValue:
        return None


def _is_stored_form(value: FactValue) -> bool:
    """Whether a text need not be normalized: thousands of addresses a second pass here."""
    return (
        isinstance(value, str) and value.isascii() and value.isprintable() and len(value) < _MAX and "  " not in value
    )


def _canonical_email(address: Address) -> _Finding:
    canonical = canonical_mailbox(address)
    evidence = (
        f"Same inbox: {canonical.because}." if canonical.because else "The address is already in its simplest form."
    )
    return _Finding(lead.CANONICAL_EMAIL, canonical.email, canonical.confidence, "mailbox_rules", evidence)


def _free_mail(address: Address) -> _Finding:
    provider = free_mail_provider(address.domain)
    if provider:
        evidence = f"The address is at a free email provider ({provider})."
        return _Finding(lead.IS_FREE_MAIL, value=True, confidence=_LISTED, method="provider_list", evidence=evidence)
    evidence = f"{address.shown_domain} is not a known free email provider."
    return _Finding(lead.IS_FREE_MAIL, value=False, confidence=_NOT_LISTED, method="provider_list", evidence=evidence)


def _disposable(address: Address) -> _Finding:
    provider = disposable_provider(address.domain)
    says = f"The address is at a provider of disposable mailboxes ({provider})." if provider else None
    return _Finding(
        lead.IS_DISPOSABLE,
        value=provider is not None,
        confidence=_LISTED if provider else _NOT_LISTED,
        method="disposable_list",
        evidence=says or "The address is at no known provider of disposable mailboxes.",
    )


def _role(address: Address, known: KnownNames) -> _Finding:
    names = frozenset(name for name in (known.first, known.last) if name)
    sign = find_role(address.mailbox, names)
    says = f"Shared address, not that of a person: {sign.because}." if sign else None
    return _Finding(
        lead.IS_ROLE_ADDRESS,
        value=sign is not None,
        confidence=sign.confidence if sign else _NOT_LISTED,
        method="role_words",
        evidence=says or "The address does not look shared, such as info@ or sales@.",
    )


def _typo(address: Address, typo: DomainTypo | None) -> list[_Finding]:
    if typo is None:
        return []
    meant = f"{address.local}@{typo.meant}"
    evidence = f"Probably a typo of {typo.meant}: {typo.because}."
    return [_Finding(lead.LIKELY_TYPO_OF, meant, typo.confidence, "domain_distance", evidence)]


def _company(address: Address) -> list[_Finding]:
    if free_mail_provider(address.domain):
        return []
    registrable = registrable_domain(address.domain)
    if registrable is None:
        return []
    evidence = f"{address.shown_domain} is probably a company’s domain: it is no known email provider."
    found = [_Finding(lead.COMPANY_DOMAIN, registrable, 0.9, "public_suffix_list", evidence)]
    name = probable_company_name(registrable)
    if name:
        evidence = "Guessed from the domain of the address."
        found.append(_Finding(lead.COMPANY_NAME, name, 0.5, "domain_label", evidence))
    return found


def _names(address: Address, known: KnownNames) -> list[_Finding]:
    guess = probable_names(address.mailbox, known)
    if guess is None:
        return []
    evidence = f"The address reads like {guess.pattern}."
    parts = ((lead.FIRST_NAME, guess.first), (lead.LAST_NAME, guess.last))
    return [_Finding(field, value, guess.confidence, guess.method, evidence) for field, value in parts if value]
