"""The backtest of a profile on its page: begun by a form, with figures, examples and what may leak."""

from contextlib import AbstractAsyncContextManager
from uuid import UUID

from leadflood.domains.icps.contracts.icps import SaveDraft
from leadflood.domains.icps.contracts.outcomes import RecordOutcome
from leadflood.domains.icps.models.outcomes import OutcomeSource
from leadflood.domains.icps.queries import get_icp
from leadflood.domains.icps.queries.backtests import latest_backtest
from leadflood.domains.icps.service import backtests, outcomes, save_draft
from leadflood.kernel.actor import Role
from leadflood.kernel.db.transaction import Transaction
from tests.integration.icps.desk import GERMAN, body_of, publish_profile
from tests.integration.web.conftest import House
from tests.support.web import Browser

FRENCH = body_of({**GERMAN, "test": {"field": "lead.country", "in": ["FR"]}})


async def test_a_backtest_is_run_and_shown_on_the_page_of_the_profile(house: House, viewer: Browser) -> None:
    member = await house.signed_in(Role.MEMBER)
    icp_id = await _profile(house)
    path = f"/icps/{icp_id}/backtests"
    assert "No backtest yet" in (await viewer.get(path)).text
    assert not (await viewer.get(path)).all(f'form[action="{path}"]')

    await member.get(path)
    running = await member.post(path, {"number": "2", "facts": "today"})
    assert "Testing version 2" in running.text
    again = await member.post(path, {"number": "2", "facts": "today"})
    assert "A version of this profile is being tested." in again.text
    await _finish(house, icp_id)
    page = await viewer.get(path)
    shown = page.text

    assert "Version 2 next to version 1" in shown
    assert "Later facts may leak into every figure" in shown
    assert shown.count("May leak") >= 5
    assert "Against its points" in shown
    assert "lead0@acme.test" in shown
    assert page.all("svg.rate")


async def _profile(house: House) -> UUID:
    """A live profile for Germans with a draft for the French, and 22 Germans who were won, 22 French who were lost."""
    for number in range(44):
        country, outcome = ("DE", "won") if number % 2 == 0 else ("FR", "lost")
        lead_id = await house.lead(f"lead{number}@acme.test", country=country)
        async with house.parts.database.transaction(house.workspace_id) as tx:
            command = RecordOutcome.model_validate({"outcome": outcome})
            await outcomes.record_outcome(
                tx, house.actor, lead_id=lead_id, command=command, source=OutcomeSource.PERSON
            )
    icp_id = await publish_profile(house.parts.database, house.actor, body_of(GERMAN))
    async with house.parts.database.transaction(house.workspace_id) as tx:
        icp = await get_icp(tx, house.actor, icp_id=icp_id)
        draft = SaveDraft.model_validate({"body": FRENCH})
        await save_draft(tx, house.actor, icp_id=icp_id, command=draft, expected_version=icp.version)
    return icp_id


async def _finish(house: House, icp_id: UUID) -> None:
    """Do the job of the backtest that has begun."""

    def transactions() -> AbstractAsyncContextManager[Transaction]:
        return house.parts.database.transaction(house.workspace_id)

    async with transactions() as tx:
        running = await latest_backtest(tx, house.actor, icp_id=icp_id)
    assert running is not None
    result = await backtests.measure(transactions, house.actor, backtest_id=running.id)
    async with transactions() as tx:
        await backtests.finish(tx, house.actor, backtest_id=running.id, result=result)
