"""Questions about leads: what a person or a file wrote of them is known, and wins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from leadflood.domains.enrichment.models import FactField, FactValue, Question, Source, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.models.questions import KnownFact
from leadflood.domains.enrichment.models.runs import TIME_LIMIT
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.text import InvalidValue

_NO_FIELDS: Final[frozenset[FactField]] = frozenset()


def lead_question(lead: LeadDetails, now: datetime) -> Question:
    """The question to sources that answer without waiting, and give all that they have."""
    known = {field: (KnownFact(value, 1.0, value),) for field, value in _written(lead) if value}
    return Question(SubjectKind.LEAD, known, _NO_FIELDS, now, now + TIME_LIMIT)


def given_values(lead: LeadDetails) -> dict[FactField, FactValue]:
    """The written values, in the form of their fields. What is none of its field is left out."""
    given: dict[FactField, FactValue] = {}
    for field, value in _written(lead):
        if value:
            try:
                given[field] = field.normalise(value)
            except InvalidValue:
                continue
    return given


def asked_fields(sources: Sequence[Source]) -> frozenset[FactField]:
    """The fields that sources can find."""
    return frozenset().union(*(source.spec.gives for source in sources))


def _written(lead: LeadDetails) -> tuple[tuple[FactField, str | None], ...]:
    return (
        (fields.EMAIL, lead.email),
        (fields.FIRST_NAME, lead.first_name),
        (fields.LAST_NAME, lead.last_name),
        (fields.COMPANY_NAME, lead.company),
        (fields.JOB_TITLE, lead.job_title),
        (fields.PHONE, lead.phone),
        (fields.COUNTRY, lead.country),
    )
