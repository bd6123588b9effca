"""Companies that report to the U.S. Securities and Exchange Commission."""

from leadflood.domains.enrichment.sources.sec_edgar.source import SecEdgar

__all__ = ["SecEdgar"]
