"""Fields that can be found: normalized values, and when two values are the same."""

import math

import pytest

from leadflood.domains.enrichment.models import Fact, FactCatalog, FactField, FactValue, Receipt, SubjectKind, is_quoted
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import field_kinds as kinds
from leadflood.domains.enrichment.models import lead_fields as lead
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.kernel.text import InvalidValue
from tests.support import naughty
from tests.support.canned_web import NOW

RECEIPT = Receipt("json_ld", "The page says so.", NOW)
STORED: list[tuple[FactField, FactValue, FactValue]] = [
    (company.DOMAIN, "https://www.Acme.com/about?x=1", "acme.com"),
    (company.DOMAIN, "bücher.example", "xn--bcher-kva.example"),
    (company.DOMAIN, "www.com", "www.com"),
    (company.NAME, "  Acme,\n Inc. ", "Acme, Inc."),
    (company.COUNTRY, "Deutschland", "DE"),
    (company.LANGUAGE, "de-AT", "de"),
    (company.PHONE, "+44 20 7946 0958", "+442079460958"),
    (company.EMPLOYEES, 12.0, 12),
    (company.LEI, "5493 001K JTII GC8Y 1R12", "5493001KJTIIGC8Y1R12"),
    (company.SIREN, "732 829 320", "732829320"),
    (company.VAT_ID, "de 129.273.398", "DE129273398"),
    (company.CIK, "0000320193", "0000320193"),
    (company.WEBSITE, "acme.com", "https://acme.com"),
    (company.TIME_ZONE, "Europe/Berlin", "Europe/Berlin"),
    (lead.EMAIL, "Ada@Acme.COM", "Ada@acme.com"),
]
REFUSED: list[tuple[FactField, FactValue]] = [
    (company.NAME, ""),
    (company.NAME, "\u200b "),
    (company.NAME, 7),
    (company.NAME, "x" * 301),
    (company.DOMAIN, "localhost"),
    (company.DOMAIN, "127.0.0.1"),
    (company.COUNTRY, "Atlantis"),
    (company.LANGUAGE, "klingon"),
    (company.LANGUAGE, "zz"),
    (company.PHONE, "020 7946 0958"),
    (company.EMPLOYEES, -1),
    (company.EMPLOYEES, 1.5),
    (company.EMPLOYEES, math.nan),
    (company.EMPLOYEES, True),
    (company.FOUNDED, 12),
    (company.LEI, "5493001KJTIIGC8Y1R13"),
    (company.SIREN, "732829321"),
    (company.PARKED, "yes"),
    (company.DMARC, "maybe"),
    (company.TIME_ZONE, "Berlin"),
    (lead.EMAIL, "ada"),
]
SAME = [
    (company.NAME, "ACME Inc.", "Acme"),
    (company.WEBSITE, "http://www.acme.com", "https://acme.com/"),
    (company.CIK, "0000320193", "320193"),
    (company.INDUSTRY, "Software & IT", "software   it"),
    (lead.EMAIL, "Ada@acme.com", "ada@ACME.com"),
]


def test_values_are_stored_in_their_normalized_form() -> None:
    for field, raw, stored in STORED:
        fact = Fact.of(field, raw, 0.9, RECEIPT)
        assert (fact.value, type(fact.value)) == (stored, type(stored)), field
        assert Fact.of(field, fact.value, 0.9, RECEIPT) == fact, field


def test_what_is_no_value_of_a_field_is_refused() -> None:
    for field, raw in REFUSED:
        with pytest.raises(InvalidValue):
            Fact.of(field, raw, 0.9, RECEIPT)


def test_spellings_of_one_value_have_one_key() -> None:
    for field, one, other in SAME:
        assert Fact.of(field, one, 0.9, RECEIPT).key == Fact.of(field, other, 0.9, RECEIPT).key, field
    assert Fact.of(company.NAME, "Acme", 0.9, RECEIPT).key != Fact.of(company.NAME, "Emca", 0.9, RECEIPT).key
    assert Fact.of(company.NAME, "!!!", 0.9, RECEIPT).key != Fact.of(company.NAME, "???", 0.9, RECEIPT).key


@naughty.texts
def test_whatever_a_page_has_is_stored_or_refused(texts: naughty.Texts) -> None:
    for text in texts():
        for field in (*COMPANY_FIELDS, *PERSON_FIELDS):
            try:
                fact = Fact.of(field, text, 0.5, RECEIPT)
            except InvalidValue:
                continue
            str(fact.value).encode("utf-8")
            assert fact.key


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_a_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Fact.of(company.NAME, "Acme", confidence, RECEIPT)


def test_two_fields_cannot_share_a_name() -> None:
    catalog = FactCatalog(SubjectKind.COMPANY)
    catalog.add("name", "Name", kinds.TEXT, days=1)

    with pytest.raises(ValueError, match="called name"):
        catalog.add("name", "Other", kinds.TEXT, days=1)


def test_a_quote_is_in_its_page_however_it_is_spaced() -> None:
    assert is_quoted("Acme\n  GmbH", "Impressum: Acme GmbH, Berlin")
    assert not is_quoted("Acme AG", "Impressum: Acme GmbH, Berlin")
    assert not is_quoted("  ", "Impressum")
