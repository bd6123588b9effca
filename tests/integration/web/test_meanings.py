"""Terms that people ask about are explained where they stand, on hover, focus and touch, and for screen readers."""

from leadflood.kernel.actor import Role
from leadflood.web.labels import MEANINGS
from tests.integration.web.conftest import House
from tests.integration.web.test_duplicates import scan
from tests.support.web import Seen


def meaning_of(page: Seen, term: str) -> str:
    """The text that a screen reader reads after a term."""
    owner = next(each for each in page.html.css("[aria-describedby]") if term in each.text())
    described = page.html.css_first(f"#{owner.attributes['aria-describedby']}")
    assert described is not None
    assert owner.tag in {"a", "button"} or owner.attributes["tabindex"] == "0", "reached by the keyboard"
    return " ".join(described.text().split())


async def test_the_status_of_a_lead_is_explained_in_the_list_and_on_its_page(house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    member = await house.signed_in(Role.VIEWER)

    listed, page = await member.get("/leads"), await member.get(f"/leads/{lead_id}")

    assert meaning_of(listed, "Enrichment") == MEANINGS["status"]
    head = next(each for each in listed.html.css("th [data-tip]") if "Enrichment" in each.text())
    assert head.attributes["data-tip"] == MEANINGS["status"]
    assert meaning_of(page, "New") == MEANINGS["status"]


async def test_the_score_of_duplicates_is_explained_in_the_list_in_the_review_and_on_the_lead(house: House) -> None:
    ada = await house.lead("ada@acme.com", firstName="Ada", lastName="Lovelace", company="Acme")
    await house.lead("ada.lovelace@acme.com", firstName="Ada", lastName="Lovelace", company="Acme")
    await scan(house)
    member = await house.signed_in(Role.MEMBER)

    listed = await member.get("/duplicates")
    assert meaning_of(listed, "Score") == MEANINGS["score"]
    link = listed.html.css_first("tbody a[href^='/duplicates/']")
    assert link is not None
    review, lead = await member.get(link.attributes["href"] or ""), await member.get(f"/leads/{ada}")
    assert meaning_of(review, "Score") == MEANINGS["score"]
    assert meaning_of(lead, "Score") == MEANINGS["score"]
