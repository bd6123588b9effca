"""Combines the facts from the parts of an address."""

from collections.abc import Sequence

from leadflood.domains.enrichment.adapters.email_insight.domains import probable_company_name
from leadflood.domains.enrichment.adapters.email_insight.names import KnownNames, probable_names
from leadflood.domains.enrichment.models import Field, FoundValue, KnownLead
from leadflood.kernel.canonical_mailbox import canonical_mailbox
from leadflood.kernel.disposable_domains import disposable_provider
from leadflood.kernel.email_domains import free_mail_provider, registrable_domain
from leadflood.kernel.email_parts import Address, parse_address
from leadflood.kernel.email_typos import DomainTypo, find_domain_typo
from leadflood.kernel.mailbox_roles import find_role

_LISTED = 0.98
_NOT_LISTED = 0.8
"""Lists are never complete, so "no" is less certain than "yes"."""


class EmailInsight:
    """Reads the address of a lead, and the lead's names if known."""

    name = "email_insight"
    version = "1"
    is_local = True

    async def enrich(self, lead: KnownLead) -> Sequence[FoundValue]:
        """Values derived from the address; empty if it cannot be parsed. Never raises."""
        return values_of(lead.email, lead.first_name, lead.last_name)


def values_of(email: str, first_name: str | None, last_name: str | None) -> list[FoundValue]:
    """Values derived from an address; empty if it cannot be parsed. Never raises.

    Args:
        email: the address.
        first_name: of the person, if known.
        last_name: the same.
    """
    address = parse_address(email)
    if address is None:
        return []
    known = KnownNames.of(first_name, last_name)
    role = _role(address, known)
    typo = find_domain_typo(address.domain)
    disposable = _disposable(address)
    found = [_canonical_email(address), _free_mail(address), disposable, role, *_typo(address, typo)]
    if not typo and not disposable.value:
        found += _company(address)
    if not role.value and not disposable.value:
        found += _names(address, known)
    return found


def _canonical_email(address: Address) -> FoundValue:
    canonical = canonical_mailbox(address)
    evidence = f"Same inbox: {canonical.because}." if canonical.because else "Already in normalized form."
    return FoundValue(Field.CANONICAL_EMAIL, canonical.email, canonical.confidence, "mailbox_rules", evidence)


def _free_mail(address: Address) -> FoundValue:
    provider = free_mail_provider(address.domain)
    if provider:
        evidence = f"Free email provider ({provider})."
        return FoundValue(Field.IS_FREE_MAIL, value=True, confidence=_LISTED, method="provider_list", evidence=evidence)
    evidence = f"{address.shown_domain} is not a known free email provider."
    return FoundValue(
        Field.IS_FREE_MAIL, value=False, confidence=_NOT_LISTED, method="provider_list", evidence=evidence
    )


def _disposable(address: Address) -> FoundValue:
    provider = disposable_provider(address.domain)
    says = f"Known disposable domain ({provider})." if provider else None
    return FoundValue(
        Field.IS_DISPOSABLE,
        value=provider is not None,
        confidence=_LISTED if provider else _NOT_LISTED,
        method="disposable_list",
        evidence=says or "Not a known disposable domain.",
    )


def _role(address: Address, known: KnownNames) -> FoundValue:
    names = frozenset(name for name in (known.first, known.last) if name)
    sign = find_role(address.mailbox, names)
    says = f"Role address ({address.mailbox}): {sign.because}." if sign else None
    return FoundValue(
        Field.IS_ROLE_ADDRESS,
        value=sign is not None,
        confidence=sign.confidence if sign else _NOT_LISTED,
        method="role_words",
        evidence=says or "Not a role address.",
    )


def _typo(address: Address, typo: DomainTypo | None) -> list[FoundValue]:
    if typo is None:
        return []
    meant = f"{address.local}@{typo.meant}"
    evidence = f"Did you mean {typo.meant}? ({typo.because})"
    return [FoundValue(Field.LIKELY_TYPO_OF, meant, typo.confidence, "domain_distance", evidence)]


def _company(address: Address) -> list[FoundValue]:
    if free_mail_provider(address.domain):
        return []
    registrable = registrable_domain(address.domain)
    if registrable is None:
        return []
    evidence = f"{address.shown_domain} is a business domain (not a known mailbox provider)."
    found = [FoundValue(Field.COMPANY_DOMAIN, registrable, 0.9, "public_suffix_list", evidence)]
    name = probable_company_name(registrable)
    if name:
        evidence = "Guessed from the domain name."
        found.append(FoundValue(Field.COMPANY_NAME, name, 0.5, "domain_label", evidence))
    return found


def _names(address: Address, known: KnownNames) -> list[FoundValue]:
    guess = probable_names(address.mailbox, known)
    if guess is None:
        return []
    evidence = f"Matches the pattern {guess.pattern}."
    parts = ((Field.FIRST_NAME, guess.first), (Field.LAST_NAME, guess.last))
    return [FoundValue(field, value, guess.confidence, guess.method, evidence) for field, value in parts if value]
