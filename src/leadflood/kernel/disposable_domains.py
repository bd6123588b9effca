"""Domains of disposable mailboxes, from the list of disposable-email-domains."""

from functools import cache

from leadflood.kernel.email_domains import listed_domain


def disposable_provider(domain: str) -> str | None:
    """The domain on the list that a domain is, or lies below."""
    return listed_domain(domain, disposable_domains())


@cache
def disposable_domains() -> frozenset[str]:
    """Domains of disposable mailboxes."""
    # The package is one big set literal: a late import spares modules that do not use it.
    from disposable_email_domains import blocklist  # noqa: PLC0415

    return frozenset(blocklist)
