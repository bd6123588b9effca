"""What the domain of an address says: whose it is, and whether it names a company at all."""

from leadflood.domains.enrichment.adapters.email_insight.address import to_u_labels, with_parents
from leadflood.domains.enrichment.adapters.email_insight.word_lists import (
    disposable_domains,
    free_mail_domains,
    public_suffixes,
)

_MAX_ACRONYM = 3
_MIN_NAME_BEFORE_HQ = 4


def listed_domain(domain: str, listed: frozenset[str]) -> str | None:
    """The domain itself or the nearest domain above it that is on the list."""
    return next((name for name in with_parents(domain) if name in listed), None)


def free_mail_provider(domain: str) -> str | None:
    """The provider for the public that `domain` belongs to."""
    return listed_domain(domain, free_mail_domains())


def disposable_provider(domain: str) -> str | None:
    """The provider of disposable mailboxes that `domain` belongs to."""
    return listed_domain(domain, disposable_domains())


def registrable_domain(domain: str) -> str | None:
    """eTLD+1 by the public suffix list, private suffixes included; None for a suffix that is not on it."""
    return public_suffixes().privatesuffix(domain)


def probable_company_name(registrable: str) -> str | None:
    """The first label of the company's domain written as a name, without claims about spacing inside it.

    `red-gate.com` gives "Red Gate", `xn--bcher-kva.de` "Bücher", `datadoghq.com` "Datadog", `ibm.com` "IBM".
    """
    label = to_u_labels(registrable).partition(".")[0]
    if label.endswith("hq") and len(label) >= _MIN_NAME_BEFORE_HQ + len("hq"):
        label = label.removesuffix("hq")
    words = [word for word in label.replace("_", "-").split("-") if word]
    if not any(char.isalpha() for char in label):
        return None
    if len(label) <= _MAX_ACRONYM:
        return label.upper()
    return " ".join(word[0].upper() + word[1:] for word in words)
