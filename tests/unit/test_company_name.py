"""Names of companies as they are compared."""

import pytest

from leadflood.kernel.company_name import company_key
from tests.support.samples import rows


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Acme Corporation, Inc.", "acme"),
        ("ACME", "acme"),
        ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
        ("Co", "co"),
        ("S.A.", "sa"),
        ("Holding AG", "holding"),
        ("L'Oréal S.A.", "loreal"),
        ("AT&T", "at and t"),
        ("St. Pauli", "st pauli"),
        ("E.ON SE", "eon"),
        ("U.S. Steel", "us steel"),
        ("Y Combinator", "y combinator"),
        ("Ernst & Young", "ernst and young"),
        ("...", ""),
        ("\U0001f680", ""),
    ],
)
def test_a_company_is_known_without_its_legal_form(name: str, key: str) -> None:
    assert company_key(name) == key


@pytest.mark.parametrize(
    "form",
    [
        "P.C.", "Inc", "Inc.", "L.L.C.", "LLC", "PLLC", "Corp.", "Co., Ltd.", "Limited Partnership",  # US
        "Ltd", "Limited", "plc", "L.L.P.", "Public Limited Company",  # GB, IE
        "GmbH", "G.m.b.H.", "AG", "e.K.", "e. V.", "UG (haftungsbeschränkt)", "GmbH & Co. KG", "mbH", "GbR",  # DE, AT
        "A/S", "ApS", "I/S", "AS", "ASA", "AB", "AB (publ)", "Oy", "Oyj", "Oy Ab", "ehf.",  # DK, NO, SE, FI, IS
        "spółka z o.o.", "Sp. z o.o.", "sp. z o. o.", "S.A.", "sp.k.", "Spółka z ograniczoną odpowiedzialnością",  # PL
        "s.r.o.", "spol. s r.o.", "s. r. o.", "a.s.", "v.o.s.",  # CZ, SK
        "Kft.", "Zrt.", "Bt.", "Nyrt.", "d.o.o.", "d. o. o.", "d.d.", "EOOD", "ООД",  # HU, HR, SI, RS, BG
        "S.R.L.", "S.p.A.", "S. p. A.", "S.n.c.", "s.r.l.s.", "Società per azioni",  # IT
        "SARL", "S.à r.l.", "SAS", "SASU", "EURL", "S.C.I.",  # FR, LU
        "S.L.", "S. L.", "S.L.U.", "Sociedad Limitada", "Lda.", "Unipessoal, Lda.",  # ES, PT
        "Ltda.", "LTDA - ME", "S/A", "EIRELI", "S.A. de C.V.", "S. de R.L. de C.V.", "S.A.S.", "SpA",  # BR, MX, CO, CL
        "B.V.", "BV", "N.V.", "VOF", "BVBA", "SPRL", "NV/SA",  # NL, BE
        "A.Ş.", "Ltd. Şti.", "Anonim Şirketi",  # TR
        "Pty Ltd", "(Pty) Ltd", "Pvt. Ltd.", "Private Limited", "Pte. Ltd.", "Sdn. Bhd.", "Tbk",  # AU, ZA, IN, SG, MY
        "OÜ", "UAB", "SIA", "ООО", "ЗАО", "ТОВ", "K.K.", "Co. Ltd", "FZ-LLC", 'בע"מ', "(주)",  # EE, LT, LV, RU, UA, …
    ],
)  # fmt: skip
def test_the_legal_forms_of_many_countries_are_no_part_of_a_name(form: str) -> None:
    assert company_key(f"Acme Works {form}") == "acme works"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ООО «Ромашка»", "ромашка"),
        ("UAB Vilniaus prekyba", "vilniaus prekyba"),
        ("SIA Acme", "acme"),
        ("PT Astra International Tbk", "astra international"),
        ("株式会社アクメ", "アクメ"),
        ("トヨタ自動車株式会社", "トヨタ自動車"),
        ("北京字节跳动科技有限公司", "北京字节跳动科技"),
        ("삼성전자(주)", "삼성전자"),
        ("주식회사 카카오", "카카오"),
    ],
)
def test_a_legal_form_may_stand_before_the_name_or_be_written_with_it(name: str, key: str) -> None:
    assert company_key(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Draw.io", "draw"),
        ("draw.io Ltd", "draw"),
        ("Customer.io, Inc.", "customer"),
        ("Booking.com B.V.", "booking"),
        ("Character.AI", "character"),
        ("Müller.de", "muller"),
        ("Argos.co.uk", "argos"),
        ("Node.js Foundation", "nodejs foundation"),
        ("A.I. Works", "ai works"),
    ],
)
def test_a_domain_as_a_name_is_known_by_its_label(name: str, key: str) -> None:
    assert company_key(name) == key


@pytest.mark.samples
@pytest.mark.parametrize("sample", ["names/cleanco.jsonl", "names/probablepeople_company.jsonl"])
def test_names_of_the_samples_are_those_without_their_forms(sample: str) -> None:
    named = [row for row in rows(sample) if row["expected"].get("base")]

    assert [row["input"] for row in named if company_key(row["input"]) != company_key(row["expected"]["base"])] == []
