"""People pin, correct and reject found values: sources never replace what they decided, and each decision is undone."""

from typing import Any
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.enrichment.contracts.decisions import AcceptedFacts, DecidedField, DecisionRequest
from leadflood.domains.enrichment.errors import FactFieldNotFound, FactNotFound, OwnField
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.domains.enrichment.models.fact_fields import FactValue
from leadflood.domains.enrichment.service import decisions
from leadflood.domains.leads.service import changesets
from leadflood.kernel.actor import Role
from leadflood.kernel.errors import InvalidInput
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.shelf import Shelf
from tests.integration.enrichment.test_retractions import Desk as Retractions
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact
from tests.support.tenants import bearer, new_key, new_member
from tests.support.web import Browser

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]

COUNTRY, PHONE, CITY = company_fields.COUNTRY, company_fields.PHONE, company_fields.CITY
SENIORITY, FIRST = lead_fields.SENIORITY, lead_fields.FIRST_NAME


class Desk(Shelf):
    """A shelf whose values people decide about."""

    async def decide(
        self,
        company_id: UUID,
        field: str,
        decision: Decision,
        wanted: FactValue | None = None,
        *,
        source: str | None = None,
    ) -> DecidedField:
        request = DecisionRequest(decision, wanted, source)
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await decisions.decide_for_company(
                tx, self.bench.actor, company_id=company_id, field=field, request=request, trace={}
            )

    async def decide_for_lead(
        self, lead_id: UUID, field: str, decision: Decision, wanted: FactValue | None = None
    ) -> DecidedField:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await decisions.decide_for_lead(
                tx, self.bench.actor, lead_id=lead_id, field=field, request=DecisionRequest(decision, wanted), trace={}
            )

    async def undo(self, made: DecidedField | AcceptedFacts) -> tuple[str, int]:
        """Undo a decision. Returns the status of its changeset, and the number of fields that were kept."""
        assert made.changeset_id is not None
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            undone = await changesets.undo_changeset(
                tx, self.bench.actor, LEAD_PARTICIPANTS, changeset_id=made.changeset_id, trace={}
            )
        return undone.status, undone.kept_fields

    async def of_company(self, company: str, field: str) -> list[str]:
        """The chosen values of a field."""
        values = (await self.office.facts(company)).values
        return sorted(str(item.value) for item in values if item.chosen and item.field == field)

    async def sound(self) -> None:
        assert await self.stored() == await self.meant()


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def known(desk: Desk) -> tuple[str, UUID, UUID]:
    """A company with a lead. Two sources have other countries; the surer one is chosen. Returns domain and IDs."""
    company = domain()
    ada = await desk.lead(f"a@{company}")
    company_id = await desk.office.company_id(company)
    await desk.read(company_id, fact("Acme"), fact("DE", 0.85, of=COUNTRY))
    desk.name = "other"
    await desk.read(company_id, fact("FR", 0.95, of=COUNTRY))
    assert await desk.of(ada) == {"company": "Acme", "country": "FR"}
    return company, company_id, ada


async def test_a_pinned_value_stays_whatever_sources_say_later_until_it_is_unpinned(desk: Desk) -> None:
    company, company_id, ada = await known(desk)

    made = await desk.decide(company_id, "country", Decision.PINNED, "Germany")
    assert (await desk.of(ada))["country"] == "DE"
    chosen = made.values[0]
    assert (chosen.value, chosen.because, chosen.pin is not None) == ("DE", "pinned", True)
    await desk.read(company_id, fact("FR", 0.99, of=COUNTRY))
    assert await desk.of_company(company, "country") == ["DE"]
    again = await desk.decide(company_id, "country", Decision.PINNED, "DE")
    assert again.changeset_id is None, "it is pinned already"

    await desk.decide(company_id, "country", Decision.UNPINNED)
    assert (await desk.of(ada))["country"] == "FR"
    await desk.sound()


