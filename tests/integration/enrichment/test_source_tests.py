"""Tests of a source: exactly one budgeted call, shown without the key, whose answer is kept."""

import json
from uuid import UUID

import pytest

from leadflood.cli.demo_providers import PRICES
from leadflood.demo.providers.hunter import HunterTwin
from leadflood.domains.enrichment.contracts.source_settings import ChangeSource
from leadflood.domains.enrichment.contracts.source_tests import SourceTestView, StartSourceTest
from leadflood.domains.enrichment.errors import (
    KeyMissing,
    ModelMissing,
    PriceMissing,
    SourceNotFound,
    SourceNotTestable,
    SourceTestNotFound,
)
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.queries.source_tests import latest_test
from leadflood.domains.enrichment.service import source_settings, source_tests
from leadflood.domains.enrichment.store.source_tests import purge
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads import service as leads
from leadflood.domains.spending.models import BudgetState
from leadflood.domains.spending.queries import list_budgets
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.hold import EffectsOnHold
from tests.integration.enrichment.paying import DOMAIN, Paying, paying, people
from tests.integration.spending.till import Till
from tests.support.new_companies import new_company

__all__ = ["paying"]

FINDER, VERIFIER, PERSON = "hunter_email_finder", "hunter_email_verifier", "pdl_person"
SEARCH = "hunter_domain_search"
AGE = sql("UPDATE source_tests SET requested_at = now() - interval '31 days' WHERE source = :source")


async def start(paying: Paying, source: str, about: str) -> SourceTestView:
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        command = StartSourceTest(about=about)
        return await source_tests.start(tx, paying.actor, source=source, command=command, trace={})


async def latest(paying: Paying, source: str) -> SourceTestView:
    async with paying.database.transaction(paying.actor.workspace_id, read_only=True) as tx:
        return await latest_test(tx, paying.actor, source=source)


async def ask(paying: Paying, source: str, about: str) -> SourceTestView:
    """The test of a source, when its job has ended."""
    made = await start(paying, source, about)
    assert (made.step, made.calls, made.ended_at) == (None, [], None)
    assert (await paying.attempts(made.job_id)).status == JobStatus.COMPLETED
    return await latest(paying, source)


async def price(paying: Paying, source: str, micros: int = 10_000) -> None:
    await Till(paying.database, paying.actor).price(micros, source=source)


def calls(paying: Paying) -> int:
    return sum(len(twin.calls) for twin in paying.servers.twins.all)


async def add(paying: Paying, email: str) -> UUID:
    return (await paying.create(email)).lead_id


async def test_one_call_is_bought_shown_without_the_key_and_kept(paying: Paying) -> None:
    email = people("people_data_labs")[0]
    lead_id = await add(paying, email)
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        await source_settings.change(tx, paying.actor, source=PERSON, command=ChangeSource(enabled=False))

    found = await ask(paying, PERSON, f" {email.upper()} ")

    assert found.step is not None
    assert (found.step.state, found.step.stored, found.lead_id) == (StepState.FOUND, False, lead_id)
    assert (found.step.cost_micros, found.step.currency) == (PRICES[PERSON], "EUR")
    assert (await paying.spent(), paying.bill(), calls(paying)) == (PRICES[PERSON], PRICES[PERSON], 1)
    (call,) = found.calls
    assert (call.method, call.status) == ("GET", 200)
    assert email.replace("@", "%40") in call.url or email in call.url
    assert json.loads(call.reply)["status"] == 200
    assert "demo-key" not in found.model_dump_json()
    assert "[secret]" in call.model_dump_json()
    assert {item.field for item in found.values} >= {"first_name", "last_name"}

    again = await ask(paying, PERSON, email)
    assert again.step is not None
    assert (again.step.stored, again.step.cost_micros, again.calls) == (True, 0, [])
    assert [item.field for item in again.values] == [item.field for item in found.values]
    assert calls(paying) == 1, "an answer that is still good is not bought again"


