"""The website source: the pages that it reads, and what it says of those that it cannot."""

import asyncio
from dataclasses import replace

import pytest

from leadflood.domains.enrichment.models import Away, FetchedPage, Found, Missed, Refused
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.models.aliases import RedirectSign
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.kernel.door.errors import (
    CertificateRejected,
    ConnectFailed,
    DoorError,
    NameNotFound,
    RobotsRefused,
    TimedOut,
)
from leadflood.kernel.door.replies import FollowedRedirect
from tests.support.canned_web import CannedFetcher, page
from tests.unit.enrichment.sources.asking import ask, facts_of, question, values

ACME = {fields.DOMAIN: "acme.de"}
HOME = """<html lang="de"><title>Acme | Werkzeuge</title><meta name="description" content="Werkzeuge aus Berlin">
<script src="/wp-includes/js/wp.js"></script><a href="/impressum">Impressum</a><a href="/ueber-uns">Über uns</a>
<a href="/kontakt">Kontakt</a><a href="/preise">Preise</a><a href="/karriere">Karriere</a><p>Willkommen bei Acme, wir
bauen Werkzeuge.</p></html>"""
IMPRINT = """<title>Impressum</title><meta name='description' content='Unser Impressum'>
<p>Acme GmbH<br>Allee 1<br>10115 Berlin</p><p>USt-IdNr. DE136695976</p>"""
SITE = {
    "https://acme.de/": HOME,
    "https://acme.de/impressum": IMPRINT,
    "https://acme.de/ueber-uns": "<p>Gegründet 1987.</p>",
    "https://acme.de/kontakt": "<p>Telefon: +49 30 901820, info@acme.de</p>",
}


async def test_four_pages_are_read_and_each_value_has_its_page() -> None:
    fetcher = CannedFetcher(SITE)
    facts = await facts_of(Website(), ACME, fetcher)

    assert fetcher.asked == [f"https://acme.de/{path}" for path in ("", "impressum", "ueber-uns", "kontakt")]
    assert values(facts, fields.NAME) == ["Acme"]
    assert values(facts, fields.LEGAL_NAME)[0] == "Acme GmbH"
    assert values(facts, fields.DESCRIPTION) == ["Werkzeuge aus Berlin"], "that of the imprint describes the imprint"
    assert values(facts, fields.VAT_ID) == ["DE136695976"]
    assert values(facts, fields.PHONE) == ["+4930901820"]
    assert values(facts, fields.FOUNDED) == [1987]
    assert values(facts, fields.LEGAL_PAGE) == ["https://acme.de/impressum"]
    assert values(facts, fields.PRICING_PAGE) == ["https://acme.de/preise"]
    assert "WordPress" in values(facts, fields.TECHNOLOGY)
    receipts = {fact.field: fact.receipt for fact in facts}
    assert receipts[fields.VAT_ID].source_url == "https://acme.de/impressum"
    assert receipts[fields.VAT_ID].quote == "USt-IdNr. DE136695976"
    assert receipts[fields.VAT_ID].evidence == "It is written on the page, and has no typo as far as its digits show."
    assert all(fact.receipt.evidence for fact in facts)


async def test_the_texts_of_pages_are_passed_on_but_for_those_that_the_site_reserves() -> None:
    home = page("https://acme.de/", HOME)
    imprint = replace(page("https://acme.de/impressum", IMPRINT), reserved_from_models=True)
    fetcher = CannedFetcher({**SITE, "https://acme.de/": home, "https://acme.de/impressum": imprint})

    answer = await ask(Website(), ACME, fetcher)

    assert isinstance(answer, Found)
    assert [read.url for read in answer.pages] == [f"https://acme.de/{path}" for path in ("", "ueber-uns", "kontakt")]
    assert answer.pages[1].text == "Gegründet 1987.\n"
    assert values([*answer.facts], fields.VAT_ID) == ["DE136695976"], "facts are read from all pages"


async def test_a_site_without_encryption_or_only_with_www_is_found() -> None:
    broken = ConnectFailed("The server refused the connection or is not reachable.")
    fetcher = CannedFetcher({"https://acme.de/": broken, "https://www.acme.de/": HOME})
    assert values(await facts_of(Website(), ACME, fetcher), fields.WEBSITE) == ["https://www.acme.de"]

    plain = CannedFetcher(
        {"https://acme.de/": broken, "https://www.acme.de/": NameNotFound("x"), "http://acme.de/": HOME}
    )
    assert values(await facts_of(Website(), ACME, plain), fields.WEBSITE) == ["http://acme.de"]


@pytest.mark.parametrize(
    "error",
    [
        CertificateRejected("acme.de's certificate expired on 3 May.", "expired"),
        RobotsRefused("acme.de does not allow programs to read this page."),
        TimedOut("acme.de took too long."),
        Away("acme.de has a problem of its own (error 503)."),
    ],
)
async def test_a_home_page_that_fails_fails_the_question_and_no_other_address_is_tried(error: Exception) -> None:
    fetcher = CannedFetcher({"https://acme.de/": error})

    with pytest.raises(type(error)):
        await ask(Website(), ACME, fetcher)
    assert fetcher.asked == ["https://acme.de/"]


