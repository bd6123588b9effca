"""People Data Labs: records of persons and companies."""

from leadflood.domains.enrichment.sources.people_data_labs.source import PROVIDER, CompanyEnrichment, PersonEnrichment

__all__ = ["PROVIDER", "CompanyEnrichment", "PersonEnrichment"]