async def test_a_correction_wins_over_all_that_is_found_and_another_one_replaces_it(desk: Desk) -> None:
    company, company_id, ada = await known(desk)

    made = await desk.decide(company_id, "country", Decision.CORRECTED, "austria")
    assert (await desk.of(ada))["country"] == "AT"
    assert (made.values[0].source, made.values[0].method) == ("manual", "manual")
    await desk.decide(company_id, "city", Decision.CORRECTED, "Vienna")
    await desk.decide(company_id, "country", Decision.CORRECTED, "CH")
    await desk.read(company_id, fact("FR", 0.99, of=COUNTRY))
    assert (await desk.of_company(company, "country"), await desk.of_company(company, "city")) == (["CH"], ["Vienna"])
    shown = [item.value for item in (await desk.office.facts(company)).values if item.source == "manual"]
    assert sorted(map(str, shown)) == ["CH", "Vienna"], "a former correction is history"

    await desk.decide(company_id, "country", Decision.CORRECTION_REMOVED)
    assert (await desk.of(ada))["country"] == "FR"
    assert await desk.of_company(company, "city") == ["Vienna"]
    await desk.sound()


async def test_a_rejected_value_of_a_source_is_not_chosen_again_even_if_it_is_found_again(desk: Desk) -> None:
    company, company_id, ada = await known(desk)

    made = await desk.decide(company_id, "country", Decision.REJECTED, "FR")
    assert (await desk.of(ada))["country"] == "DE"
    rejected = next(item for item in made.values if item.value == "FR")
    assert (rejected.chosen, rejected.rejection is not None) == (False, True)
    await desk.read(company_id, fact("FR", 0.99, of=COUNTRY))
    assert await desk.of_company(company, "country") == ["DE"]
    await desk.read(company_id, fact("AT", 0.99, of=COUNTRY))
    assert await desk.of_company(company, "country") == ["AT"], "another value of that source counts"

    await desk.read(company_id, fact("FR", 0.99, of=COUNTRY))
    await desk.decide(company_id, "country", Decision.REJECTION_REMOVED, "FR")
    assert await desk.of_company(company, "country") == ["FR"]
    await desk.sound()


async def test_rejecting_a_pinned_value_unpins_it_and_pinning_a_rejected_one_allows_it(desk: Desk) -> None:
    company, company_id, _ = await known(desk)
    await desk.decide(company_id, "country", Decision.PINNED, "FR")

    await desk.decide(company_id, "country", Decision.REJECTED, "FR", source="other")
    assert await desk.of_company(company, "country") == ["DE"]
    await desk.decide(company_id, "country", Decision.PINNED, "FR")
    assert await desk.of_company(company, "country") == ["FR"]
    assert not any(item.rejection for item in (await desk.office.facts(company)).values)


async def test_fields_with_several_values_are_decided_about_one_by_one(desk: Desk) -> None:
    company, company_id, _ = await known(desk)
    await desk.read(company_id, fact("+493012345678", 0.9, of=PHONE), fact("+493087654321", 0.3, of=PHONE))

    await desk.decide(company_id, "phone", Decision.CORRECTED, "+4930555555")
    await desk.decide(company_id, "phone", Decision.PINNED, "+493087654321")
    await desk.decide(company_id, "phone", Decision.REJECTED, "+493012345678")
    assert await desk.of_company(company, "phone") == ["+4930555555", "+493087654321"]
    await desk.decide(company_id, "phone", Decision.UNPINNED, "+493087654321")
    assert await desk.of_company(company, "phone") == ["+4930555555"]
    await desk.decide(company_id, "phone", Decision.CORRECTION_REMOVED, "+4930555555")
    assert await desk.of_company(company, "phone") == []


@pytest.mark.parametrize(
    ("decision", "wanted"),
    [(Decision.PINNED, "DE"), (Decision.CORRECTED, "AT"), (Decision.REJECTED, "FR")],
)
async def test_a_decision_is_undone_unless_the_field_was_decided_about_since(
    desk: Desk, decision: Decision, wanted: str
) -> None:
    company, company_id, ada = await known(desk)
    first = await desk.decide(company_id, "country", Decision.CORRECTED, "CH")
    made = await desk.decide(company_id, "country", decision, wanted)

    assert await desk.undo(made) == ("undone", 0)
    assert await desk.of_company(company, "country") == ["CH"]
    assert await desk.undo(first) == ("undone", 0)
    assert (await desk.of(ada))["country"] == "FR"
    late = await desk.decide(company_id, "country", decision, wanted)
    await desk.decide(company_id, "country", Decision.CORRECTED, "BE")
    assert await desk.undo(late) == ("undone", 1)
    assert await desk.of_company(company, "country") == ["BE"]
    await desk.sound()


