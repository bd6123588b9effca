"""Home: the first steps, figures that agree with each other, what needs attention, and what can be undone."""

from uuid import UUID

from leadflood.domains.duplicates.service import merging
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.service import bulk
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House
from tests.integration.web.test_navigation import failed_lead
from tests.support.web import Browser, Seen


def tiles(seen: Seen) -> dict[str, str]:
    return dict(zip(seen.all(".stat__label"), seen.all(".stat__value"), strict=True))


async def change(house: House, **command: object) -> ChangesetView:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        return await bulk.change_leads(tx, house.actor, command=BulkChange.model_validate(command), trace={})


async def undo(house: House, changeset_id: UUID) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await merging.undo_change(tx, house.actor, house.parts.participants, changeset_id=changeset_id, trace={})


async def test_an_empty_workspace_shows_the_first_steps_in_place_of_empty_plots(owner: Browser, house: House) -> None:
    first = await owner.get("/")
    await owner.post("/settings/fields", {"label": "Plan", "key": "plan", "type": "text"})
    second = await owner.get("/")

    assert first.all(".step h3") == [
        "Add your leads",
        "See enrichment at work",
        "Invite a teammate",
        "Connect your forms and apps",
        "Add your own fields",
    ]
    assert first.html.css("[data-plot], .stat") == []
    assert {"/imports/new", "/leads/new", "/settings/invitations/new", "/settings/api-keys/new", "/docs"} <= {
        node.attributes["href"] for node in first.html.css(".step a")
    }
    assert first.html.css(".step--done") == []
    assert second.all(".step--done h3") == ["Add your own fields (done)"]


async def test_steps_are_those_that_one_may_take(house: House, viewer: Browser) -> None:
    member = await house.signed_in(Role.MEMBER)

    assert (await member.get("/")).all(".step h3") == ["Add your leads", "See enrichment at work"]
    assert (await viewer.get("/")).all(".step") == []
    assert "No leads yet" in (await viewer.get("/")).text
    assert (await viewer.post("/samples")).status == 403


async def test_sample_leads_are_loaded_once_removed_together_and_can_be_brought_back(
    owner: Browser, house: House
) -> None:
    await house.lead("own@acme.com")
    await owner.get("/")
    loaded = await owner.post("/samples")
    again = await owner.post("/samples")
    with_samples = await owner.get("/")
    removed = await owner.post("/samples/removals")
    undone = await owner.post(removed.attribute(".toast form", "action") or "")

    assert "8 sample leads created" in loaded.text
    assert "Sample data already loaded" in again.text
    assert tiles(with_samples)["Leads"] == "9"
    assert "8 sample leads removed" in removed.text
    assert (tiles(removed)["Leads"], removed.html.css("form[action='/samples/removals']")) == ("1", [])
    assert tiles(await owner.get("/"))["Leads"] == "9"
    assert undone.status == 200


async def test_figures_agree_whatever_was_deleted_and_created_again(owner: Browser, house: House) -> None:
    lead_ids = [await house.lead(f"{name}@acme.com") for name in "abc"]
    deleted = await change(house, action="delete", leadIds=[str(lead_ids[0])])
    for _ in range(2):
        async with house.parts.database.transaction(house.workspace_id) as tx:
            await leads.delete_lead(tx, house.actor, lead_id=lead_ids[1])
        lead_ids[1] = await house.lead("b@acme.com")

    before = await owner.get("/")
    await undo(house, deleted.id)
    after = await owner.get("/")

    assert [tiles(before)[name] for name in ("Leads", "Created today", "Enriching")] == ["2", "2", "2"]
    assert [tiles(after)[name] for name in ("Leads", "Created today", "Enriching")] == ["3", "3", "3"]
    assert "3 created · 0 enrichments · 0 failures" in after.text
    assert "Updated just now" in after.text


async def test_what_failed_is_told_by_its_consequence_and_retried_from_there(owner: Browser, house: House) -> None:
    for email in ("a@acme.com", "b@acme.com"):
        await failed_lead(house, email)
    await house.lead("c@acme.com", firstName="Grace")

    seen = await owner.get("/")
    form = seen.html.css_first("form[action='/jobs/failures/retries']")
    assert form is not None
    done = await owner.post(
        "/jobs/failures/retries",
        {node.attributes["name"] or "": node.attributes["value"] or "" for node in form.css("input")},
    )

    assert [tiles(seen)[name] for name in ("Leads", "Created today", "Enriching", "Needs attention")] == list("3312")
    assert "2 leads couldn’t be enriched" in seen.text
    assert "Grace" in seen.text
    assert "leads.enrich" not in seen.text
    assert len(seen.html.css("[data-plot]")) == len(seen.html.css(".plot__table table")) == 2
    assert done.path == "/"
    assert "Retrying 2 jobs." in done.text


async def test_changes_are_listed_with_who_made_them_and_undone_in_place(owner: Browser, house: House) -> None:
    lead_id = await house.lead("a@acme.com", company="Acme")
    await change(house, action="set", changes={"company": "Initech"}, leadIds=[str(lead_id)])

    seen = await owner.get("/")
    undone = await owner.post(seen.attribute("#home-lists form[action$=undos]", "action") or "", {"next": "/"})

    assert "Set company" in seen.text
    assert "1 updated · CLI" in seen.text
    assert undone.path == "/"
    assert "Undone: 1 lead restored." in undone.text
    assert undone.html.css("#home-lists form[action$=undos]") == []
