"""A canonical spelling for all addresses of a mailbox."""

from dataclasses import dataclass

from leadflood.kernel.email_domains import free_mail_provider
from leadflood.kernel.email_parts import Address

_IGNORES_DOTS = frozenset({"gmail.com", "googlemail.com"})
_YAHOO = frozenset({"yahoo", "ymail", "rocketmail", "myyahoo"})
_SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru",
    "yandex.kz": "yandex.ru",
    "yandex.ua": "yandex.ru",
}
"""Domains that share mailboxes with another domain."""


@dataclass(frozen=True, slots=True)
class CanonicalMailbox:
    """The spelling, the confidence that it reaches the same mailbox, and the changes."""

    email: str
    confidence: float
    because: str


def canonical_mailbox(address: Address) -> CanonicalMailbox:
    """Lower case, no subaddress, no dots if the provider ignores them, one of the provider's domains.

    A subaddress is removed at every domain (RFC 5233); where nothing is known of the provider, the confidence says
    that its server may see two mailboxes.
    """
    if address.local.startswith('"'):
        return CanonicalMailbox(
            f"{address.local}@{address.domain}", 0.7, "an address in quotation marks stays as it is"
        )
    mailbox, changes = address.mailbox, []
    if mailbox != address.local:
        changes.append("the part after '+' is a tag")
    if address.domain.partition(".")[0] in _YAHOO and "-" in mailbox.strip("-"):
        mailbox = mailbox.partition("-")[0] or mailbox
        changes.append("the part after '-' is a tag at Yahoo")
    if address.domain in _IGNORES_DOTS and mailbox.replace(".", ""):
        if "." in mailbox:
            changes.append("Gmail ignores dots")
        mailbox = mailbox.replace(".", "")
    domain = _SAME_MAILBOX.get(address.domain, address.domain)
    if domain != address.domain:
        changes.append(f"{address.domain} and {domain} share their mailboxes")
    known = free_mail_provider(address.domain) is not None
    confidence = 0.95 if known or not changes else 0.75
    return CanonicalMailbox(f"{mailbox.lower()}@{domain}", confidence, "; ".join(changes))