async def test_a_miss_and_a_refused_key_are_told_apart(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    await price(paying, VERIFIER)
    first, second = f"nobody@{DOMAIN}", "nobody@unknown-0815.de"
    for email in (first, second):
        await add(paying, email)
    answered = await ask(paying, VERIFIER, first)
    assert answered.step is not None
    assert answered.step.state in {StepState.FOUND, StepState.MISSED}

    monkeypatch.setattr(HunterTwin, "key", "another-key-4711")
    refused = await ask(paying, VERIFIER, second)

    assert refused.step is not None
    assert (refused.step.state, refused.step.cost_micros) == (StepState.FAILED, 0)
    assert "key" in refused.step.message
    assert [call.status for call in refused.calls] == [401]


async def test_without_budget_nothing_is_sent(paying: Paying) -> None:
    email = people("hunter")[0]
    await add(paying, email)
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        (budget,) = (await list_budgets(tx, paying.actor, limit=1)).items
    await Till(paying.database, paying.actor).change(budget.id, state=BudgetState.PAUSED)

    made = await ask(paying, PERSON, email)

    assert made.step is not None
    assert (made.step.state, made.calls, made.values) == (StepState.SKIPPED, [], [])
    assert "paused" in made.step.message
    assert (calls(paying), paying.bill()) == (0, 0)


async def test_a_source_that_lacks_a_value_says_which(paying: Paying) -> None:
    lead_id = await add(paying, "info@unknown-0815.de")
    made = await ask(paying, FINDER, "info@unknown-0815.de")
    assert made.step is not None
    assert (made.step.state, made.lead_id) == (StepState.SKIPPED, lead_id)
    assert made.step.message.startswith("It needs ")
    assert calls(paying) == 0


async def test_a_later_test_takes_the_place_of_one_that_has_not_begun(paying: Paying) -> None:
    first, second = people("people_data_labs")[:2]
    for email in (first, second):
        await add(paying, email)
    former = await start(paying, PERSON, first)
    latter = await start(paying, PERSON, second)

    for job_id in (former.job_id, latter.job_id):
        assert (await paying.attempts(job_id)).status == JobStatus.COMPLETED

    found = await latest(paying, PERSON)
    assert (found.job_id, calls(paying)) == (latter.job_id, 1)


async def test_a_deleted_lead_is_not_asked_about_and_takes_its_test_along(paying: Paying) -> None:
    email = people("people_data_labs")[0]
    lead_id = await add(paying, email)
    made = await start(paying, PERSON, email)
    async with paying.database.transaction(paying.actor.workspace_id) as tx:
        await leads.delete_lead(tx, paying.actor, lead_id=lead_id)

    assert (await paying.attempts(made.job_id)).status == JobStatus.COMPLETED

    found = await latest(paying, PERSON)
    assert found.step is not None
    assert (found.step.state, calls(paying)) == (StepState.SKIPPED, 0)
    assert "deleted" in found.step.message


async def test_a_person_who_objected_is_not_asked_about(paying: Paying) -> None:
    await price(paying, VERIFIER)
    email = people("hunter")[0]
    await add(paying, email)
    twin = next(twin for twin in paying.servers.twins.all if isinstance(twin, HunterTwin))
    twin.objected.add(email)
    objected = await ask(paying, VERIFIER, email)
    assert objected.step is not None
    assert objected.step.state is StepState.REFUSED
    asked = calls(paying)

    made = await ask(paying, PERSON, email)

    assert made.step is not None
    assert (made.step.state, made.step.message) == (StepState.SKIPPED, "The person does not want to be looked up.")
    assert calls(paying) == asked


async def test_a_test_waits_while_effects_are_on_hold(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    email = people("people_data_labs")[0]
    await add(paying, email)
    made = await start(paying, PERSON, email)

    async def held(*_: object, **__: object) -> None:
        raise EffectsOnHold

    monkeypatch.setattr(paying.door, "request", held)
    await paying.attempt(made.job_id)
    assert ((await latest(paying, PERSON)).ended_at, await paying.spent()) == (None, 0)


@pytest.mark.parametrize(
    ("source", "about", "error"),
    [
        (PERSON, "nobody@nowhere.test", InvalidInput),
        (PERSON, "no address", InvalidInput),
        ("email_insight", "ada@acme.com", SourceNotTestable),
        ("language_model", "acme.com", ModelMissing),
        ("zerobounce", "ada@acme.com", KeyMissing),
        (VERIFIER, "ada@acme.com", PriceMissing),
        ("unknown", "ada@acme.com", SourceNotFound),
    ],
)
async def test_what_cannot_be_tested_is_refused(
    paying: Paying, source: str, about: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await start(paying, source, about)
    with pytest.raises(SourceTestNotFound):
        await latest(paying, source)


async def test_a_company_is_named_by_its_domain_and_old_tests_are_deleted(paying: Paying) -> None:
    await price(paying, SEARCH)
    with pytest.raises(InvalidInput) as refused:
        await start(paying, SEARCH, "missing.example")
    assert refused.value.errors[0].message == "No company has this domain. Add it first."
    company_id = await new_company(paying.database, paying.actor.workspace_id, DOMAIN)

    found = await ask(paying, SEARCH, f"https://www.{DOMAIN}/about")

    assert found.step is not None
    assert (found.step.state, found.company_id, found.lead_id) == (StepState.FOUND, company_id, None)
    assert "name" in {item.field for item in found.values}
    async with paying.database.system() as tx:
        assert await purge(tx, 100, days=30) == 0
        await tx.execute(AGE, {"source": SEARCH})
        assert await purge(tx, 100, days=30) == 1
    with pytest.raises(SourceTestNotFound):
        await latest(paying, SEARCH)
