"""Facts derived from an email address alone. No network, no cost, deterministic."""

from leadflood.domains.enrichment.adapters.email_insight.adapter import EmailInsight

__all__ = ["EmailInsight"]
