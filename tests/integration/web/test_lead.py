"""The page of a lead, and a new one typed in."""

import json
from uuid import UUID

import pytest

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import NotFound
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser, Seen

# A job whose second attempt completed.
_COMPLETE = sql("""
UPDATE job_executions
SET status = 'completed', attempts = 2, started_at = now(), finished_at = now(), failures = :failures::jsonb
WHERE workspace_id = :workspace_id AND subject_id = :lead_id
""")


def faulty(seen: Seen) -> list[str | None]:
    return [node.attributes["id"] for node in seen.html.css("[aria-invalid=true]")]


async def stored(house: House, lead_id: UUID) -> LeadView:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return await queries.get_lead(tx, house.actor, lead_id=lead_id)


async def test_a_lead_typed_in_is_stored_and_its_page_shows_its_job(owner: Browser) -> None:
    await owner.get("/leads/new")

    seen = await owner.post("/leads", {"email": "ada@acme.com", "firstName": "Ada", "country": "GB"})

    assert (seen.status, seen.path.startswith("/leads/")) == (200, True)
    assert seen.all("h1") == ["Ada"]
    assert "Queued" in seen.text
    assert "Created manually" in seen.all(".timeline__title")


async def test_every_fault_is_told_at_its_field_and_nothing_typed_is_lost(owner: Browser) -> None:
    await owner.get("/leads/new")

    seen = await owner.post("/leads", {"email": "ada@", "firstName": "Ada", "phone": "12", "website": "a b"})

    assert seen.status == 400
    assert seen.attribute("#f-firstName", "value") == "Ada"
    assert [node.attributes["id"] for node in seen.html.css("[aria-invalid=true]")] == [
        "f-email",
        "f-phone",
        "f-website",
    ]
    assert [node.attributes["href"] for node in seen.html.css(".error-summary a")] == [
        "#f-email",
        "#f-phone",
        "#f-website",
    ]


async def test_only_fields_that_have_been_left_are_checked_while_one_types(owner: Browser) -> None:
    await owner.get("/leads/new")

    seen = await owner.post(
        "/leads/checks",
        {"email": "ada@", "phone": "12", "touched": ["phone"]},
        hx_request="true",
        hx_target="lead-form",
    )

    assert faulty(seen) == ["f-phone"]
    assert seen.html.css(".error-summary") == []


