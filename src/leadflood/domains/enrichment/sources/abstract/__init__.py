"""Abstract: the reputation of an email address, and records of companies. Each product has a key of its own."""

from leadflood.domains.enrichment.sources.abstract.source import (
    COMPANY_PROVIDER,
    EMAIL_PROVIDER,
    CompanyRecord,
    EmailReputation,
)

__all__ = ["COMPANY_PROVIDER", "EMAIL_PROVIDER", "CompanyRecord", "EmailReputation"]
