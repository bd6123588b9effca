"""The decision to ask again where an answer was lost, on the page of the purchase."""

from leadflood.domains.enrichment.engine.memory import MemoryFingerprints
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.actor import Role
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House
from tests.support.new_companies import new_company

LIST = "/spending/purchases"


async def test_a_lost_answer_is_asked_for_again_after_a_decision_that_names_its_price(house: House) -> None:
    admin, viewer = await house.signed_in(Role.ADMIN), await house.signed_in(Role.VIEWER)
    database, workspace_id = house.parts.database, house.actor.workspace_id
    till = Till(database, house.actor)
    await till.price(50_000)
    await till.budget(5_000_000)
    asker = LookupAsker(workspace_id, SubjectKind.COMPANY, await new_company(database, workspace_id))
    buyer, provider = Buyer(till, asker, MemoryFingerprints().hash), Provider([AnswerLost("Cut."), HIT])
    await buyer.ask(provider)
    spending = await admin.get("/spending")
    address = next(link.attributes["href"] for link in spending.html.css("[id^=doubt-] a"))

    page = await admin.get(str(address))
    (form,) = page.html.css("#panel-lost form")
    assert "Ask again (may be charged twice: €0.15)" in form.text()
    assert "Ask again" not in (await viewer.get(str(address))).text
    path = str(form.attributes["action"])
    for _ in range(2):
        done = await admin.post(path)
        assert "Written off" in done.text
        assert "Ask again" not in done.text
    assert (await viewer.post(path)).status == 403

    assert (await buyer.ask(provider)).state is StepState.FOUND
    assert "which may be charged twice" in (await admin.get("/settings/audit")).text
    assert await till.violations() == []
