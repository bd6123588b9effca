"""Whether an email address can receive mail, as far as the DNS shows it."""

from leadflood.domains.enrichment.sources.email_check.source import EmailCheck

__all__ = ["EmailCheck"]
