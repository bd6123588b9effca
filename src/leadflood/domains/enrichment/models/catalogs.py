"""The fields that can be found, by the kind of subject that they are about."""

from collections.abc import Mapping
from typing import Final

from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.fact_fields import FactCatalog, SubjectKind
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS

CATALOGS: Final[Mapping[SubjectKind, FactCatalog]] = {
    SubjectKind.LEAD: PERSON_FIELDS,
    SubjectKind.COMPANY: COMPANY_FIELDS,
}
