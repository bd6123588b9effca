"""Policies of a workspace: from which confidence a found value fills the field of a lead; a job applies them."""

from typing import Any

import pytest

from leadflood.domains.enrichment.contracts.policies import FillPolicyEstimate, FillPolicyView, SetFillPolicy
from leadflood.domains.enrichment.errors import FactFieldNotFound
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.service import policies
from leadflood.kernel.actor import Role
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.shelf import Shelf
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact
from tests.support.tenants import bearer, new_key, new_member
from tests.support.web import Browser

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]

FIRST, TITLE = lead_fields.FIRST_NAME, lead_fields.JOB_TITLE
PATH = "/settings/enrichment/lead/first_name"


class Desk(Shelf):
    """A shelf with policies."""

    async def set(self, subject: str, field: str, fill_at: float | None, *, suggest: bool = True) -> FillPolicyView:
        """Set a policy. The job that it queues is not run yet."""
        command = SetFillPolicy.model_validate({"fillAt": fill_at, "suggest": suggest})
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await policies.set_policy(
                tx, self.bench.actor, subject=subject, field=field, command=command, trace={}
            )

    async def estimate(self, subject: str, field: str, fill_at: float | None) -> FillPolicyEstimate:
        command = SetFillPolicy.model_validate({"fillAt": fill_at, "dryRun": True})
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await policies.estimate(tx, self.bench.actor, subject=subject, field=field, command=command)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_a_policy_is_applied_to_all_leads_by_a_job_and_holds_for_later_ones(desk: Desk) -> None:
    sure = await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.95), value(TITLE, "Reader", 0.6))
    less = await desk.lead(f"b@{domain()}", value(FIRST, "Bertie", 0.85), value(TITLE, "Clerk", 0.4))

    await desk.set("lead", "first_name", 0.9)
    await desk.set("lead", "job_title", 0.5)
    assert await desk.refresh() == 1, "one job for both"
    assert (await desk.of(sure), await desk.of(less)) == ({"first_name": "Ada", "job_title": "Reader"}, {})
    assert (await desk.listed("bertie"), await desk.listed("reader")) == ([], [sure])
    late = await desk.lead(f"c@{domain()}", value(FIRST, "Cleo", 0.85))
    assert await desk.of(late) == {}
    await desk.enrich(late, value(FIRST, "Cleo", 0.92))
    assert await desk.of(late) == {"first_name": "Cleo"}

    async with desk.bench.database.transaction(desk.bench.actor.workspace_id) as tx:
        await policies.reset_policy(tx, desk.bench.actor, subject="lead", field="first_name", trace={})
    await desk.refresh()
    assert await desk.of(less) == {"first_name": "Bertie"}
    assert await desk.stored() == await desk.meant()


async def test_the_phone_of_a_company_fills_only_if_the_workspace_wants_it(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}")
    await desk.read(await desk.office.company_id(company), fact("+442079460958", of=company_fields.PHONE))
    assert await desk.of(ada) == {}

    await desk.set("company", "phone", 0.8)
    await desk.refresh()
    assert await desk.of(ada) == {"phone": "+442079460958"}
    await desk.set("company", "phone", None, suggest=False)
    await desk.refresh()
    assert await desk.of(ada) == {}


async def test_an_estimate_counts_the_leads_whose_value_would_count_wait_or_vanish(desk: Desk) -> None:
    await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.95))
    less = await desk.lead(f"b@{domain()}", value(FIRST, "Bob", 0.85))
    written = await desk.lead(f"c@{domain()}", value(FIRST, "Cleo", 0.85))
    await desk.edit(written, firstName="Cleopatra")

    found = await desk.estimate("lead", "first_name", 0.9)
    assert found.model_dump() == {"leads": 3, "changed": 1, "filled": 1, "suggested": 1, "exact": True}
    assert (await desk.estimate("lead", "first_name", 0.8)).changed == 0
    assert await desk.of(less) == {"first_name": "Bob"}, "nothing was changed"
    with pytest.raises(FactFieldNotFound):
        await desk.estimate("lead", "seniority", 0.8)


async def test_policies_are_listed_estimated_set_and_reset_over_http(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    ada = await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.85))
    owner_id = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    headers = bearer((await new_key(house.parts.database, house.workspace_id, owner_id))[1])
    client = (await house.stranger()).client

    async def call(method: str, below: str = "", body: dict[str, Any] | None = None) -> tuple[int, Any]:
        answer = await client.request(method, f"/v1/fill-policies{below}", json=body, headers=headers)
        return answer.status_code, answer.json()

    status, listed = await call("GET")
    assert (status, len(listed["items"]), all(item["standard"] for item in listed["items"])) == (200, 10, True)
    status, found = await call("PUT", "/lead/first_name", {"fillAt": 0.9, "dryRun": True})
    assert (status, found["changed"], found["suggested"]) == (200, 1, 1)
    status, made = await call("PUT", "/lead/first_name", {"fillAt": 0.9})
    assert (status, made["fillAt"], made["standard"], made["jobId"] is not None) == (200, 0.9, False, True)
    lead = (await client.get(f"/v1/leads/{ada}", headers=headers)).json()
    assert lead["effectiveValues"]["firstName"]["state"] == "suggested", "a value that is read follows immediately"
    assert (await call("DELETE", "/lead/first_name"))[1]["standard"] is True
    assert (await call("PUT", "/lead/first_name", {"fillAt": 1.5}))[0] == 400
    assert (await call("PUT", "/lead/seniority", {"fillAt": 0.5}))[0] == 404


async def test_a_policy_is_chosen_on_a_page_that_says_first_how_many_leads_change(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    ada = await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.85))
    admin = await house.signed_in(Role.ADMIN)

    page = await admin.get(PATH)
    assert (page.status, bool(page.html.css("#confirm"))) == (200, False)
    counted = await admin.get(f"{PATH}?mode=never&at=80")
    assert "1 lead would change" in counted.text
    wrong = await admin.get(f"{PATH}?mode=fill&at=800")
    assert (wrong.status, "Enter a percentage from 0 to 100." in wrong.text) == (400, True)
    done = await admin.post(PATH, {"mode": "never", "at": "80", "below": ""})
    assert "Leads are updated in the background." in done.text
    await desk.refresh()
    assert await desk.of(ada) == {}
    listed = await admin.get("/settings/enrichment")
    assert "Never" in listed.all("#policy-lead-first_name")[0]
    await admin.post(f"{PATH}/resets", {})
    await desk.refresh()
    assert await desk.of(ada) == {"first_name": "Ada"}


async def test_members_read_policies_and_admins_change_them(house: House, viewer: Browser) -> None:
    member = await house.signed_in(Role.MEMBER)

    assert (await viewer.get("/settings/enrichment")).status == 200
    assert (await member.get(PATH)).status == 403
