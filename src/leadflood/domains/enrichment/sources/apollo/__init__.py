"""Apollo: records of persons and companies, and mobile phone numbers that are found later."""

from leadflood.domains.enrichment.sources.apollo.source import PROVIDER, OrganizationEnrichment, PeopleMatch
from leadflood.domains.enrichment.sources.apollo.waterfall import PhoneWaterfall

__all__ = ["PROVIDER", "OrganizationEnrichment", "PeopleMatch", "PhoneWaterfall"]
