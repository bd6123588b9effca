"""What an e-mail address alone says about its owner. No network, no cost, the same answer every time."""

from leadflood.domains.enrichment.adapters.email_insight.adapter import EmailInsight

__all__ = ["EmailInsight"]
