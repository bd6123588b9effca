"""Websites of the demo's companies, rendered on request, and their records in the DNS."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from typing import Final

from leadflood.demo.internet.dns_server import Zone
from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.world import DemoCompany, companies, company_of

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": {
        "about": "Über uns",
        "imprint": "Impressum",
        "contact": "Kontakt",
        "text": "{name} aus {city}: {industry} seit {founded}.",
    },
    "en": {
        "about": "About us",
        "imprint": "Legal notice",
        "contact": "Contact",
        "text": "{name} of {city}: {industry} since {founded}.",
    },
    "fr": {
        "about": "À propos",
        "imprint": "Mentions légales",
        "contact": "Contact",
        "text": "{name} à {city} : {industry} depuis {founded}.",
    },
    "es": {
        "about": "Sobre nosotros",
        "imprint": "Aviso legal",
        "contact": "Contacto",
        "text": "{name} de {city}: {industry} desde {founded}.",
    },
    "it": {
        "about": "Chi siamo",
        "imprint": "Note legali",
        "contact": "Contatti",
        "text": "{name} di {city}: {industry} dal {founded}.",
    },
    "nl": {
        "about": "Over ons",
        "imprint": "Juridische informatie",
        "contact": "Contact",
        "text": "{name} uit {city}: {industry} sinds {founded}.",
    },
    "sv": {
        "about": "Om oss",
        "imprint": "Juridisk information",
        "contact": "Kontakt",
        "text": "{name} i {city}: {industry} sedan {founded}.",
    },
    "pl": {
        "about": "O nas",
        "imprint": "Nota prawna",
        "contact": "Kontakt",
        "text": "{name}, {city}: {industry} od {founded}.",
    },
}
"""Words of the pages, by language."""

_STATES: Final[Mapping[str, str]] = {"Austin": "TX", "Denver": "CO", "Boston": "MA"}
_LABELS: Final[Mapping[str, str]] = {
    "vat": "VAT",
    "siren": "SIREN",
    "lei": "LEI",
    "cik": "CIK",
    "company_number": "Company number",
}
_SCRIPTS: Final[Mapping[str, str]] = {
    "WordPress": '<meta name="generator" content="WordPress 7.0"><script src="/wp-includes/js/wp.js"></script>',
    "Shopify": '<script src="https://cdn.shopify.com/s/files/theme.js"></script>',
    "Next.js": '<script id="__NEXT_DATA__" type="application/json">{}</script>',
    "Drupal": '<meta name="generator" content="Drupal 11 (https://www.drupal.org)">',
    "TYPO3": '<meta name="generator" content="TYPO3 CMS">',
    "Matomo": '<script src="https://matomo.example/matomo.js"></script>',
    "HubSpot": '<script src="https://js.hs-scripts.com/123456.js"></script>',
    "Google Analytics": '<script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>',
    "Bootstrap": '<link rel="stylesheet" href="/bootstrap.min.css">',
    "jQuery": '<script src="/jquery-3.7.1.min.js"></script>',
}
_SERVERS: Final = ("nginx", "Cloudflare")


def zone_of_companies() -> Zone:
    """Addresses, mail servers and texts of all companies."""
    records: dict[tuple[str, str], tuple[str, ...]] = {}
    for company in companies():
        domain = company.domain
        records[domain, "A"] = (company.address,)
        records[f"www.{domain}", "CNAME"] = (f"{domain}.",)
        records[domain, "MX"] = (f"10 {company.mail}.",)
        records[domain, "TXT"] = (f'"v=spf1 include:{company.mail} ~all"',)
        records[f"_dmarc.{domain}", "TXT"] = ('"v=DMARC1; p=quarantine"',)
    return Zone(records)


def page_of(request: Received) -> SitePage | None:
    """The page of a company's website; None if the host belongs to no company."""
    company = company_of(request.host.partition(":")[0])
    if company is None:
        return None
    if request.path == "/robots.txt":
        return SitePage(b"User-agent: *\nDisallow: /admin\n", content_type="text/plain")
    words = WORDS[company.language]
    bodies = {
        "/": words["text"].format_map(asdict(company)),
        "/about": f"{company.employees} · {company.industry}",
        "/imprint": _imprint(company),
        "/contact": f"{company.phone} · info@{company.domain}",
    }
    body = bodies.get(request.path.partition("?")[0])
    if body is None:
        return SitePage(b"Not found", 404, content_type="text/plain")
    servers = [name for name in company.technologies if name in _SERVERS]
    headers = {"server": servers[0].lower()} if servers else {}
    return SitePage(_html(company, body).encode(), headers=headers)


def _imprint(company: DemoCompany) -> str:
    labels = {**_LABELS, "register": "Org.nr" if company.country == "SE" else ""}
    numbers = [f"{labels.get(kind, '')} {number}".strip() for kind, number in company.identifiers.items()]
    return " · ".join([company.legal_name, company.street, _city_line(company), *numbers])


def _city_line(company: DemoCompany) -> str:
    """Postal code and city in the order of the country."""
    if company.country == "US":
        return f"{company.city}, {_STATES[company.city]} {company.postal_code}"
    if company.country == "GB":
        return f"{company.city} {company.postal_code}"
    return f"{company.postal_code} {company.city}"


def _html(company: DemoCompany, body: str) -> str:
    words = WORDS[company.language]
    links = "".join(f'<a href="/{name}">{escape(words[name])}</a> ' for name in ("about", "imprint", "contact"))
    scripts = "".join(_SCRIPTS.get(name, "") for name in company.technologies)
    return (
        f'<!doctype html><html lang="{company.language}"><head><meta charset="utf-8">'
        f"<title>{escape(company.name)}</title>{_markup(company)}{scripts}</head><body><nav>{links}</nav><main><p>{escape(body)}</p>{_items(company)}</main>"
        "</body></html>"
    )


def _markup(company: DemoCompany) -> str:
    """The description in the head of a page, in one of the ways in which websites have it."""
    home = f"https://{company.domain}/"
    if company.markup in {"json-ld", "broken-json-ld"}:
        address = {"@type": "PostalAddress", "addressLocality": company.city, "addressCountry": company.country}
        data = {"@context": "https://schema.org", "@type": "Organization", "name": company.name, "url": home}
        text = json.dumps({**data, "legalName": company.legal_name, "address": address, **_ids(company)})
        broken = "/* organization */ " + text + ";" if company.markup == "broken-json-ld" else text
        return f'<script type="application/ld+json">{broken}</script>'
    if company.markup == "opengraph":
        return (
            f'<meta property="og:site_name" content="{escape(company.name)}"><meta property="og:url" content="{home}">'
            f'<meta property="og:description" content="{escape(company.industry)}">'
        )
    if company.markup == "meta":
        return f'<meta name="description" content="{escape(company.name)}, {escape(company.industry)}">'
    return ""


def _ids(company: DemoCompany) -> dict[str, str]:
    names = {"vat": "vatID", "lei": "leiCode"}
    return {names[kind]: number for kind, number in company.identifiers.items() if kind in names}


def _items(company: DemoCompany) -> str:
    if company.markup != "microdata":
        return ""
    return (
        '<div itemscope itemtype="https://schema.org/Organization">'
        f'<span itemprop="name">{escape(company.name)}</span><span itemprop="telephone">{company.phone}</span></div>'
    )
