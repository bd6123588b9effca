"""ZeroBounce: the check of an email address."""

from leadflood.domains.enrichment.sources.zerobounce.source import PROVIDER, EmailValidation

__all__ = ["PROVIDER", "EmailValidation"]
