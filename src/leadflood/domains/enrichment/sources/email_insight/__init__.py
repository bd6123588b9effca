"""Facts from the email address of a person."""

from leadflood.domains.enrichment.sources.email_insight.source import EmailInsight

__all__ = ["EmailInsight"]
