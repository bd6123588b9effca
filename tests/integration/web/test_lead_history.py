"""The page of a lead's field history, and the texts of expired links."""

from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from tests.integration.web.conftest import House
from tests.support.web import Browser


async def test_the_history_says_who_set_which_field_from_what_to_what_and_how(
    house: House, owner: Browser, viewer: Browser
) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        command = CreateField.model_validate({"label": "Plan", "type": "choice", "options": ["Free", "Pro"]})
        plan = await fields.create_field(tx, house.actor, command=command)
    lead = f"/leads/{await house.lead('ada@acme.com', company='Acme', customFields={plan.key: 'Free'})}"
    await owner.get(f"{lead}?edit=all")
    await owner.post(lead, {"company": "", "base.company": "Acme"})
    await owner.post(lead, {f"customFields.{plan.key}": "Pro", f"base.customFields.{plan.key}": "Free"})

    page = await viewer.get(lead)
    whole = await viewer.get(page.attribute("a[href$='/history']", "href") or "")
    company = await viewer.get(f"{lead}/history?field=company")
    phone = await viewer.get(f"{lead}/history?field=phone")
    unknown = await viewer.get(f"{lead}/history?field=%F0%9F%98%80")

    rows = [" ".join(row.split()) for row in whole.all("tbody tr")]
    assert [row.split()[:3] for row in rows] == [["Plan", "Free", "Pro"], ["Company", "Acme", "(empty)"]]
    assert all(row.endswith("Edit") for row in rows)
    assert len(company.all("tbody tr")) == 1
    assert "No changes of this field" in phone.text
    assert len(unknown.all("tbody tr")) == 2
    assert "Plan" in " ".join(page.all(".timeline__title"))


async def test_an_expired_page_link_leads_to_the_first_page_of_the_same_list(owner: Browser) -> None:
    seen = await owner.get("/leads?q=ada&after=from-long-ago")

    assert seen.status == 400
    assert "This page link has expired" in seen.text
    assert seen.attribute(".empty a", "href") == "/leads?q=ada"