async def test_found_values_of_a_lead_are_decided_about_but_its_own_fields_are_edited(desk: Desk) -> None:
    ada = await desk.lead(f"a@{domain()}", value(SENIORITY, "junior", 0.9), value(FIRST, "Aada", 0.9))

    with pytest.raises(OwnField):
        await desk.decide_for_lead(ada, "first_name", Decision.CORRECTED, "Ada")
    await desk.decide_for_lead(ada, "first_name", Decision.REJECTED, "Aada")
    assert await desk.of(ada) == {}
    await desk.decide_for_lead(ada, "seniority", Decision.CORRECTED, "head")
    await desk.enrich(ada, value(SENIORITY, "junior", 0.99), value(FIRST, "Aada", 0.99))
    assert (await desk.bench.chosen(ada), await desk.of(ada)) == ({"seniority": ("head", "manual")}, {})
    kinds = [event.kind for event in await desk.bench.timeline(ada)]
    assert kinds.count("values.decided") == 2
    await desk.sound()


async def test_what_does_not_exist_is_not_decided_about(desk: Desk) -> None:
    _, company_id, ada = await known(desk)

    with pytest.raises(FactFieldNotFound):
        await desk.decide(company_id, "seniority", Decision.CORRECTED, "head")
    with pytest.raises(FactNotFound):
        await desk.decide(company_id, "country", Decision.PINNED, "IT")
    with pytest.raises(FactNotFound):
        await desk.decide(company_id, "country", Decision.REJECTED, "FR", source="register")
    with pytest.raises(InvalidInput):
        await desk.decide(company_id, "country", Decision.CORRECTED, "Atlantis")
    with pytest.raises(FactFieldNotFound):
        await desk.decide_for_lead(ada, "employees", Decision.CORRECTED, 5)


async def test_a_retraction_ends_the_pin_of_its_values_and_its_undo_restores_it(desk: Desk) -> None:
    company, company_id, _ = await known(desk)
    pinned = (await desk.decide(company_id, "country", Decision.PINNED, "FR")).values[0].pin
    retracting = Retractions(desk.bench)

    made = await retracting.retract("other")
    assert await desk.of_company(company, "country") == ["DE"]
    await retracting.undo(made.id)
    assert await desk.of_company(company, "country") == ["FR"]
    restored = next(item for item in (await desk.office.facts(company)).values if item.chosen and item.value == "FR")
    assert (restored.pin, pinned is not None) == (pinned, True), "by whom and when"
    await desk.read(company_id, fact("IT", 0.99, of=COUNTRY))
    assert await desk.of_company(company, "country") == ["FR"]


async def test_a_retraction_leaves_pins_of_other_sources(desk: Desk) -> None:
    company, company_id, _ = await known(desk)
    pinned = (await desk.decide(company_id, "country", Decision.PINNED, "DE")).values[0].pin
    retracting = Retractions(desk.bench)

    made = await retracting.retract("other")
    kept = next(item for item in (await desk.office.facts(company)).values if item.chosen and item.field == "country")
    assert (kept.value, kept.because, kept.pin) == ("DE", "pinned", pinned)
    await retracting.undo(made.id)
    assert await desk.of_company(company, "country") == ["DE"]
    await desk.sound()


async def test_the_undo_of_a_retraction_restores_no_pin_over_a_later_one(desk: Desk) -> None:
    company, company_id, _ = await known(desk)
    await desk.decide(company_id, "country", Decision.PINNED, "FR")
    retracting = Retractions(desk.bench)

    made = await retracting.retract("other")
    await desk.decide(company_id, "country", Decision.PINNED, "DE")
    await retracting.undo(made.id)
    assert await desk.of_company(company, "country") == ["DE"]
    await desk.sound()


