"""JSON-LD and microdata: what pages have, and what they have wrong."""

import pytest

from leadflood.domains.enrichment.sources.website.json_ld import nodes_in, values_in
from leadflood.domains.enrichment.sources.website.organizations import organizations_in
from leadflood.domains.enrichment.sources.website.page import WebPage

ACME = {"@type": "Organization", "name": "Acme"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"@type": "Organization", "name": "Acme"}', [ACME]),
        ('<!-- {"@type": "Organization", "name": "Acme"} -->', [ACME]),
        ('//<![CDATA[\n{"@type": "Organization", "name": "Acme"}\n//]]>', [ACME]),
        ('/* a */ {"@type": "Organization", // b\n "name": "Acme",};', [ACME]),
        ('{"@type": "Organization", "name": "Acme"} {"name": "B"}', [ACME, {"name": "B"}]),
        ('[{"@type": "Organization", "name": "Acme",},]', [[ACME]]),
        ('{"name": "a\nb\tc"}', [{"name": "a\nb\tc"}]),
        ('{"name": "http://acme.de/* no comment */, ] }"}', [{"name": "http://acme.de/* no comment */, ] }"}]),
        ('{"name": "an \\" // escaped \\" one",}', [{"name": 'an " // escaped " one'}]),
        ("{&quot;name&quot;: &quot;Acme&quot;}", [{"name": "Acme"}]),
        ('{"name": "cut', []),
        ("", []),
        ("null", [None]),
        ("[" * 100_000, []),
        ('{"a":' * 100_000, []),
        ("x" * 1_000_001, []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_values_are_read_from_what_is_not_quite_json(text: str, found: list[object]) -> None:
    assert values_in(text) == found


def test_nodes_are_limited_and_need_no_recursion() -> None:
    deep: dict[str, object] = {"name": "last"}
    for _ in range(5000):
        deep = {"inner": deep}

    assert len(list(nodes_in([deep]))) == 2000
    assert [node["name"] for node in nodes_in([{"name": "a", "x": [{"name": "b"}, {"name": "c"}]}])] == ["a", "b", "c"]


def test_references_by_id_are_followed() -> None:
    page = WebPage.of(
        "https://acme.de/",
        """<script type="application/ld+json">{"@graph": [
        {"@type": "Organization", "@id": "#o", "name": "Acme", "logo": {"@id": "#l"}},
        {"@type": "ImageObject", "@id": "#l", "url": "/logo.png"}]}</script>""",
    )

    assert [(one.name, one.logo) for one in organizations_in(page)] == [("Acme", "https://acme.de/logo.png")]


def test_microdata_gives_what_json_ld_would() -> None:
    page = WebPage.of(
        "https://acme.de/a/",
        """<div itemscope itemtype="https://schema.org/LocalBusiness" itemref="more">
        <h1 itemprop="name">Acme  <b>GmbH</b></h1><a itemprop="url" href="/">x</a>
        <div itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">
          <span itemprop="addressLocality">Köln</span></div>
        <meta itemprop="foundingDate" content="1998"><link itemprop="sameAs" href="https://x.com/acme">
        <link itemprop="sameAs" href="https://github.com/acme"><time itemprop="opens" datetime="09:00">nine</time></div>
        <p id="more"><span itemprop="telephone">030 1</span></p><span itemprop="name">alone</span>""",
    )

    (found,) = organizations_in(page)
    assert (found.name, found.url, found.telephone) == ("Acme GmbH", "https://acme.de/", "030 1")
    assert found.same_as == ("https://x.com/acme", "https://github.com/acme")
    assert found.data["address"] == {"@type": "https://schema.org/PostalAddress", "addressLocality": "Köln"}
    assert found.data["foundingDate"] == "1998"
    assert found.data["opens"] == "09:00"


def test_an_item_may_refer_to_itself_without_harm() -> None:
    page = WebPage.of("https://acme.de/", '<div id="a" itemscope itemref="a" itemprop="x"><i itemprop="y">1</i></div>')

    assert organizations_in(page) == []


def test_the_name_of_what_is_no_organization_is_none() -> None:
    page = WebPage.of(
        "https://acme.de/",
        '<script type="application/ld+json">[{"@type": "Person", "name": "Ada"}, {"@type": ["Product", "http://schema.org/Dentist"],'
        ' "name": "Dr. Acme"}, {"@type": "Organization"}, "text", 1]</script>',
    )

    assert [one.name for one in organizations_in(page)] == ["Dr. Acme"]
