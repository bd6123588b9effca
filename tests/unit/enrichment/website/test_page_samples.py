"""Pages of metascraper, readability and extruct against what these read."""

import gzip
from collections import Counter
from typing import Any

import pytest

from leadflood.domains.enrichment.sources.website.metadata import metadata_of, publisher_of
from leadflood.domains.enrichment.sources.website.organizations import organizations_in
from leadflood.domains.enrichment.sources.website.page import WebPage
from leadflood.domains.enrichment.sources.website.profiles import profile_of
from tests.support.samples import SAMPLES, rows

pytestmark = pytest.mark.samples

EXPLAINED = {
    ("metascraper-npr", "title"): "the page has two og:title; extruct keeps the last, metascraper and we the first",
}


def folded(text: object) -> str:
    return " ".join(str(text or "").split())


def opened(row: dict[str, Any]) -> WebPage:
    return WebPage.of(row["url"], gzip.decompress((SAMPLES / row["input"]).read_bytes()).decode("utf-8", "replace"))


def metadata(page: WebPage) -> dict[str, str]:
    found: dict[str, str] = {}
    for fact in metadata_of(page):
        found.setdefault(fact.field.value, str(fact.value))
    publisher = publisher_of(page)
    return {**found, "publisher": str(publisher.value) if publisher else "", "lang": found.get("language", "")}


def test_titles_descriptions_organizations_and_profiles_are_those_of_extruct() -> None:
    missed = set()
    for row in rows("web/structured.jsonl"):
        page, expected = opened(row), row["expected"]
        found, graph = metadata(page), expected["opengraph"]
        wanted = {
            "title": graph.get("og:title") or expected["title"],
            "description": graph.get("og:description") or expected["description"],
        }
        missed |= {(row["id"], name) for name, text in wanted.items() if text and folded(text) != found.get(name)}
        mine = {one.name: one for one in organizations_in(page)}
        for theirs in expected["organizations"]:
            one = mine.get(theirs["name"])
            same = one is not None and {*theirs["sameAs"]} <= {*one.same_as}
            if (
                not same
                or one is None
                or (theirs["url"] or one.url) != one.url
                or (theirs["logo"] or one.logo) != one.logo
            ):
                missed.add((row["id"], f"organization {theirs['name']}"))
        linked = {profile[1].casefold() for url, _ in page.links if (profile := profile_of(url))}
        theirs_linked = {profile[1].casefold() for url in expected["social_links"] if (profile := profile_of(url))}
        missed |= {(row["id"], url) for url in theirs_linked - linked}

    assert missed == set(EXPLAINED)


def test_metadata_is_right_at_least_as_often_as_opengraph_then_title() -> None:
    """Figures of the run in which this was written: title 20/20, description 17/17, image 19/18, publisher 18/14,
    language 19/18, of 22, 22, 22, 21 and 19. Most misses are curly quotation marks that metascraper makes itself."""
    ours: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for row in rows("web/metascraper.jsonl"):
        page = opened(row)
        found, meta = metadata(page), page.meta
        title = page.tree.css_first("title")
        root = page.tree.css_first("html")
        simple = {
            "title": meta.get("og:title", [title.text() if title else ""])[0],
            "description": meta.get("og:description", meta.get("description", [""]))[0],
            "image": meta.get("og:image", [""])[0],
            "publisher": meta.get("og:site_name", [""])[0],
            "lang": ((root.attributes.get("lang") if root else "") or "")[:2],
        }
        for name, text in simple.items():
            wanted = folded(row["expected"].get(name))
            ours[name] += bool(wanted) and folded(found.get(name)) == wanted
            plain[name] += bool(wanted) and folded(text) == wanted

    assert all(ours[name] >= plain[name] for name in plain), (ours, plain)
    assert sum(ours.values()) >= sum(plain.values()) + 6, (ours, plain)


def test_languages_and_site_names_are_those_of_readability() -> None:
    for row in rows("web/readability.jsonl"):
        found = metadata(opened(row))
        if row["expected"]["lang"]:
            assert found["lang"] == row["expected"]["lang"][:2], row["id"]
        if row["expected"]["siteName"]:
            assert found["publisher"], row["id"]


def test_data_blocks_are_those_of_extruct() -> None:
    for row in rows("web/extruct.jsonl"):
        if row["syntax"] == "json-ld":
            items = [dict(item.data) for item in opened(row).items if item.method == "json_ld"]
            assert all(each in items for each in row["expected"]), row["id"]
