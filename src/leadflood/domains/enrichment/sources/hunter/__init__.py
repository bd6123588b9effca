"""Hunter: addresses of a domain, the address of a person, and the check of an address."""

from leadflood.domains.enrichment.sources.hunter.source import PROVIDER, DomainSearch, EmailFinder, EmailVerifier

__all__ = ["PROVIDER", "DomainSearch", "EmailFinder", "EmailVerifier"]
