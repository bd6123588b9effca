"""Companies in the register of the United Kingdom."""

from leadflood.domains.enrichment.sources.companies_house.source import CompaniesHouse

__all__ = ["CompaniesHouse"]
