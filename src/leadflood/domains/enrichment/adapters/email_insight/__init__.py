"""Facts derived from an email address alone. No network, no cost, deterministic."""

from leadflood.domains.enrichment.adapters.email_insight.adapter import EmailInsight
from leadflood.domains.enrichment.adapters.email_insight.source import EmailInsightSource

__all__ = ["EmailInsight", "EmailInsightSource"]
