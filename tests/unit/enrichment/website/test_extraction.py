"""Facts of pages as companies write them."""

import pytest

from leadflood.domains.enrichment.sources.website.extraction import extracted, facts_in
from leadflood.domains.enrichment.sources.website.page import PageField, WebPage
from tests.unit.enrichment.website.reading import URL, facts, values

IMPRINT = """<html lang="de"><title>Impressum | Acme</title><body><h1>Impressum</h1>
<p>Angaben gemäß § 5 DDG</p><p>Acme Werkzeuge GmbH<br>Musterallee 12a<br>10115 Berlin</p>
<p>Vertreten durch: Ada Lovelace</p><p>Telefon: +49 (0)30 901820<br>Telefax: +49 30 901821<br>
E-Mail: kontakt [at] acme [punkt] de</p><p>Registergericht: Amtsgericht Charlottenburg, HRB 12345 B<br>
USt-IdNr.: DE 136 695 976</p><p>Gegründet im Jahr 1987.</p><p>Hosting: Netz AG, Köln</p></body></html>"""


def test_a_german_imprint() -> None:
    found = facts(IMPRINT, url="https://acme.de/impressum", kind="imprint")

    assert values(found, PageField.LEGAL_NAME)[0] == "Acme Werkzeuge GmbH"
    assert values(found, PageField.COMPANY_NAME)[0] in {"Acme", "Acme Werkzeuge"}
    assert values(found, PageField.STREET) == ["Musterallee 12a"]
    assert values(found, PageField.POSTAL_CODE) == ["10115"]
    assert values(found, PageField.CITY) == ["Berlin"]
    assert values(found, PageField.COUNTRY)[0] == "DE"
    assert values(found, PageField.PHONE) == ["+4930901820"], "the fax number is none"
    assert values(found, PageField.EMAIL) == ["kontakt@acme.de"]
    assert values(found, PageField.REGISTER_NUMBER) == ["HRB 12345 B, Amtsgericht Charlottenburg"]
    assert values(found, PageField.VAT_ID) == ["DE136695976"]
    assert values(found, PageField.FOUNDED) == [1987]
    assert values(found, PageField.LANGUAGE) == ["de"]


@pytest.mark.parametrize(
    ("line", "url", "field", "value"),
    [
        (
            "Registered in England and Wales, company number 03977902",
            "https://acme.co.uk",
            PageField.COMPANY_NUMBER,
            "03977902",
        ),
        ("Company No. SC123456", "https://acme.co.uk", PageField.COMPANY_NUMBER, "SC123456"),
        ("VAT Reg No. GB 980 7806 84", "https://acme.co.uk", PageField.VAT_ID, "GB980780684"),
        ("LEI: 5493001KJTIIGC8Y1R12", "https://acme.com", PageField.LEI, "5493001KJTIIGC8Y1R12"),
        ("SAS au capital de 10 000 € - RCS Paris B 732 829 320", "https://acme.fr", PageField.SIREN, "732829320"),
        ("N° SIRET : 732 829 320 00074", "https://acme.fr", PageField.SIRET, "73282932000074"),
        ("TVA intracommunautaire : FR 40 303 265 045", "https://acme.fr", PageField.VAT_ID, "FR40303265045"),
        ("Acme S.r.l. - P. IVA 00743110157 - REA MI-1234567", "https://acme.it", PageField.VAT_ID, "IT00743110157"),
        ("C.I.F.: B-58378431", "https://acme.es", PageField.VAT_ID, "ESB58378431"),
        ("KvK nummer: 12345678", "https://acme.nl", PageField.REGISTER_NUMBER, "KvK 12345678"),
        ("Firmenbuchnummer: FN 122119m", "https://acme.at", PageField.REGISTER_NUMBER, "FN 122119m"),
        ("MWST: CHE-100.155.212 MWST", "https://acme.ch", PageField.REGISTER_NUMBER, "CHE-100.155.212"),
        ("Org.nr: 556703-7485", "https://acme.se", PageField.REGISTER_NUMBER, "SE 5567037485"),
        ("CVR-nr. 13585628", "https://acme.dk", PageField.REGISTER_NUMBER, "CVR 13585628"),
        ("NIP: 856-734-62-15, KRS 0000123456", "https://acme.pl", PageField.VAT_ID, "PL8567346215"),
        ("CIK: 0000320193", "https://acme.com", PageField.CIK, "320193"),
    ],
)
def test_identifiers_of_many_countries(line: str, url: str, field: PageField, value: str) -> None:
    found = facts(f"<body><p>{line}</p>", url=url, kind="imprint")

    assert values(found, field) == [value]


@pytest.mark.parametrize(
    "line",
    [
        "USt-IdNr.: DE123456789",
        "LEI: 5493001KJTIIGC8Y1R13",
        "SIREN 732 829 321",
        "order number 12345678",
        "EN 12345678 is a standard",
        "DE 10115 Berlin",
    ],
)
def test_a_number_with_a_wrong_check_digit_is_at_most_a_weak_sign(line: str) -> None:
    found = [
        fact
        for fact in facts(f"<body><p>{line}</p>", kind="imprint")
        if fact.field in {PageField.VAT_ID, PageField.LEI, PageField.SIREN, PageField.COMPANY_NUMBER}
    ]

    assert all(fact.confidence < 0.5 for fact in found)


