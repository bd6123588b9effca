"""Found values as people read them."""

import pytest

from leadflood.domains.enrichment.models.fact_fields import FactType, FactValue
from leadflood.web.fact_text import fact_text


@pytest.mark.parametrize(
    ("value", "fact_type", "shown"),
    [
        (4200, FactType.INTEGER, "4,200"),
        (1957, FactType.YEAR, "1957"),
        ("DE", FactType.COUNTRY, "Germany"),
        ("de", FactType.LANGUAGE, "German"),
        ("+49816760877", FactType.PHONE, "+49 8167 60877"),
        ("xn--blbr-roah.dk", FactType.DOMAIN, "blåbær.dk"),
        (False, FactType.BOOLEAN, "No"),
        ("XX", FactType.COUNTRY, "XX"),
        ("xx", FactType.LANGUAGE, "xx"),
        ("many", FactType.INTEGER, "many"),
        (7, FactType.COUNTRY, "7"),
    ],
)
def test_a_value_is_shown_by_the_type_of_its_field(value: FactValue, fact_type: FactType, shown: str) -> None:
    assert fact_text(value, fact_type) == shown
