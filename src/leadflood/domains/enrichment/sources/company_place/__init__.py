"""Time zone of a company, from its country and region or its phone numbers."""

from leadflood.domains.enrichment.sources.company_place.source import CompanyPlace

__all__ = ["CompanyPlace"]
