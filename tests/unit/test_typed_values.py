"""Values that people type for a field, and what wins when they write one."""

from datetime import timedelta

import pytest

from leadflood.domains.enrichment.models import Fact, FactValue, Receipt, company_fields
from leadflood.domains.enrichment.models.choosing import FactCandidate, choose_all
from leadflood.domains.enrichment.models.decisions import typed
from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.policies import Policy
from tests.support.canned_web import NOW


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (company_fields.PARKED, " Yes ", True),
        (company_fields.PARKED, "no", False),
        (company_fields.PARKED, "perhaps", "perhaps"),
        (company_fields.EMPLOYEES, "1,200", 1200),
        (company_fields.EMPLOYEES, "12 000", 12000),
        (company_fields.EMPLOYEES, "about 12", "about 12"),
        (company_fields.EMPLOYEES, "9" * 4000, "9" * 4000),
        (company_fields.FOUNDED, "1998", 1998),
        (company_fields.CITY, " 1998 ", "1998"),
    ],
)
def test_a_text_becomes_a_value_of_the_type_of_its_field(field: FactField, text: str, value: FactValue) -> None:
    assert typed(field, text) == value


def test_what_a_person_wrote_wins_however_old_it_is() -> None:
    def candidate(name: str, confidence: float, source: str, days: int) -> FactCandidate:
        receipt = Receipt("test", "A test says so.", NOW - timedelta(days=days))
        return FactCandidate(Fact.of(company_fields.NAME, name, confidence, receipt), source, source)

    found = [candidate("Found", 0.99, "website", 0), candidate("Found", 0.99, "wikidata", 0)]
    chosen = choose_all([*found, candidate("Ours", 1.0, "manual", 4000)], now=NOW, policy=Policy())

    (value,) = chosen[company_fields.NAME]
    assert (value.best.fact.value, value.because, value.confidence) == ("Ours", "pinned", 1.0)
