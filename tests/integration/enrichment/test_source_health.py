"""Health of sources: counted from their answers, per workspace, on their page, over HTTP and on the command line."""

import httpx
import pytest

from leadflood.domains.enrichment.contracts.sources import SourceView
from leadflood.domains.enrichment.errors import SourceNotFound
from leadflood.domains.enrichment.models import Away, Source
from leadflood.domains.enrichment.models.source_health import SourceState
from leadflood.domains.enrichment.queries import sources as queries
from leadflood.kernel.actor import Actor, MissingPermission
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.web import Browser

__all__ = [
    "caller",
    "gate",
    "house",
    "new_caller",
    "new_house",
    "pages_app",
    "pages_parts",
    "parts",
    "site_parts",
    "toys",
    "viewer",
]


async def health(bench: Bench, source: Source) -> SourceView:
    return await queries.get_source(bench.database, bench.actor, name=source.spec.name, sources=[source])


async def read(bench: Bench, register: Register, *companies: str) -> None:
    office = Office(bench)
    for company in companies:
        made = await office.waiting(company, register)
        await office.read(company, register)
        await office.completes(made, register)


async def test_answers_are_counted_by_outcome_hour_and_field(bench: Bench, other_bench: Bench) -> None:
    register = Register()
    assert (await health(bench, register)).state is SourceState.IDLE
    await read(bench, register, domain(), domain())
    register.fault = Away("The register is down.")
    await read(bench, register, domain())

    found = await health(bench, register)
    assert (found.questions, found.answered, found.outcomes) == (3, 2, {"found": 2, "away": 1})
    assert [(item.field, item.found, item.answers, item.share) for item in found.fields] == [
        ("city", 2, 2, 1.0),
        ("name", 2, 2, 1.0),
    ]
    assert sum(hour.found for hour in found.hours) == 2
    assert sum(hour.failed for hour in found.hours) == 1
    assert len(found.hours) == 24
    assert found.seconds_p95 is not None
    assert found.seconds_p50 is not None
    assert found.seconds_p95 >= found.seconds_p50 >= 0
    elsewhere = await health(other_bench, register)
    assert (elsewhere.questions, elsewhere.fields) == (0, [])


async def test_an_answer_that_was_stored_is_no_question(bench: Bench) -> None:
    register, company = Register(), domain()
    await read(bench, register, company)
    made = await bench.create(f"grace@{company}")
    await bench.attempts(made.job_id, person(), register)

    assert (await health(bench, register)).questions == 1


async def test_an_unknown_source_and_an_actor_without_permission_are_refused(bench: Bench) -> None:
    with pytest.raises(SourceNotFound):
        await queries.get_source(bench.database, bench.actor, name="nothing", sources=[Register()])
    nobody = Actor.requester(bench.actor.workspace_id, bench.actor.kind, None)
    with pytest.raises(MissingPermission):
        await queries.list_sources(bench.database, nobody, sources=[])


async def test_sources_have_a_list_and_pages_whose_plots_have_tables(house: House, viewer: Browser) -> None:
    bench = Bench(house.parts.database, house.actor)
    made = await bench.create("ada.lovelace@acme.com")
    await bench.attempts(made.job_id, person())

    assert "Email address" in (await viewer.get("/settings/sources")).all("#sources-list")[0]
    page = await viewer.get("/settings/sources/email_insight")
    assert "Not asked" in page.all("#source-state")[0]
    assert len(page.all("#source-state .plot__table tbody tr")) == 24
    assert (await viewer.get("/settings/sources/nothing")).status == 404


async def test_sources_over_http(toys: httpx.AsyncClient, caller: Caller) -> None:
    listed = (await toys.get("/v1/sources", headers=caller.headers)).json()["items"]
    assert [item["name"] for item in listed if item["provider"] is None] == ["email_insight"]
    assert {item["state"] for item in listed if item["provider"] is not None} == {"off"}
    assert (listed[0]["state"], listed[0]["subject"], len(listed[0]["hours"])) == ("idle", "lead", 24)
