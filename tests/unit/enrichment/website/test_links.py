"""Links to the pages that say most about a company."""

import pytest

from leadflood.domains.enrichment.sources.website.links import LinkKind, links_in, pages_to_read
from leadflood.domains.enrichment.sources.website.page import WebPage

HOME = "https://acme.de/"


@pytest.mark.parametrize(
    ("kind", "links"),
    [
        (
            LinkKind.ABOUT,
            [("/ueber-uns", "Über uns"), ("/about", "About us"), ("/a-propos", "À propos"), ("/x", "Quiénes somos"),
             ("/chi-siamo", ""), ("/over-ons/", "Over ons"), ("/y", "Quem somos"), ("/om-oss", "Om oss"),
             ("/z", "Tietoa meistä"), ("/o-nas.html", "O nas"), ("/v", "O společnosti"), ("/w", "Om virksomheden")],
        ),
        (
            LinkKind.IMPRINT,
            [("/impressum", "Impressum"), ("/mentions-legales", ""), ("/x", "Aviso legal"), ("/y", "Note legali"),
             ("/legal-notice", ""), ("/z", "Colofon"), ("/de/impressum/", "")],
        ),
        (
            LinkKind.CONTACT,
            [("/kontakt", "Kontakt"), ("/x", "Contactez-nous"), ("/y", "Contáctanos"), ("/contatti", ""),
             ("/z", "Fale conosco"), ("/v", "Yhteystiedot"), ("/en/contact-us", "")],
        ),
        (
            LinkKind.PRICING,
            [("/preise", "Preise"), ("/x", "Nos tarifs"), ("/precios", ""), ("/y", "Prezzi"), ("/cennik", ""),
             ("/pricing", "Pricing")],
        ),
        (
            LinkKind.CAREERS,
            [("/karriere", "Karriere"), ("/x", "Nous rejoindre"), ("/y", "Trabaja con nosotros"), ("/jobs", "Jobs"),
             ("/z", "Vacatures"), ("/v", "Lediga jobb"), ("/praca", "Praca")],
        ),
    ],
)  # fmt: skip
def test_links_are_recognized_in_twelve_languages(kind: LinkKind, links: list[tuple[str, str]]) -> None:
    for path, label in links:
        found = links_in(WebPage.of(HOME, f'<a href="{path}">{label}</a>'))
        assert [link.kind for link in found if link.score >= 0.5] == [kind], (path, label)


@pytest.mark.parametrize(
    ("href", "label"),
    [
        ("https://other.com/about", "About us"),
        ("/about?page=2", "About"),
        ("/about.pdf", "About"),
        ("javascript:about()", "About"),
        ("/blog/2024/05/we-talk-about-pricing-and-contact", "We talk about pricing and how to contact everyone here"),
        ("/", "Home"),
        ("", ""),
    ],
)
def test_other_links_are_not_followed(href: str, label: str) -> None:
    found = links_in(WebPage.of(HOME, f'<a href="{href}">{label}</a>'))

    assert pages_to_read(found, HOME, most=3) == []


def test_imprint_about_and_contact_are_read_first() -> None:
    links = "".join(f'<a href="/{name}">{name}</a>' for name in ("pricing", "jobs", "contact", "about", "impressum"))
    found = links_in(WebPage.of(HOME, links))

    assert pages_to_read(found, HOME, most=3) == [f"{HOME}impressum", f"{HOME}about", f"{HOME}contact"]
