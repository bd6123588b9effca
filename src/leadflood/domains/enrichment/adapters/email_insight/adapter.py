"""Puts together what the parts of an address say."""

from collections.abc import Sequence

from leadflood.domains.enrichment.adapters.email_insight.address import Address, parse_address
from leadflood.domains.enrichment.adapters.email_insight.domains import (
    disposable_provider,
    free_mail_provider,
    probable_company_name,
    registrable_domain,
)
from leadflood.domains.enrichment.adapters.email_insight.mailbox import canonical_mailbox
from leadflood.domains.enrichment.adapters.email_insight.names import KnownNames, probable_names
from leadflood.domains.enrichment.adapters.email_insight.roles import find_role
from leadflood.domains.enrichment.adapters.email_insight.typos import DomainTypo, find_domain_typo
from leadflood.domains.enrichment.models import Field, FoundValue, KnownLead

_LISTED = 0.98
_NOT_LISTED = 0.8
"""Lists are never complete, so "no" is less sure than "yes"."""


class EmailInsight:
    """Reads the address of a lead, with the lead's names where they are known."""

    name = "email_insight"
    version = "1"
    at_once = True

    async def enrich(self, lead: KnownLead) -> Sequence[FoundValue]:
        """What the address says; nothing where it cannot be read as an address. Never raises."""
        address = parse_address(lead.email)
        if address is None:
            return []
        known = KnownNames.of(lead.first_name, lead.last_name)
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
    evidence = f"The same mailbox answers to this spelling: {canonical.because}."
    return FoundValue(Field.CANONICAL_EMAIL, canonical.email, canonical.confidence, "mailbox_rules", evidence)


def _free_mail(address: Address) -> FoundValue:
    provider = free_mail_provider(address.domain)
    if provider:
        evidence = f"{provider} gives mailboxes to the public or to its customers."
        return FoundValue(Field.IS_FREE_MAIL, value=True, confidence=_LISTED, method="provider_list", evidence=evidence)
    evidence = f"{address.shown_domain} is not on the list of mailbox providers."
    return FoundValue(
        Field.IS_FREE_MAIL, value=False, confidence=_NOT_LISTED, method="provider_list", evidence=evidence
    )


def _disposable(address: Address) -> FoundValue:
    provider = disposable_provider(address.domain)
    says = f"{provider} hands out throw-away mailboxes." if provider else None
    return FoundValue(
        Field.IS_DISPOSABLE,
        value=provider is not None,
        confidence=_LISTED if provider else _NOT_LISTED,
        method="disposable_list",
        evidence=says or f"{address.shown_domain} is not on the list of throw-away mailboxes.",
    )


def _role(address: Address, known: KnownNames) -> FoundValue:
    names = frozenset(name for name in (known.first, known.last) if name)
    sign = find_role(address.mailbox, names)
    says = f"The local part '{address.mailbox}' stands for a function: {sign.because}." if sign else None
    return FoundValue(
        Field.IS_ROLE_ADDRESS,
        value=sign is not None,
        confidence=sign.confidence if sign else _NOT_LISTED,
        method="role_words",
        evidence=says or f"The local part '{address.mailbox}' contains no word that we know for a function.",
    )


def _typo(address: Address, typo: DomainTypo | None) -> list[FoundValue]:
    if typo is None:
        return []
    meant = f"{address.local}@{typo.meant}"
    evidence = f"{address.shown_domain} is probably a slip for {typo.meant}: {typo.because}."
    return [FoundValue(Field.LIKELY_TYPO_OF, meant, typo.confidence, "domain_distance", evidence)]


def _company(address: Address) -> list[FoundValue]:
    if free_mail_provider(address.domain):
        return []
    registrable = registrable_domain(address.domain)
    if registrable is None:
        return []
    evidence = (
        f"{address.shown_domain} belongs to no mailbox provider that we know; {registrable} is what one registers."
    )
    found = [FoundValue(Field.COMPANY_DOMAIN, registrable, 0.9, "public_suffix_list", evidence)]
    name = probable_company_name(registrable)
    if name:
        evidence = f"The domain {address.shown_domain} reads like '{name}'; spaces and capitals are a guess."
        found.append(FoundValue(Field.COMPANY_NAME, name, 0.5, "domain_label", evidence))
    return found


def _names(address: Address, known: KnownNames) -> list[FoundValue]:
    guess = probable_names(address.mailbox, known)
    if guess is None:
        return []
    evidence = f"The local part '{address.mailbox}' reads as {guess.pattern}."
    parts = ((Field.FIRST_NAME, guess.first), (Field.LAST_NAME, guess.last))
    return [FoundValue(field, value, guess.confidence, guess.method, evidence) for field, value in parts if value]