async def test_what_is_no_website_is_said_in_a_sentence() -> None:
    missing = await ask(Website(), ACME, CannedFetcher())
    empty = await ask(Website(), ACME, CannedFetcher({"https://acme.de/": "<div id=app></div>"}))
    forbidden = CannedFetcher({"https://acme.de/": page("https://acme.de/", "", status=403)})

    assert isinstance(missing, Missed)
    assert missing.reason == "acme.de has no home page (error 404)."
    assert isinstance(empty, Found)
    assert empty.note == "acme.de shows its text only in a browser, so little could be read."
    with pytest.raises(Refused, match="does not let programs read its pages"):
        await ask(Website(), ACME, forbidden)


@pytest.mark.parametrize(
    "found",
    [
        page("https://acme.de/", "<h1>This domain is for sale</h1>"),
        page("https://www.sedoparking.com/acme.de", "<p>Links</p>"),
        page("https://acme.de/", "<title>Welcome to nginx!</title><p>If you see this page, it works."),
    ],
)
async def test_a_parked_domain_is_no_company(found: FetchedPage) -> None:
    fetcher = CannedFetcher({"https://acme.de/": found})
    answer = await ask(Website(), ACME, fetcher)

    assert isinstance(answer, Found)
    assert [(fact.field, fact.value) for fact in answer.facts] == [(fields.PARKED, True)]
    assert answer.note.startswith("acme.de is parked: ")


async def test_another_page_that_fails_is_noted_and_the_rest_is_kept() -> None:
    fetcher = CannedFetcher({**SITE, "https://acme.de/impressum": TimedOut("acme.de took too long.")})
    answer = await ask(Website(), ACME, fetcher)

    assert isinstance(answer, Found)
    assert answer.note == "/impressum could not be read: acme.de took too long."
    assert values([*answer.facts], fields.PHONE) == ["+4930901820"]


async def test_a_redirect_to_another_domain_lowers_the_confidence_and_is_noted() -> None:
    home = replace(page("https://acme.de/", HOME), url="https://acme.com/")
    answer = await ask(Website(), ACME, CannedFetcher({"https://acme.de/": home}))

    assert isinstance(answer, Found)
    assert answer.note.startswith("acme.de redirects to acme.com.")
    assert max(fact.confidence for fact in answer.facts) <= 0.85


def redirected(status: int, head: str, to: str = "https://acme.com/", body: str = "") -> FetchedPage:
    """The home page of acme.de, which redirects."""
    hops = (FollowedRedirect("https://acme.de/", 302, "https://www.acme.de/"),
            FollowedRedirect("https://www.acme.de/", status, to))  # fmt: skip
    html = HOME.replace("<title>", f"{head}<title>").replace("</html>", f"{body}</html>")
    return replace(page("https://acme.de/", html), url=to, redirects=hops)


@pytest.mark.parametrize(
    ("home", "sign"),
    [
        (redirected(301, "<link rel=alternate hreflang=de href=https://www.acme.de/>"), RedirectSign.NAMED),
        (redirected(308, "", body="<a href=mailto:info@acme.de>Mail</a>"), RedirectSign.NAMED),
        (redirected(301, "<link rel=canonical href=https://acme.com/>"), RedirectSign.SAME_NAME),
        (redirected(301, "<meta property=og:url content=https://www.acme.com/de>"), RedirectSign.SAME_NAME),
        (
            redirected(301, "<link rel=canonical href=https://bigcorp.com/>", "https://bigcorp.com/"),
            RedirectSign.ALONE,
        ),
        (redirected(301, ""), RedirectSign.ALONE),
        (redirected(302, "<link rel=canonical href=https://acme.com/>"), None),
        (redirected(301, "", "https://www.facebook.com/acme"), None),
        (redirected(301, "", "https://shop.acme.de/"), None),
    ],
)
async def test_a_permanent_redirect_is_a_fact_with_the_signs_that_confirm_it(
    home: FetchedPage, sign: RedirectSign | None
) -> None:
    facts = await facts_of(Website(), ACME, CannedFetcher({"https://acme.de/": home}))

    found = [fact for fact in facts if fact.field is fields.REDIRECTS_TO]
    assert [(fact.value, fact.receipt.method) for fact in found] == (
        [(home.url.removeprefix("https://").strip("/"), sign)] if sign else []
    )
    assert all("redirects there permanently" in fact.receipt.evidence for fact in found)


async def test_pages_that_redirect_to_others_are_left_out() -> None:
    other = replace(page("https://acme.de/impressum", "<p>USt-IdNr. DE136695976</p>"), url="https://other.example/")
    facts = await facts_of(Website(), ACME, CannedFetcher({**SITE, "https://acme.de/impressum": other}))

    assert values(facts, fields.VAT_ID) == []


class _Slow(CannedFetcher):
    async def page(self, url: str) -> FetchedPage:
        if url != "https://acme.de/":
            await asyncio.Event().wait()
        return await super().page(url)


async def test_what_was_read_before_the_time_was_over_is_kept() -> None:
    source = Website()
    answer = await source.ask(question(source, ACME, seconds=4.05), _Slow(SITE))

    assert isinstance(answer, Found)
    assert answer.note == "There was no time for its other pages."
    assert values([*answer.facts], fields.NAME) == ["Acme"]


async def test_a_host_that_does_not_exist_is_named_once() -> None:
    missing: dict[str, Exception] = {
        url: NameNotFound("acme.de does not exist.")
        for url in ("https://acme.de/", "https://www.acme.de/", "http://acme.de/")
    }

    with pytest.raises(DoorError, match="does not exist"):
        await ask(Website(), ACME, CannedFetcher(missing))