async def test_facts_are_decided_about_over_http(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    company, company_id, ada = await known(desk)
    owner_id = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    headers = bearer((await new_key(house.parts.database, house.workspace_id, owner_id))[1])
    client = (await house.stranger()).client
    path = f"/v1/companies/{company_id}/facts/country"

    async def call(method: str, below: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        answer = await client.request(method, f"{path}/{below}", json=body, headers=headers)
        return answer.status_code, answer.json()

    status, pinned = await call("PUT", "pin", {"value": "DE"})
    mark = pinned["values"][0]["pin"]
    assert (status, pinned["values"][0]["value"], mark["actor"]["kind"]) == (200, "DE", "api_key")
    assert mark["actorName"].startswith("API key “")
    assert (await call("DELETE", "pin"))[1]["values"][0]["value"] == "FR"
    status, rejected = await call("POST", "rejections", {"value": "FR"})
    wrong = next(item["rejection"] for item in rejected["values"] if item["value"] == "FR")
    assert wrong["actorName"] == mark["actorName"]
    assert (status, rejected["values"][0]["value"]) == (200, "DE")
    assert (await call("DELETE", "rejections?value=FR"))[1]["values"][0]["value"] == "FR"
    status, refused = await call("PUT", "correction", {"value": "Atlantis"})
    assert (status, refused["errors"][0]["pointer"]) == (400, "/value")
    assert (await call("PUT", "correction", {"value": "AT"}))[1]["values"][0]["source"] == "manual"
    assert (await call("DELETE", "correction"))[1]["values"][0]["value"] == "FR"
    status, missing = await call("PUT", "pin", {"value": "IT"})
    assert (status, missing["code"]) == (409, "fact_not_found")
    own = await client.put(f"/v1/leads/{ada}/facts/first_name/correction", json={"value": "Ada"}, headers=headers)
    assert (own.status_code, own.json()["code"]) == (409, "own_field")
    events = (await client.get(f"/v1/companies/{company_id}/events", headers=headers)).json()["items"]
    assert [item["data"]["decision"] for item in events if item["kind"] == "values.decided"] == [
        "correction_removed",
        "corrected",
        "rejection_removed",
        "rejected",
        "unpinned",
        "pinned",
    ]
    assert company


async def test_values_are_pinned_and_rejected_in_their_receipts_and_corrected_in_a_form(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    company, company_id, _ = await known(desk)
    member, path = await house.signed_in(Role.MEMBER), f"/companies/{company_id}"
    page = await member.get(path)
    buttons = {button.attributes["aria-label"]: button for button in page.html.css("button[name=decision]")}
    assert {"Pin: France", "Reject: France", "Use: Germany", "Reject: Germany"} <= set(buttons)

    used = await member.post(f"{path}/decisions", {"decision": buttons["Use: Germany"].attributes["value"] or ""})
    assert ("Pinned." in used.text, await desk.of_company(company, "country")) == (True, ["DE"])
    panel = next(each.text() for each in used.html.css(".receipt__panel") if "Pinned" in each.text())
    assert " ".join(panel.split()).count("just now by Ada") == 1, panel
    assert "Unpin: Germany" in {button.attributes["aria-label"] for button in used.html.css("button[name=decision]")}
    form = await member.get(f"{path}/corrections/new?field=country")
    option = form.html.css_first("option[value=country][selected]")
    assert option is not None
    assert option.text(strip=True) == "Country: Germany"
    assert "Present value Germany (Register)" in " ".join((form.html.css_first("form .kv") or form.html).text().split())
    assert form.attribute("input[name=value]", "value") == "Germany"
    several = await member.get(f"{path}/corrections/new?field=phone")
    assert several.attribute("input[name=value]", "value") == "", "it adds one"
    wrong = await member.post(f"{path}/corrections", {"field": "country", "value": "Atlantis"})
    assert (wrong.status, bool(wrong.html.css(".error-summary"))) == (400, True)
    done = await member.post(f"{path}/corrections", {"field": "country", "value": "Austria"})
    assert ("Corrected." in done.text, await desk.of_company(company, "country")) == (True, ["AT"])
    assert "Corrected: Country" in done.all("#company-timeline")[0]
    listed = await member.get("/changes")
    assert "Correct a found value" in listed.text
    nothing = await member.post(f"{path}/decisions", {"decision": "{}"})
    assert nothing.status == 400


async def test_a_viewer_decides_nothing(house: House, viewer: Browser) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    _, company_id, ada = await known(desk)

    assert not (await viewer.get(f"/companies/{company_id}")).html.css("button[name=decision]")
    assert not (await viewer.get(f"/leads/{ada}")).html.css("button[name=decision]")
    assert (await viewer.get(f"/companies/{company_id}/corrections/new")).status == 403