async def test_a_duplicate_is_shown_with_a_link_to_the_lead_that_is_there(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get("/leads/new")

    seen = await owner.post("/leads", {"email": "ADA@acme.com", "firstName": "Ada"})

    assert seen.status == 409
    assert seen.attribute(".callout a", "href") == f"/leads/{lead_id}"
    assert seen.attribute("#f-firstName", "value") == "Ada"


async def test_a_field_is_edited_in_place_without_touching_the_others(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada", company="Acme")
    form = await owner.part(f"/leads/{lead_id}?edit=company", "lead-fields")
    assert form.attribute("#f-company", "value") == "Acme"
    await owner.get(f"/leads/{lead_id}")

    seen = await owner.post_part(f"/leads/{lead_id}", "lead-fields", {"company": "Initech", "version": "1"})

    assert seen.response.text.lstrip().startswith('<section id="lead-fields"')
    lead = await stored(house, lead_id)
    assert (lead.company, lead.first_name) == ("Initech", "Ada")


async def test_an_emptied_field_is_cleared(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")
    await owner.get(f"/leads/{lead_id}")

    await owner.post(f"/leads/{lead_id}", {"company": "", "version": "1"})

    assert (await stored(house, lead_id)).company is None


async def test_a_custom_field_is_edited_by_itself(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", customFields={"plan": "gold", "seats": 3})
    await owner.get(f"/leads/{lead_id}")

    await owner.post(f"/leads/{lead_id}", {"customFields.plan": "silver", "version": "1"})

    assert (await stored(house, lead_id)).custom_fields == {"plan": "silver", "seats": 3}


async def test_a_fault_keeps_the_field_open_with_what_was_typed(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get(f"/leads/{lead_id}")

    seen = await owner.post_part(f"/leads/{lead_id}", "lead-fields", {"website": "no web address", "version": "1"})

    assert seen.status == 400
    assert seen.attribute("#f-website", "value") == "no web address"
    assert seen.html.css("#f-website[aria-invalid=true]")


async def test_a_lost_update_asks_whose_value_is_to_stay(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")
    await owner.get(f"/leads/{lead_id}")
    await owner.post(f"/leads/{lead_id}", {"company": "Theirs", "version": "1"})

    seen = await owner.post_part(f"/leads/{lead_id}", "lead-fields", {"company": "Mine", "version": "1"})

    assert seen.status == 409
    dialog = seen.html.css_first("dialog#conflict")
    assert dialog is not None
    assert "Mine" in dialog.text()
    assert "Theirs" in dialog.text()
    assert (await stored(house, lead_id)).company == "Theirs"
    resend = {
        node.attributes["name"] or "": node.attributes["value"] or "" for node in dialog.css("#conflict-form input")
    }
    await owner.post(f"/leads/{lead_id}", resend)
    assert (await stored(house, lead_id)).company == "Mine"


async def test_deleting_can_be_undone_from_the_toast(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get(f"/leads/{lead_id}")

    gone = await owner.post(f"/leads/{lead_id}/deletion")
    undo = gone.attribute(".toast form", "action") or ""
    with pytest.raises(NotFound):
        await stored(house, lead_id)
    back = await owner.post(undo)

    assert gone.path == "/leads"
    assert back.path == f"/leads/{lead_id}"
    assert "Lead restored." in back.text


async def test_enriching_again_queues_a_job(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get(f"/leads/{lead_id}")

    seen = await owner.post(f"/leads/{lead_id}/enrichments")

    assert len(seen.html.css(".lead__job")) == 2


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ([], False),
        ([{"attempt": 1, "error": "The site did not answer.", "at": "2026-11-30T12:00:00+00:00"}], True),
    ],
)
async def test_a_run_tells_failed_attempts_but_not_those_that_only_waited(
    owner: Browser, house: House, failures: list[dict[str, object]], told: bool
) -> None:
    lead_id = await house.lead("ada@acme.com")
    key = {"workspace_id": house.workspace_id, "lead_id": lead_id, "failures": json.dumps(failures)}
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await tx.execute(_COMPLETE, key)

    seen = await owner.get(f"/leads/{lead_id}")

    (run,) = seen.all(".lead__job p")
    assert run.startswith("Completed")
    assert ("after 1 failed attempt" in run) is told


async def test_another_workspaces_lead_is_as_if_it_were_not(owner: Browser, new_house: NewHouse) -> None:
    theirs = await (await new_house()).lead("ada@acme.com")
    await owner.get("/leads")

    for seen in (
        await owner.get(f"/leads/{theirs}"),
        await owner.post(f"/leads/{theirs}", {"company": "x", "version": "1"}),
        await owner.post(f"/leads/{theirs}/deletion"),
        await owner.post(f"/leads/{theirs}/restorations"),
        await owner.post(f"/leads/{theirs}/enrichments"),
        await owner.get("/leads/no-id-at-all"),
    ):
        assert seen.status == 404


async def test_editing_all_fields_keeps_the_types_of_custom_ones(owner: Browser, house: House) -> None:
    fields = {"seats": 240, "ratio": 0.5, "newsletter": True, "plan": "gold", "old": "x"}
    lead_id = await house.lead("ada@acme.com", customFields=fields)
    form = await owner.get(f"/leads/{lead_id}?edit=all")
    sent = {
        node.attributes["name"] or "": node.attributes.get("value") or ""
        for node in form.html.css("form[data-editing] input[name]")
    }

    await owner.post(f"/leads/{lead_id}", {**sent, "company": "Acme"})
    kept = (await stored(house, lead_id)).custom_fields
    changed = {"customFields.seats": "12", "customFields.newsletter": "no", "customFields.old": "", "version": "2"}
    await owner.post(f"/leads/{lead_id}", changed)

    assert (await stored(house, lead_id)).company == "Acme"
    assert kept == fields
    assert (await stored(house, lead_id)).custom_fields == {
        "seats": 12,
        "ratio": 0.5,
        "newsletter": False,
        "plan": "gold",
    }


@pytest.mark.parametrize("other", [{}, {"firstName": "Ada"}])
async def test_a_fault_in_one_of_all_fields_or_a_custom_one_keeps_the_form_open(
    owner: Browser, house: House, other: dict[str, str]
) -> None:
    lead_id = await house.lead("ada@acme.com", customFields={"plan": "gold"})
    await owner.get(f"/leads/{lead_id}")

    seen = await owner.post(f"/leads/{lead_id}", {**other, "customFields.plan": "x" * 3000, "version": "1"})

    assert seen.status == 400
    assert seen.attribute("#f-customFields-plan", "value") == "x" * 3000
    assert seen.attribute("#f-firstName", "value") == other.get("firstName")


async def test_a_lost_update_of_all_fields_shows_each_that_differs(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme", jobTitle="Head")
    await owner.get(f"/leads/{lead_id}")
    await owner.post(f"/leads/{lead_id}", {"company": "Theirs", "version": "1"})

    seen = await owner.post(f"/leads/{lead_id}", {"company": "Mine", "jobTitle": "Head", "version": "1"})

    assert seen.status == 409
    assert seen.all("dialog#conflict th") == ["Field", "Yours", "Current"]
    assert seen.all("dialog#conflict td") == ["Company", "Mine", "Theirs"]


async def test_different_fields_that_two_people_edit_are_both_saved(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme", jobTitle="Head", firstName="Ada")
    form = await owner.get(f"/leads/{lead_id}?edit=all")
    sent = {
        node.attributes["name"] or "": node.attributes.get("value") or ""
        for node in form.html.css("form[data-editing] input[name]")
    }
    await owner.post(f"/leads/{lead_id}", {"company": "Theirs", "base.company": "Acme"})

    seen = await owner.post(f"/leads/{lead_id}", {**sent, "jobTitle": "Chief", "firstName": ""})

    lead = await stored(house, lead_id)
    assert seen.status == 200
    assert (lead.company, lead.job_title, lead.first_name) == ("Theirs", "Chief", None)


async def test_a_conflict_of_one_of_several_fields_keeps_the_others_for_the_answer(
    owner: Browser, house: House
) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme", jobTitle="Head", country="GB")
    await owner.get(f"/leads/{lead_id}")
    await owner.post(f"/leads/{lead_id}", {"country": "FR", "base.country": "GB"})
    mine = {"country": "DE", "base.country": "GB", "jobTitle": "Chief", "base.jobTitle": "Head"}

    seen = await owner.post(f"/leads/{lead_id}", mine)
    dialog = seen.html.css_first("dialog#conflict")
    assert dialog is not None
    resend = {
        node.attributes["name"] or "": node.attributes["value"] or "" for node in dialog.css("#conflict-form input")
    }
    unchanged = await stored(house, lead_id)
    await owner.post(f"/leads/{lead_id}", resend)

    lead = await stored(house, lead_id)
    assert seen.all("dialog#conflict td") == ["Country", "Germany", "France"]
    assert (unchanged.country, unchanged.job_title) == ("FR", "Head")
    assert (lead.country, lead.job_title) == ("DE", "Chief")


async def test_a_saved_field_opens_the_next_one(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    form = await owner.part(f"/leads/{lead_id}?edit=company", "lead-fields")
    assert form.attribute("form", "data-before") == "stage"
    assert form.attribute("form", "data-after") == "jobTitle"
    await owner.get(f"/leads/{lead_id}")

    fields = {"company": "Acme", "base.company": "", "then": "jobTitle"}
    part = await owner.post_part(f"/leads/{lead_id}", "lead-fields", fields)
    page = await owner.post(f"/leads/{lead_id}", {**fields, "company": "Initech", "base.company": "Acme"})

    assert (part.html.css("#f-jobTitle") != [], part.html.css("#f-company")) == (True, [])
    assert page.html.css("#f-jobTitle") != []
    assert (await stored(house, lead_id)).company == "Initech"


async def test_a_lead_knows_the_list_that_one_came_from(owner: Browser, house: House) -> None:
    first, second, third = [
        await house.lead(f"{name}@acme.com", source=source)
        for name, source in (("a", "fair"), ("b", "web"), ("c", "fair"))
    ]
    listed = await owner.get("/leads?source=fair&sort=email")
    links = [node.attributes["href"] or "" for node in listed.html.css(".row-link")]

    seen = await owner.get(links[0])
    last = await owner.get(seen.attribute("a[data-next]", "href") or "")

    assert seen.html.css("a[data-previous]") == []
    assert last.path == f"/leads/{third}"
    assert last.html.css("a[data-next]") == []
    assert (last.attribute("a[data-previous]", "href") or "").startswith(f"/leads/{first}?")
    assert "source=fair" in (last.attribute(".breadcrumb a", "href") or "")
    alone = await owner.get(f"/leads/{second}")
    assert (alone.attribute("a[data-previous]", "href"), alone.attribute("a[data-next]", "href")) == (
        f"/leads/{third}",
        f"/leads/{first}",
    )
    assert (await owner.get(f"/leads/{second}?list=filter%3Dnonsense")).status == 200


async def test_a_long_timeline_is_folded(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get(f"/leads/{lead_id}")
    for number in range(4):
        await owner.post(f"/leads/{lead_id}/enrichments")
        assert number < 4
    for number in range(12):
        await owner.post(f"/leads/{lead_id}", {"company": f"Acme {number}", "version": str(number + 1)})

    seen = await owner.get(f"/leads/{lead_id}")

    assert (
        seen.all("#lead-timeline > .card__body > .timeline > .timeline__item > .timeline__main .timeline__title")[:10]
        == ["Updated Company"] * 10
    )
    assert seen.all("#lead-timeline-more > summary") == ["Show 4 more"]
    assert seen.all("#lead-timeline-more .timeline__more summary") == ["3 earlier entries"]
