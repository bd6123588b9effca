"""Found values of many leads are accepted as one bulk change, which is counted, confirmed and undone."""

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.service import bulk, changesets
from leadflood.kernel.actor import Role
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.shelf import Shelf
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]

FIRST, TITLE = lead_fields.FIRST_NAME, lead_fields.JOB_TITLE


class Desk(Shelf):
    """A shelf whose found values are accepted."""

    async def accept(self, **which: object) -> ChangesetView:
        command = BulkChange.model_validate({"action": "acceptFoundValues", **which})
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await bulk.change_leads(tx, self.bench.actor, command=command, trace={})

    async def undo(self, made: ChangesetView) -> ChangesetView:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await changesets.undo_changeset(
                tx, self.bench.actor, LEAD_PARTICIPANTS, changeset_id=made.id, trace={}
            )


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_found_and_suggested_values_become_values_of_the_leads_and_the_undo_empties_them(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}", value(FIRST, "Ada", 0.95), value(TITLE, "Reader", 0.4))
    bob = await desk.lead(f"b@{company}", value(FIRST, "Bob", 0.9))
    nobody = await desk.lead(f"c@{domain()}")
    await desk.read(await desk.office.company_id(company), fact("GB", of=company_fields.COUNTRY))
    await desk.edit(bob, firstName="Robert")

    made = await desk.accept(leadIds=[str(ada), str(bob), str(nobody)])
    assert (made.label, made.processed, made.updated, made.status) == ("Accept found values", 3, 2, "applied")
    lead, other = await desk.bench.lead(ada), await desk.bench.lead(bob)
    assert (lead.first_name, lead.job_title, lead.country) == ("Ada", "Reader", "GB")
    assert (other.first_name, other.country) == ("Robert", "GB"), "what people wrote stays"
    entry = (await desk.bench.timeline(ada))[-1]
    assert (entry.kind, entry.data["changes"], entry.data["foundBy"]) == (
        "lead.changed",
        {"first_name": [None, "Ada"], "job_title": [None, "Reader"], "country": [None, "GB"]},
        {"first_name": "people", "job_title": "people", "country": "register"},
    )
    assert (await desk.accept(matching={}, expectedCount=3)).updated == 0, "nothing is left to accept"

    await desk.edit(ada, jobTitle="Chief")
    undone = await desk.undo(made)
    assert (undone.status, undone.reverted, undone.kept_fields) == ("undone", 2, 1)
    lead = await desk.bench.lead(ada)
    assert (lead.first_name, lead.job_title, lead.country) == (None, "Chief", None)
    assert await desk.of(ada) == {"first_name": "Ada", "country": "GB"}


async def test_found_values_of_selected_leads_are_accepted_in_the_list(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    ada = await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.95))
    member = await house.signed_in(Role.MEMBER)

    listed = await member.get("/leads")
    assert listed.html.css_first("button[name=action][value=acceptFoundValues]") is not None
    done = await member.post("/leads/bulk-changes", {"ids": [str(ada)], "action": "acceptFoundValues"})
    assert "1 lead updated." in done.text
    assert (await desk.bench.lead(ada)).first_name == "Ada"
    assert "Accept found values" in (await member.get("/changes")).text