def test_contacts_come_from_links_text_and_what_hides_them() -> None:
    code = "1f767179705f7e7c727a317b7a"  # info@acme.de with the key 0x1f
    found = facts(
        f"""<a href="mailto:Sales%40acme.de?subject=x">Mail</a> <a href="tel:+493090182 0">Call</a>
        <span data-cfemail="{code}">[protected]</span> press@acme.de, other@elsewhere.com, team@gmail.com
        logo@2x.png, you@example.com, max.mustermann@acme.de <p>Mobil +49 151 23456789</p>"""
    )

    assert set(values(found, PageField.EMAIL)) == {"sales@acme.de", "info@acme.de", "press@acme.de", "team@gmail.com"}
    assert values(found, PageField.EMAIL)[-1] == "team@gmail.com"
    assert set(values(found, PageField.PHONE)) == {"+4930901820", "+4915123456789"}


def test_a_fax_number_is_no_phone_even_if_it_is_linked() -> None:
    found = facts('<p>Telefax: +49 30 901821</p><a href="tel:+4930901821">call</a><a href="tel:+4930901820">call</a>')

    assert values(found, PageField.PHONE) == ["+4930901820"]


def test_numbers_without_label_are_no_phones() -> None:
    assert values(facts("<p>Order 030 901820, ISBN 978 3 16 148410 0, 2019 - 2024</p>"), PageField.PHONE) == []


def test_structured_data_of_the_owner_wins_over_that_of_others() -> None:
    found = facts(
        """<script type="application/ld+json">[{"@type": "Organization", "name": "Partner AG", "url": "https://partner.com"},
        {"@type": "Corporation", "name": "Acme", "legalName": "Acme GmbH", "url": "https://acme.de", "logo": "/l.png",
        "foundingDate": "1987-05-01", "numberOfEmployees": {"@type": "QuantitativeValue", "value": "1,200"},
        "vatID": "DE136695976", "sameAs": ["https://www.linkedin.com/company/acme/"], "email": "mailto:hi@acme.de",
        "telephone": "+49 30 901820", "address": {"streetAddress": "Allee 1", "addressLocality": "Berlin",
        "postalCode": "10115", "addressCountry": {"@type": "Country", "name": "Germany"}}}]</script>"""
    )

    assert values(found, PageField.COMPANY_NAME) == ["Acme"]
    assert values(found, PageField.LEGAL_NAME) == ["Acme GmbH"]
    assert values(found, PageField.LOGO) == ["https://www.acme.de/l.png"]
    assert values(found, PageField.EMPLOYEES) == [1200]
    assert values(found, PageField.FOUNDED) == [1987]
    assert values(found, PageField.COUNTRY) == ["DE"]
    assert values(found, PageField.PROFILE) == ["https://linkedin.com/company/acme"]
    assert values(found, PageField.EMAIL) == ["hi@acme.de"]


def test_links_to_profiles_are_in_one_spelling_and_share_buttons_are_none() -> None:
    found = facts(
        """<a href="https://www.facebook.com/acme/?ref=x">f</a><a href="//twitter.com/Acme">t</a>
        <a href="https://de.linkedin.com/company/acme-gmbh">l</a><a href="https://linkedin.com/in/ada">Ada</a>
        <a href="https://www.facebook.com/sharer/sharer.php?u=1">s</a><a href="https://twitter.com/intent/tweet">s</a>
        <a href="https://www.youtube.com/watch?v=1">v</a><a href="https://github.com/acme/repo">g</a>
        <a href="https://www.instagram.com/p/abc">p</a>"""
    )

    assert set(values(found, PageField.PROFILE)) == {
        "https://facebook.com/acme",
        "https://x.com/Acme",
        "https://linkedin.com/company/acme-gmbh",
        "https://github.com/acme",
    }


@pytest.mark.parametrize(
    "html",
    [
        "",
        "\x00",
        "<div>" * 5_000,
        "<a href='" + "x" * 100_000 + "'>",
        "<p>" + "1" * 200_000,
        "<p>" + "@" * 50_000,
        "<p>" + "+49 " * 50_000,
        "<p>" + "a@" * 50_000,
        "<p>" + "HRB " * 50_000,
        "<p>" + "© " * 50_000,
        "<p>since " * 20_000,
        "<title>👩‍💻🚀</title>\ud800",
        "<base href='http://[bad'><a href='/about'>About</a>",
        '<script type="application/ld+json">{"@type": "Organization", "name": {"name": [[]]}}</script>',
    ],
    ids=lambda html: html[:20].encode("ascii", "replace").decode(),
)
def test_a_strange_page_is_read_without_an_error(html: str) -> None:
    result = extracted(WebPage.of(URL, html))

    assert facts_in(result) is not None


def test_every_quote_is_on_the_page() -> None:
    page = WebPage.of("https://acme.de/impressum", IMPRINT)
    text = page.text
    found = facts(IMPRINT, url="https://acme.de/impressum", kind="imprint")

    for fact in found:
        if fact.method not in {"domain_suffix", "title", "html_lang"}:
            assert " ".join(fact.quote.split()) in " ".join(text.split()), fact
