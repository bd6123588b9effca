"""Technologies of pages and domains."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from leadflood.domains.enrichment.technologies import (
    PageSigns,
    load_technologies,
    technologies_of_domain,
    technologies_of_page,
    technology_index,
)
from leadflood.domains.enrichment.technologies.signs import InvalidTechnologies


def names(html: str, **headers: str) -> set[str]:
    signs = PageSigns.of(LexborHTMLParser(html), {name.replace("_", "-"): value for name, value in headers.items()})
    return {one.name for one in technologies_of_page(signs, technology_index())}


PAGES: tuple[tuple[str, set[str]], ...] = (
    ('<script src="https://cdn.example/jquery-3.7.1.min.js?ver=1"></script>', {"jQuery"}),
    ('<script src="/js/jquery.min.js"></script>', {"jQuery"}),
    ('<script src="/js/jquery-migrate.min.js"></script>', {"jQuery", "jQuery Migrate"}),
    ('<script src="/js/myjquery.js"></script>', set()),
    ('<script src="/js/jquery.validate.min.js"></script>', set()),
    ('<link rel="stylesheet" href="/css/bootstrap.min.css">', {"Bootstrap"}),
    ('<link rel="alternate" href="/wp-content/x">', set()),
    ('<img src="https://acme.de/wp-content/uploads/a.png">', {"WordPress", "PHP", "MySQL"}),
    ('<meta name="Generator" content="TYPO3 CMS 12.4">', {"TYPO3", "PHP"}),
    ('<meta name="generator" content="Drupal 11 (https://www.drupal.org)">', {"Drupal", "PHP"}),
    ('<meta name="generator" content="not WordPress">', set()),
    ('<script src="//js-eu1.hs-scripts.com/1.js"></script>', {"HubSpot"}),
    ('<script src="https://js.hs-scripts.com.evil.example/1.js"></script>', set()),
    ('<script>(function(){var s="https://static.hotjar.com/c/hotjar-"+h})()</script>', {"Hotjar"}),
    (r'<script>{"u": "https:\/\/widget.intercom.io\/widget\/abc"}</script>', {"Intercom"}),
    ('<script type="application/json">{"u": "https://widget.intercom.io/"}</script>', set()),
    ('<a href="https://widget.intercom.io/">see https://static.hotjar.com/</a>', set()),
    ("<p>We use WordPress, React and jQuery: /wp-content/jquery.js</p>", set()),
    ('<script id="__NEXT_DATA__" type="application/json">{}</script>', {"Next.js", "React"}),
    ('<html data-wf-site="1"><body></body></html>', {"Webflow"}),
    ('<div ng-version="17.0.0"></div>', {"Angular"}),
    ('<iframe src="https://www.youtube.com/embed/1"></iframe>', {"YouTube"}),
    ('<script src="https://www.youtube.com/watch"></script>', set()),
    ("", set()),
    ("<script src></script><link rel=stylesheet><meta name=generator>", set()),
    ('<script src="' + "a/" * 50_000 + '"></script>', set()),
)


def test_signs_in_pages() -> None:
    wrong = [(html[:80], found, names(html)) for html, found in PAGES if names(html) != found]

    assert wrong == []


def test_signs_in_headers_and_cookies() -> None:
    assert names("", server="nginx/1.25.3", x_powered_by="PHP/8.3.1") == {"nginx", "PHP"}
    assert names("", server="cloudflare", cf_ray="1-FRA") == {"Cloudflare"}
    assert names("", x_powered_by="Express") == {"Express", "Node.js"}
    cookies = "PHPSESSID=1; expires=Mon, 01 Jan 2029 00:00:00 GMT; path=/, _ga_ABC=2; Secure"
    assert names("", set_cookie=cookies) == {"PHP", "Google Analytics"}
    assert names("", server="Apache-like server") == set()


def test_services_in_the_records_of_a_domain() -> None:
    found = technologies_of_domain(
        technology_index(),
        txt=[
            "google-site-verification=abc",
            "MS=ms12345678",
            "Atlassian-Domain-Verification=x",
            "v=spf1 -all",
            "",
            "é",
        ],
        spf=["_spf.google.com", "u1.wl.sendgrid.net", "evil-sendgrid.net"],
        mx=["acme-com.mail.protection.outlook.com"],
        ns=["ada.ns.cloudflare.com."],
    )

    assert {one.name for one in found} == {
        "Google Search Console", "Microsoft 365", "Atlassian", "Google Workspace", "SendGrid", "Cloudflare",
    }  # fmt: skip
    assert all(one.quote for one in found)


def test_the_surest_sign_of_a_technology_stays() -> None:
    html = '<img src="/wp-content/a.png"><meta name="generator" content="WordPress 6.5">'
    signs = PageSigns.of(LexborHTMLParser(html), {})
    found = {one.name: one for one in technologies_of_page(signs, technology_index())}

    assert (found["WordPress"].kind, found["WordPress"].quote) == ("generator", "wordpress 6.5")
    assert (found["PHP"].kind, found["PHP"].confidence) == ("implied", 0.7)


def test_the_set_has_at_least_300_technologies_and_no_sign_that_is_too_short() -> None:
    index = technology_index()

    assert len(index.technologies) >= 300
    short = {
        (one.name, sign)
        for one in index.technologies.values()
        for kind in ("hosts", "txt", "spf", "mx")
        for sign in one.signs[kind]
        if len(sign) < 4
    }
    assert short == set()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        '"A" = { hosts = ["a.com"] }',
        '"A" = { category = "a", urls = ["a.com"] }',
        '"A" = { category = "a", hosts = "a.com" }',
        '"A" = { category = "a", hosts = ["A.com"] }',
        '"A" = { category = "a", implies = ["B"] }',
        "A = 1",
    ],
)
def test_a_wrong_file_of_an_operator_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InvalidTechnologies):
        load_technologies(text)
